//! Reading a whole cluster over HTTP: pages, a list that is denied, APIs that are not there, a server that is not there.
#![allow(clippy::unwrap_used, reason = "a test file: what cannot be read fails the test that wanted it")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use picket_kubernetes::{ApiServer, EksAccess};
use picket_model::{Document, Fact};
use serde_json::{Value, json};

use super::documents::KINDS;
use super::documents::tests::context;
use super::read;

/// A cluster's objects by path; every other path has none.
fn objects(path: &str) -> Vec<Value> {
    let named = |name: &str, space: &str| json!({"metadata": {"name": name, "namespace": space, "managedFields": [1]}});
    match path {
        "/api/v1/namespaces" => vec![json!({"metadata": {"name": "default"}}), json!({"metadata": {"name": "shop"}})],
        "/api/v1/pods" => (0..5).map(|n| named(&format!("pod-{n}"), "shop")).collect(),
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions" => {
            vec![named("externalsecrets.external-secrets.io", "")]
        }
        _ => Vec::new(),
    }
}

/// Answers as an API server does: two objects a page, 403 for roles, 404 for Cilium, 401 without the token.
fn answer(path: &str, authorised: bool) -> (u16, Value) {
    let status = |code: u16, reason: &str| {
        (
            code,
            json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": "no", "metadata": {}}),
        )
    };
    let (bare, query) = path.split_once('?').unwrap_or((path, ""));
    if !authorised {
        return status(401, "Unauthorized");
    }
    match bare {
        "/version" => return (200, json!({"gitVersion": "v1.34.1-eks-113cf36"})),
        "/apis/rbac.authorization.k8s.io/v1/roles" => return status(403, "Forbidden"),
        p if p.contains("cilium.io") => return status(404, "NotFound"),
        _ => {}
    }
    let from: usize = query.split_once("continue=").and_then(|(_, t)| t.parse().ok()).unwrap_or(0);
    let all = objects(bare);
    let next = if from + 2 < all.len() { (from + 2).to_string() } else { String::new() };
    let items: Vec<_> = all.into_iter().skip(from).take(2).collect();
    (200, json!({"kind": "List", "metadata": {"continue": next}, "items": items}))
}

fn serve(stream: &TcpStream) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(first)) = lines.next() {
        let mut authorised = false;
        while let Some(Ok(line)) = lines.next() {
            if line.is_empty() {
                break;
            }
            authorised |= line.eq_ignore_ascii_case("authorization: Bearer good");
        }
        let (code, body) = answer(first.split(' ').nth(1).unwrap_or(""), authorised);
        let body = body.to_string();
        let head =
            format!("HTTP/1.1 {code} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if (&*stream).write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

async fn documents(token: &str) -> Vec<Document> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(&stream));
        }
    });
    let access = EksAccess { name: "prod".to_owned(), endpoint, authority: String::new(), token: token.to_owned() };
    read::cluster(&ApiServer::eks(&access).await.unwrap(), context()).await
}

fn why(documents: &[Document], kind: &str) -> Option<String> {
    documents.iter().filter(|d| d.kind == kind).find_map(|d| match &d.facts {
        Fact::Unknown { reason } => Some(reason.clone()),
        Fact::Known { .. } => None,
    })
}

#[tokio::test]
async fn a_cluster_is_read_page_by_page_and_a_denied_list_is_said_and_costs_the_others_nothing() {
    let documents = documents("good").await;
    let count = |kind: &str| documents.iter().filter(|d| d.kind == kind && d.facts.value().is_some()).count();
    assert_eq!(count("kubernetes.workload"), 5, "three pages of pods");
    assert_eq!(count("kubernetes.service"), 0);
    let why = why(&documents, "kubernetes.subject").unwrap();
    assert!(why.contains("listing roles of cluster prod: 403"), "{why}");
    assert!(why.contains("infra/kubernetes/reader.yaml"), "{why}");
}

#[tokio::test]
async fn a_token_that_the_cluster_does_not_know_makes_everything_unknown_with_what_to_do() {
    let documents = documents("bad").await;
    assert_eq!(documents.len(), KINDS.len());
    assert!(KINDS.iter().all(|k| why(&documents, k).is_some_and(|w| w.contains("access entry"))));
}

#[tokio::test]
async fn a_cluster_that_nobody_serves_is_unknown_because_its_endpoint_may_be_private() {
    let access = EksAccess {
        name: "prod".to_owned(),
        endpoint: "http://127.0.0.1:9".to_owned(),
        authority: String::new(),
        token: "x".to_owned(),
    };
    let documents = read::cluster(&ApiServer::eks(&access).await.unwrap(), context()).await;
    assert!(why(&documents, "kubernetes.workload").unwrap().contains("may be private"));
}
