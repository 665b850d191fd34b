//! The client against a server that speaks HTTP: pages, refusals, silence.
#![allow(clippy::unwrap_used, reason = "a test file: what cannot be read fails the test that wanted it")]

use std::time::Duration;

use kube::config::Config;
use serde_json::{Value, json};

use crate::error::Failure;
use crate::fake::{Asked, Fake};
use crate::server::{ApiServer, EksAccess};

fn server(fake: &Fake) -> ApiServer {
    let mut config = Config::new(fake.url.parse().unwrap());
    config.auth_info.token = Some("a-token".to_owned().into());
    config.default_retry = false;
    ApiServer::of("prod", config).unwrap()
}

fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name}})
}

fn status(code: u16, reason: &str, message: &str) -> (u16, String) {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
        "message": message, "metadata": {}});
    (code, body.to_string())
}

fn two_pages(asked: &Asked) -> (u16, String) {
    let page = |names: &[&str], next: &str| {
        let items: Vec<_> = names.iter().map(|n| pod(n)).collect();
        json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"continue": next}, "items": items})
    };
    if asked.path.contains("continue=next%3D") {
        (200, page(&["c"], "").to_string())
    } else {
        (200, page(&["a", "b"], "next=").to_string())
    }
}

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().filter_map(|i| i["metadata"]["name"].as_str()).collect()
}

#[tokio::test]
async fn a_list_is_read_page_by_page_with_the_token() {
    let fake = Fake::new(two_pages);
    let items = server(&fake).list("listing the pods", "/api/v1/pods", Some).await.unwrap();
    assert_eq!(names(&items), ["a", "b", "c"]);
    assert_eq!(items[0]["kind"], "Pod");
    assert_eq!(fake.paths(), ["/api/v1/pods?limit=500", "/api/v1/pods?limit=500&continue=next%3D"]);
    let asked = fake.asked.lock().unwrap().clone();
    assert!(asked[0].headers.contains(&("authorization".to_owned(), "Bearer a-token".to_owned())));
}

#[tokio::test]
async fn what_is_not_kept_is_dropped_with_its_page() {
    let fake = Fake::new(two_pages);
    let keep = |item: Value| (item["metadata"]["name"] != "b").then_some(item);
    let items = server(&fake).list("listing the pods", "/api/v1/pods", keep).await.unwrap();
    assert_eq!(names(&items), ["a", "c"]);
}

#[tokio::test]
async fn metadata_lists_ask_for_no_contents() {
    let fake = Fake::new(two_pages);
    server(&fake).list_metadata("listing the secrets", "/api/v1/secrets", Some).await.unwrap();
    let asked = fake.asked.lock().unwrap().clone();
    let accept = asked[0].headers.iter().find(|(n, _)| n == "accept").unwrap();
    assert!(accept.1.contains("PartialObjectMetadataList"), "{accept:?}");
}

#[tokio::test]
async fn refusals_say_what_to_do_next() {
    for (code, failure, next) in [
        (401, Failure::Unauthenticated, "access entry"),
        (403, Failure::Denied, "infra/kubernetes/reader.yaml"),
        (404, Failure::NotFound, "does not serve"),
        (503, Failure::Busy, "try again"),
    ] {
        let fake = Fake::new(move |_| status(code, "Reason", "pods is forbidden"));
        let error = server(&fake).list("listing the pods", "/api/v1/pods", Some).await.unwrap_err();
        assert_eq!(error.failure, failure, "{code}: {error}");
        assert!(error.to_string().contains("listing the pods of cluster prod"), "{error}");
        assert!(error.to_string().contains(next), "{error}");
    }
}

#[tokio::test]
async fn a_list_whose_token_expired_is_begun_anew_once() {
    let fake =
        Fake::new(
            |asked| {
                if asked.path.contains("continue") { status(410, "Expired", "too old") } else { two_pages(asked) }
            },
        );
    let error = server(&fake).list("listing the pods", "/api/v1/pods", Some).await.unwrap_err();
    assert_eq!(error.failure, Failure::Conflict);
    assert_eq!(fake.paths().len(), 4);
}

#[tokio::test]
async fn a_list_without_end_is_not_followed_for_ever() {
    let fake = Fake::new(|_| (200, json!({"kind": "PodList", "metadata": {"continue": "same"}}).to_string()));
    let error = server(&fake).list("listing the pods", "/api/v1/pods", Some).await.unwrap_err();
    assert!(error.to_string().contains("does not come to an end"), "{error}");
}

#[tokio::test]
async fn an_endpoint_that_nobody_serves_may_be_private() {
    let mut config = Config::new("http://127.0.0.1:9".parse().unwrap());
    config.default_retry = false;
    let error = ApiServer::of("prod", config).unwrap().get("reading the version", "/version").await.unwrap_err();
    assert_eq!(error.failure, Failure::Unreachable, "{error}");
    assert!(error.to_string().contains("may be private"), "{error}");
}

#[tokio::test]
async fn a_server_that_stays_silent_costs_bounded_time() {
    let fake = Fake::new(|_| {
        std::thread::sleep(Duration::from_secs(5));
        (200, "{}".to_owned())
    });
    let server = server(&fake).answering_within(Duration::from_millis(100));
    let started = std::time::Instant::now();
    let error = server.get("reading the version", "/version").await.unwrap_err();
    assert_eq!(error.failure, Failure::Busy);
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn an_eks_cluster_is_made_of_what_describe_cluster_gives() {
    let fake = Fake::new(|_| (200, "{\"gitVersion\": \"v1.34.1-eks-113cf36\"}".to_owned()));
    let access = EksAccess {
        name: "prod".to_owned(),
        endpoint: fake.url.clone(),
        authority: String::new(),
        token: "k8s-aws-v1.x".to_owned(),
    };
    let version = ApiServer::eks(&access).await.unwrap().get("reading the version", "/version").await.unwrap();
    assert_eq!(version["gitVersion"], "v1.34.1-eks-113cf36");
}

#[tokio::test]
async fn a_kubeconfig_that_makes_no_sense_is_said_so() {
    let error = ApiServer::kubeconfig(Some("/nonexistent/kubeconfig".as_ref()), None).await.unwrap_err();
    assert_eq!(error.failure, Failure::Misconfigured);
    assert!(error.to_string().contains("correct the kubeconfig"), "{error}");
}

/// A certificate for loopback in base64, and a server that speaks TLS with it; none where there is no openssl.
fn tls_server(folder: &std::path::Path) -> Option<(String, String, std::process::Child)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new("openssl");
        command
            .args(arguments)
            .current_dir(folder)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        command
    };
    let make = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=kubernetes",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ];
    run(&make).status().ok().filter(std::process::ExitStatus::success)?;
    let body = "{\"gitVersion\": \"v1.34.1\"}";
    std::fs::write(folder.join("version"), format!("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{body}"))
        .ok()?;
    let accept = port.to_string();
    let server = run(&["s_server", "-accept", &accept, "-key", "key.pem", "-cert", "cert.pem", "-HTTP", "-quiet"]);
    let child = { server }.spawn().ok()?;
    for _ in 0..100 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let authority = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        std::fs::read(folder.join("cert.pem")).ok()?,
    );
    Some((format!("https://127.0.0.1:{port}"), authority, child))
}

#[tokio::test]
async fn tls_is_spoken_with_the_clusters_own_authority_and_with_no_other() {
    let folder = std::env::temp_dir().join(format!("picket-kubernetes-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let Some((endpoint, authority, mut child)) = tls_server(&folder) else { return };
    let access = |authority: String| EksAccess {
        name: "prod".to_owned(),
        endpoint: endpoint.clone(),
        authority,
        token: "k8s-aws-v1.x".to_owned(),
    };
    let trusting = ApiServer::eks(&access(authority)).await.unwrap();
    let version = trusting.get("reading the version", "/version").await;
    let other = ApiServer::eks(&access(String::new())).await.unwrap();
    let refused = other.get("reading the version", "/version").await;
    child.kill().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(version.unwrap()["gitVersion"], "v1.34.1");
    assert_eq!(refused.unwrap_err().failure, Failure::Untrusted);
}
