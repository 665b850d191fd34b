//! Services that no emulator plays, there and back over the wire: a small server that keeps what it is told.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region as AwsRegion};
use picket_model::{AccountId, Region};

use super::*;

/// A request: method and path, and its body.
struct Asked {
    line: String,
    body: String,
}

type State = BTreeMap<&'static str, String>;
type Play = fn(&Asked, &mut State) -> (u16, String);

/// Serves `play` on loopback; answers its address and every request line.
fn serve(play: Play) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (lines, state) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(State::new())));
    let seen = lines.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (seen, state) = (seen.clone(), state.clone());
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while let Some(asked) = read(&mut reader) {
                    seen.lock().unwrap().push(asked.line.clone());
                    let (status, body) = play(&asked, &mut state.lock().unwrap());
                    answer(&stream, status, &body);
                }
            });
        }
    });
    (url, lines)
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if header.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let line = line.rsplit_once(' ').map_or(line.clone(), |(l, _)| l.to_owned());
    Some(Asked { line, body: String::from_utf8_lossy(&body).into_owned() })
}

fn answer(mut stream: &TcpStream, status: u16, body: &str) {
    let head =
        format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

fn clients(url: &str) -> Clients {
    let key = aws_sdk_ec2::config::Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .region(AwsRegion::new("us-east-1"))
        .endpoint_url(url)
        .credentials_provider(aws_sdk_ec2::config::SharedCredentialsProvider::new(key));
    Clients::of(futures::executor::block_on(loader.load()))
}

fn scope() -> Scope {
    Scope { account: AccountId::parse("123456789012").unwrap(), region: Region::parse("us-east-1").unwrap() }
}

/// Reads, writes `to`, reads, writes it again, goes back, and reads.
async fn there_and_back(play: Play, action: &str, before: Value, to: Value) -> Vec<String> {
    let (url, lines) = serve(play);
    let clients = clients(&url);
    let fixes = AwsFixes::new(&clients, "picket");
    let aim = Aim { action: action.to_owned(), target: "us-east-1".to_owned(), with: Default::default() };
    assert_eq!(fixes.see(&scope(), &aim).await.unwrap().now, before, "{action}");
    for _ in 0..2 {
        fixes.change(&scope(), &aim, &before, &to).await.unwrap();
        assert_eq!(fixes.see(&scope(), &aim).await.unwrap().now, to, "{action}");
    }
    for _ in 0..2 {
        fixes.change(&scope(), &aim, &to, &before).await.unwrap();
        assert_eq!(fixes.see(&scope(), &aim).await.unwrap().now, before, "{action}");
    }
    lines.lock().unwrap().clone()
}

fn guardduty(asked: &Asked, state: &mut State) -> (u16, String) {
    let ids = |s: &State| s.get("detector").map(|_| "\"d1\"").unwrap_or_default();
    match asked.line.as_str() {
        "GET /detector" => (200, format!("{{\"detectorIds\":[{}]}}", ids(state))),
        "POST /detector" => {
            state.insert("detector", "ENABLED".to_owned());
            (200, "{\"detectorId\":\"d1\"}".to_owned())
        }
        "GET /detector/d1" => (200, format!("{{\"status\":\"{}\",\"serviceRole\":\"r\"}}", state["detector"])),
        "POST /detector/d1" => {
            let status = if asked.body.contains("true") { "ENABLED" } else { "DISABLED" };
            state.insert("detector", status.to_owned());
            (200, "{}".to_owned())
        }
        "DELETE /detector/d1" => {
            state.remove("detector");
            (200, "{}".to_owned())
        }
        other => (404, format!("{{\"message\":\"{other}\"}}")),
    }
}

fn guardduty_suspended(asked: &Asked, state: &mut State) -> (u16, String) {
    state.entry("detector").or_insert_with(|| "DISABLED".to_owned());
    guardduty(asked, state)
}

#[tokio::test]
async fn guardduty_gets_a_detector_and_loses_it_again() {
    let lines =
        there_and_back(guardduty, "guardduty_enable", json!({"detector": "none"}), json!({"detector": "on"})).await;
    assert_eq!(lines.iter().filter(|l| *l == "POST /detector").count(), 1, "{lines:?}");
    assert_eq!(lines.iter().filter(|l| *l == "DELETE /detector/d1").count(), 1, "{lines:?}");
}

#[tokio::test]
async fn a_suspended_detector_goes_on_and_is_suspended_again_never_deleted() {
    let (off, on) = (json!({"detector": "off"}), json!({"detector": "on"}));
    let lines = there_and_back(guardduty_suspended, "guardduty_enable", off, on).await;
    assert!(!lines.iter().any(|l| l.starts_with("DELETE")), "{lines:?}");
}

fn analyzers(asked: &Asked, state: &mut State) -> (u16, String) {
    let one = "{\"name\":\"picket\",\"type\":\"ACCOUNT\",\"arn\":\"a\",\"createdAt\":\"2026-01-01T00:00:00Z\",\"status\":\"ACTIVE\"}";
    match asked.line.split('?').next().unwrap_or_default() {
        "GET /analyzer" => (200, format!("{{\"analyzers\":[{}]}}", state.get("a").map(|_| one).unwrap_or_default())),
        "PUT /analyzer" if state.contains_key("a") => (409, "{\"message\":\"it exists\"}".to_owned()),
        "PUT /analyzer" => {
            state.insert("a", String::new());
            (200, "{\"arn\":\"a\"}".to_owned())
        }
        "DELETE /analyzer/picket" if state.remove("a").is_none() => {
            (404, "{\"message\":\"no such analyzer\"}".to_owned())
        }
        "DELETE /analyzer/picket" => (200, "{}".to_owned()),
        other => (500, format!("{{\"message\":\"{other}\"}}")),
    }
}

/// Errors of REST services are named in a header, which this server leaves out; so a 404 and a 409 are told by body only.
#[tokio::test]
async fn an_analyzer_is_made_and_deleted() {
    let (url, _) = serve(analyzers);
    let clients = clients(&url);
    let fixes = AwsFixes::new(&clients, "picket");
    let aim =
        Aim { action: "accessanalyzer_enable".to_owned(), target: "us-east-1".to_owned(), with: Default::default() };
    let (none, ours) = (json!({"analyzer": null}), json!({"analyzer": "picket"}));
    assert_eq!(fixes.see(&scope(), &aim).await.unwrap().now, none);
    fixes.change(&scope(), &aim, &none, &ours).await.unwrap();
    let there = fixes.see(&scope(), &aim).await.unwrap();
    assert_eq!((there.now, there.facts), (ours.clone(), json!({"other": false})));
    fixes.change(&scope(), &aim, &ours, &none).await.unwrap();
    assert_eq!(fixes.see(&scope(), &aim).await.unwrap().now, none);
}

/// The settings that EC2 keeps per Region, by its query protocol.
fn settings(asked: &Asked, state: &mut State) -> (u16, String) {
    let part = |name: &str| asked.body.split('&').find_map(|p| p.strip_prefix(&format!("{name}="))).map(str::to_owned);
    let action = part("Action").unwrap_or_default();
    let reply = |inner: String| {
        (
            200,
            format!("<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">{inner}</{action}Response>"),
        )
    };
    let get = |s: &State, key: &str, otherwise: &str| s.get(key).cloned().unwrap_or_else(|| otherwise.to_owned());
    match action.as_str() {
        "GetImageBlockPublicAccessState" => reply(format!(
            "<imageBlockPublicAccessState>{}</imageBlockPublicAccessState>",
            get(state, "images", "unblocked")
        )),
        "EnableImageBlockPublicAccess" => {
            state.insert("images", part("ImageBlockPublicAccessState").unwrap_or_default());
            reply(String::new())
        }
        "DisableImageBlockPublicAccess" => {
            state.remove("images");
            reply(String::new())
        }
        "GetSnapshotBlockPublicAccessState" => {
            reply(format!("<state>{}</state>", get(state, "snapshots", "unblocked")))
        }
        "EnableSnapshotBlockPublicAccess" => {
            state.insert("snapshots", part("State").unwrap_or_default());
            reply(String::new())
        }
        "DisableSnapshotBlockPublicAccess" => {
            state.remove("snapshots");
            reply(String::new())
        }
        "GetSerialConsoleAccessStatus" => {
            reply(format!("<serialConsoleAccessEnabled>{}</serialConsoleAccessEnabled>", get(state, "serial", "true")))
        }
        "EnableSerialConsoleAccess" | "DisableSerialConsoleAccess" => {
            state.insert("serial", action.starts_with("Enable").to_string());
            reply(String::new())
        }
        "GetInstanceMetadataDefaults" => {
            let tokens = get(state, "tokens", "no-preference");
            let inner =
                if tokens == "no-preference" { String::new() } else { format!("<httpTokens>{tokens}</httpTokens>") };
            reply(format!("<accountLevel>{inner}</accountLevel>"))
        }
        "ModifyInstanceMetadataDefaults" => {
            state.insert("tokens", part("HttpTokens").unwrap_or_default());
            reply("<return>true</return>".to_owned())
        }
        other => (400, format!("<Response><Errors><Error><Code>{other}</Code></Error></Errors></Response>")),
    }
}

#[tokio::test]
async fn settings_of_ec2_go_there_and_back() {
    for (action, before, after) in [
        ("ec2_block_public_images", json!({"state": "unblocked"}), json!({"state": "block-new-sharing"})),
        ("ec2_block_public_snapshots", json!({"state": "unblocked"}), json!({"state": "block-all-sharing"})),
        ("ec2_disable_serial_console", json!({"on": true}), json!({"on": false})),
        (
            "ec2_default_imds",
            json!({"tokens": null, "hop_limit": null}),
            json!({"tokens": "required", "hop_limit": null}),
        ),
    ] {
        there_and_back(settings, action, before, after).await;
    }
}

#[test]
fn every_fix_of_aws_has_its_code_here() {
    // What is not dispatched says so at once; everything else needs AWS.
    let known = picket_pipeline::fixes::ALL.iter().filter(|a| !a.name.starts_with("kubernetes_"));
    let prefixes = [
        "accessanalyzer",
        "cloudtrail",
        "ec2",
        "ecr",
        "eks",
        "elb",
        "guardduty",
        "iam",
        "kms",
        "logs",
        "node",
        "rds",
        "s3",
        "ssm",
    ];
    for action in known {
        assert!(prefixes.contains(&action.name.split('_').next().unwrap()), "{} has no home", action.name);
    }
}
