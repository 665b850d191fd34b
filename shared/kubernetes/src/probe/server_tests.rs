//! The probe against real servers on loopback: TLS with a certificate that is made here, plain HTTP, and what is neither.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use picket_model::InstanceId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

const VERSION: &str = "{\n  \"major\": \"1\",\n  \"gitVersion\": \"v1.31.2\"\n}";

/// With a certificate of these names, that nobody signed.
fn acceptor(names: &[&str]) -> TlsAcceptor {
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Answers with what `answer` makes of a request, over TLS or not, until nobody came for two seconds; gives the requests.
async fn serve(tls: Option<TlsAcceptor>, answer: fn(&str) -> String) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    let requests = tokio::spawn(async move {
        let mut seen = Vec::new();
        while let Ok(Ok((stream, _))) = tokio::time::timeout(Duration::from_secs(2), listener.accept()).await {
            let mut buffer = [0; 1024];
            let read = |n: usize, buffer: &[u8]| String::from_utf8_lossy(&buffer[..n]).into_owned();
            match &tls {
                Some(tls) => {
                    let Ok(mut stream) = tls.accept(stream).await else { continue };
                    let n = stream.read(&mut buffer).await.unwrap_or(0);
                    seen.push(read(n, &buffer));
                    let _ = stream.write_all(answer(seen.last().unwrap()).as_bytes()).await;
                    let _ = stream.shutdown().await;
                }
                None => {
                    let mut stream = stream;
                    let n = stream.read(&mut buffer).await.unwrap_or(0);
                    if buffer[0] != b'G' {
                        continue;
                    }
                    seen.push(read(n, &buffer));
                    let _ = stream.write_all(answer(seen.last().unwrap()).as_bytes()).await;
                }
            }
        }
        seen
    });
    (at, requests)
}

fn api_server(request: &str) -> String {
    match request.split_whitespace().nth(1) {
        Some("/version") => format!("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{VERSION}"),
        _ => "HTTP/1.0 401 Unauthorized\r\n\r\n{\"kind\": \"Status\", \"apiVersion\": \"v1\"}".to_owned(),
    }
}

fn machine() -> Asked {
    let instance = InstanceId::parse("i-00000001").unwrap();
    Asked { instance, address: Untrusted::new("127.0.0.1"), ports: vec![6443] }
}

fn ask_of(port: u16, speaks: Speaks, paths: &'static [&'static str]) -> Ask {
    Ask { port, speaks, paths }
}

#[tokio::test]
async fn an_api_server_tells_its_names_its_version_and_who_may_come() {
    let (at, requests) =
        serve(Some(acceptor(&["kubernetes", "kubernetes.default.svc", "10.96.0.1"])), api_server).await;
    let probes = one(&machine(), at, &ask_of(6443, Speaks::Tls, &["/version", "/healthz"])).await;
    let told: Vec<_> = probes.iter().map(|p| (p.path.as_str(), p.status)).collect();
    assert_eq!(told, [("/version", Some(200)), ("/healthz", Some(401))]);
    assert!(probes[0].body.as_str().contains("\"gitVersion\": \"v1.31.2\""), "{:?}", probes[0].body);
    let names: Vec<_> = probes[0].names.iter().map(Untrusted::as_str).collect();
    assert_eq!(names, ["kubernetes", "kubernetes.default.svc", "10.96.0.1"]);
    let requests = requests.await.unwrap();
    assert!(requests.iter().all(|r| r.starts_with("GET ")), "nothing but reads");
    assert!(requests.iter().all(|r| !r.to_ascii_lowercase().contains("authorization")), "and no credentials");
}

#[tokio::test]
async fn where_the_certificate_alone_is_wanted_nothing_is_sent() {
    let (at, requests) = serve(Some(acceptor(&["talos-cp-1"])), api_server).await;
    let probes = one(&machine(), at, &ask_of(50000, Speaks::Tls, &[])).await;
    assert_eq!((probes.len(), probes[0].status, probes[0].names[0].as_str()), (1, None, "talos-cp-1"));
    assert!(requests.await.unwrap().iter().all(String::is_empty));
}

#[tokio::test]
async fn etcd_without_tls_is_asked_in_plain_text() {
    let (at, _) = serve(None, |_| "HTTP/1.0 200 OK\r\n\r\n{\"etcdserver\":\"3.5.13\"}".to_owned()).await;
    let probes = one(&machine(), at, &ask_of(2379, Speaks::Either, &["/version"])).await;
    assert_eq!((probes.len(), probes[0].status, probes[0].names.len()), (1, Some(200), 0));
}

#[tokio::test]
async fn a_port_that_is_closed_or_silent_or_speaks_something_else_tells_nothing_and_holds_nobody_up() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    assert_eq!(one(&machine(), closed, &ask_of(6443, Speaks::Tls, &["/version"])).await, []);
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let began = std::time::Instant::now();
    let probes = one(&machine(), silent.local_addr().unwrap(), &ask_of(10255, Speaks::Plain, &["/healthz"])).await;
    assert_eq!(probes, []);
    assert!(began.elapsed() < ANSWERS_WITHIN + CONNECTS_WITHIN + Duration::from_secs(1));
    let (ssh, _) = serve(None, |_| "SSH-2.0-OpenSSH_9.6\r\n".to_owned()).await;
    assert_eq!(one(&machine(), ssh, &ask_of(10255, Speaks::Plain, &["/healthz"])).await, []);
}

#[tokio::test]
async fn an_endless_answer_is_cut_and_a_machine_that_may_not_be_asked_is_counted() {
    let (at, _) = serve(None, |_| format!("HTTP/1.0 200 OK\r\n\r\n{}", "x".repeat(1 << 20))).await;
    let probes = one(&machine(), at, &ask_of(10255, Speaks::Plain, &["/healthz"])).await;
    assert!(probes[0].body.as_str().len() < 300);
    let elsewhere = ask(&[machine()], &["10.0.0.0/8".parse().unwrap()]).await;
    assert_eq!((elsewhere.probes.len(), elsewhere.left), (0, 1));
}
