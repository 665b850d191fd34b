//! Posts to a server on loopback: what arrives, and what each answer means.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use aws_config::{BehaviorVersion, SdkConfig};
use serde_json::Value;

use super::*;

/// A server that answers one request with a status, and the request that it got.
fn server(status: u16) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let serve = move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut got, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let read = stream.read(&mut buffer).unwrap();
            got.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&got);
            let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                let length = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
                length.is_some_and(|l: usize| body.len() >= l)
            });
            if whole || read == 0 {
                break;
            }
        }
        write!(stream, "HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8(got).unwrap()
    };
    (url, std::thread::spawn(serve))
}

fn poster() -> post::Poster {
    let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest());
    post::Poster::new(&Clients::of(config.build()))
}

#[tokio::test]
async fn what_arrives_is_the_form_as_json() {
    let (url, served) = server(200);
    let post = slack::post(&url, r#"{"text":"é"}"#).unwrap();
    poster().post("slack", &post).await.unwrap();
    let got = served.join().unwrap();
    assert!(got.starts_with("POST /hook HTTP/1.1\r\n") && got.ends_with("\r\n\r\n{\"text\":\"é\"}"), "{got}");
    assert!(got.contains("content-type: application/json\r\n"), "{got}");
}

#[tokio::test]
async fn a_refusal_is_worth_a_plainer_message_and_a_passing_fault_another_try() {
    for (status, kind) in
        [(400, Kind::Other), (302, Kind::Other), (403, Kind::Denied), (429, Kind::Transient), (503, Kind::Transient)]
    {
        let (url, served) = server(status);
        let error = poster().post("slack", &Post { url: url.clone(), body: "{}".to_owned() }).await.unwrap_err();
        assert_eq!(error.kind, kind, "{status}");
        assert!(!error.to_string().contains(&url), "the secret is shown: {error}");
        served.join().unwrap();
    }
}

#[tokio::test]
async fn nothing_is_posted_in_the_clear_but_to_loopback() {
    for url in ["http://hooks.example/x", "ftp://x", "", "http://127.0.0.1.evil.example/"] {
        let error = poster().post("slack", &Post { url: url.to_owned(), body: "{}".to_owned() }).await.unwrap_err();
        assert_eq!(error.kind, Kind::Other, "{url}");
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let error = poster().post("slack", &Post { url, body: "{}".to_owned() }).await.unwrap_err();
    assert_eq!(error.kind, Kind::Transient);
}

#[test]
fn pagerduty_s_key_is_added_and_its_service_region_can_be_chosen() {
    let form = r#"{"event_action":"trigger"}"#;
    let post = pagerduty::post("KEY", form).unwrap();
    assert_eq!(post.url, "https://events.pagerduty.com/v2/enqueue");
    let event: Value = serde_json::from_str(&post.body).unwrap();
    assert_eq!(event, serde_json::json!({ "event_action": "trigger", "routing_key": "KEY" }));
    let eu = pagerduty::post("KEY https://events.eu.pagerduty.com/v2/enqueue", form).unwrap();
    assert_eq!(eu.url, "https://events.eu.pagerduty.com/v2/enqueue");
    assert!(pagerduty::post("", form).is_err() && slack::post("", form).is_err());
}
