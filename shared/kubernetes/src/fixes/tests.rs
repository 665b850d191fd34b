//! Each fix against a server that keeps objects and merges patches as Kubernetes does: there, again, and back.
#![allow(clippy::unwrap_used, reason = "a test file: what cannot be read fails the test that wanted it")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use kube::config::Config;
use picket_model::fix::Aim;
use picket_model::{AccountId, InstanceId, Region, Scope, Untrusted};
use picket_pipeline::permit;
use picket_pipeline::ports::{Answer, Fixes as _, Kind, Sight};
use serde_json::{Value, json};

use super::KubernetesFixes;
use crate::fake::{Asked, Fake};
use crate::reach::Reach;
use crate::server::ApiServer;

/// A cluster on loopback: objects by path.
struct Cluster {
    fake: Fake,
    objects: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl Cluster {
    fn of(objects: &[(&str, Value)]) -> Self {
        let objects = objects.iter().map(|(path, object)| ((*path).to_owned(), object.clone())).collect();
        let objects: Arc<Mutex<BTreeMap<String, Value>>> = Arc::new(Mutex::new(objects));
        let kept = objects.clone();
        let fake = Fake::new(move |asked| serve(&mut kept.lock().unwrap(), asked));
        Self { fake, objects }
    }

    fn object(&self, path: &str) -> Option<Value> {
        self.objects.lock().unwrap().get(path).cloned()
    }

    fn changes(&self) -> usize {
        self.fake.asked.lock().unwrap().iter().filter(|a| a.method != "GET").count()
    }
}

#[async_trait]
impl Reach for Cluster {
    async fn server(&self, _: &Scope, cluster: &str) -> Answer<ApiServer> {
        let mut config = Config::new(self.fake.url.parse().unwrap());
        config.default_retry = false;
        Ok(ApiServer::of(cluster, config).unwrap())
    }
}

fn status(code: u16, reason: &str) -> (u16, String) {
    let body = json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": reason, "metadata": {}});
    (code, body.to_string())
}

fn serve(objects: &mut BTreeMap<String, Value>, asked: &Asked) -> (u16, String) {
    let path = asked.path.split('?').next().unwrap().to_owned();
    let body = || serde_json::from_str::<Value>(&asked.body).unwrap();
    match asked.method.as_str() {
        "GET" => get(objects, &path, &asked.path),
        "PATCH" => match objects.get_mut(&path) {
            Some(object) => {
                merge(object, &body());
                (200, object.to_string())
            }
            None => status(404, "NotFound"),
        },
        "POST" if path.ends_with("/eviction") => evict(objects, path.trim_end_matches("/eviction")),
        "POST" => {
            let object = body();
            let at = format!("{path}/{}", object["metadata"]["name"].as_str().unwrap());
            if objects.contains_key(&at) {
                return status(409, "AlreadyExists");
            }
            objects.insert(at, object.clone());
            (201, object.to_string())
        }
        "DELETE" => match objects.remove(&path) {
            Some(object) => (200, object.to_string()),
            None => status(404, "NotFound"),
        },
        _ => status(405, "MethodNotAllowed"),
    }
}

fn get(objects: &BTreeMap<String, Value>, path: &str, asked: &str) -> (u16, String) {
    if let Some(object) = objects.get(path) {
        return (200, object.to_string());
    }
    let plural = path.rsplit('/').next().unwrap();
    let of_plural = |at: &&String| at.rsplit('/').nth(1) == Some(plural);
    let within = |at: &&String| path.starts_with("/api/v1/pods") || at.starts_with(path);
    let node = asked.split("nodeName%3D").nth(1).and_then(|n| n.split('&').next());
    let on = |pod: &&Value| node.is_none_or(|n| pod["spec"]["nodeName"] == n);
    let found: Vec<&Value> =
        objects.iter().filter(|(at, _)| of_plural(at) && within(at)).map(|(_, o)| o).filter(on).collect();
    if found.is_empty() && !path.ends_with('s') {
        return status(404, "NotFound");
    }
    if found.is_empty()
        && ["nodes", "namespaces"]
            .iter()
            .any(|c| path.contains(&format!("/{c}/")) && plural != "pods" && plural != "networkpolicies")
    {
        return status(404, "NotFound");
    }
    (200, json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": found}).to_string())
}

fn evict(objects: &mut BTreeMap<String, Value>, pod: &str) -> (u16, String) {
    if objects.get(pod).is_some_and(|p| p["metadata"]["labels"]["budget"] == "none") {
        return status(429, "TooManyRequests");
    }
    objects.remove(pod);
    (201, json!({"kind": "Status", "status": "Success", "metadata": {}}).to_string())
}

/// RFC 7386.
fn merge(into: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    let object = into.as_object_mut().unwrap();
    for (name, value) in fields {
        if value.is_null() {
            object.remove(name);
        } else {
            merge(object.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

fn scope() -> Scope {
    Scope { account: AccountId::parse("123456789012").unwrap(), region: Region::parse("us-east-1").unwrap() }
}

fn aim(action: &str, target: &str) -> Aim {
    Aim { action: action.to_owned(), target: target.to_owned(), with: serde_json::Map::new() }
}

/// Reads, writes `to` twice, and back; answers what was there at first.
async fn there_and_back(cluster: &Cluster, action: &str, target: &str, to: Value) -> Sight {
    let (fixes, aim) = (KubernetesFixes::new(cluster), aim(action, target));
    let before = fixes.read(&scope(), &aim).await.unwrap();
    let permit = permit::for_release(&Untrusted::new("a test"), &InstanceId::parse("i-0abc1234def567890").unwrap());
    for _ in 0..2 {
        fixes.write(&permit, &scope(), &aim, &before.now, &to).await.unwrap();
        assert_eq!(fixes.read(&scope(), &aim).await.unwrap().now, to);
    }
    fixes.write(&permit, &scope(), &aim, &to, &before.now).await.unwrap();
    before
}

fn pod(name: &str, owner: Option<&str>) -> Value {
    let owners = owner.map_or_else(|| json!([]), |kind| json!([{"kind": kind, "name": "o", "controller": true}]));
    json!({"metadata": {"name": name, "namespace": "web", "labels": {"app": "shop"}, "ownerReferences": owners},
        "spec": {"nodeName": "n", "containers": [{"name": "c"}]}, "status": {"phase": "Running"}})
}

#[tokio::test]
async fn a_node_is_cordoned_and_back() {
    let cluster = Cluster::of(&[("/api/v1/nodes/n", json!({"metadata": {"name": "n"}, "spec": {"taints": []}}))]);
    let before = there_and_back(&cluster, "kubernetes_cordon_node", "prod/n", json!({"unschedulable": true})).await;
    assert_eq!(before.now, json!({"unschedulable": false}));
    assert_eq!(cluster.object("/api/v1/nodes/n").unwrap()["spec"], json!({"taints": []}));
}

#[tokio::test]
async fn a_node_is_drained_of_what_its_owners_make_again_and_of_nothing_else() {
    let mirror = json!({"metadata": {"name": "etcd", "namespace": "web", "annotations": {"kubernetes.io/config.mirror": "x"}},
        "spec": {"nodeName": "n", "containers": [{"name": "c"}]}});
    let cluster = Cluster::of(&[
        ("/api/v1/nodes/n", json!({"metadata": {"name": "n"}, "spec": {}})),
        ("/api/v1/namespaces/web/pods/shop", pod("shop", Some("ReplicaSet"))),
        ("/api/v1/namespaces/web/pods/agent", pod("agent", Some("DaemonSet"))),
        ("/api/v1/namespaces/web/pods/etcd", mirror),
    ]);
    let drained = json!({"unschedulable": true, "pods": []});
    let before = there_and_back(&cluster, "kubernetes_drain_node", "prod/n", drained).await;
    assert_eq!(before.now, json!({"unschedulable": false, "pods": ["web/shop"]}));
    assert_eq!(before.facts, json!({"orphans": []}));
    assert!(cluster.object("/api/v1/namespaces/web/pods/shop").is_none());
    assert!(cluster.object("/api/v1/namespaces/web/pods/agent").is_some());
    assert!(cluster.object("/api/v1/namespaces/web/pods/etcd").is_some());
    assert_eq!(cluster.object("/api/v1/nodes/n").unwrap()["spec"], json!({}));
}

#[tokio::test]
async fn a_pod_that_its_budget_keeps_is_tried_again_later_and_the_cordon_stays() {
    let mut kept = pod("db", Some("StatefulSet"));
    kept["metadata"]["labels"]["budget"] = json!("none");
    let node = ("/api/v1/nodes/n", json!({"metadata": {"name": "n"}, "spec": {}}));
    let cluster = Cluster::of(&[node, ("/api/v1/namespaces/web/pods/db", kept)]);
    let (fixes, aim) = (KubernetesFixes::new(&cluster), aim("kubernetes_drain_node", "prod/n"));
    let from = fixes.read(&scope(), &aim).await.unwrap().now;
    let permit = permit::for_release(&Untrusted::new("a test"), &InstanceId::parse("i-0abc1234def567890").unwrap());
    let to = json!({"unschedulable": true, "pods": []});
    let error = fixes.write(&permit, &scope(), &aim, &from, &to).await.unwrap_err();
    assert_eq!(error.kind, Kind::Conflict);
    assert!(error.to_string().contains("web/db"), "{error}");
    assert_eq!(cluster.object("/api/v1/nodes/n").unwrap()["spec"]["unschedulable"], true);
}

#[tokio::test]
async fn a_pod_without_an_owner_is_told() {
    let node = ("/api/v1/nodes/n", json!({"metadata": {"name": "n"}, "spec": {}}));
    let cluster = Cluster::of(&[node, ("/api/v1/namespaces/web/pods/one", pod("one", None))]);
    let sight = KubernetesFixes::new(&cluster).read(&scope(), &aim("kubernetes_drain_node", "prod/n")).await.unwrap();
    assert_eq!(sight.facts, json!({"orphans": ["web/one"]}));
}

const SHOP: &str = "/apis/apps/v1/namespaces/web/deployments/shop";
const POLICIES: &str = "/apis/networking.k8s.io/v1/namespaces/web/networkpolicies";

fn shop() -> Value {
    json!({"metadata": {"name": "shop"}, "spec": {"selector": {"matchLabels": {"app": "shop"}},
        "template": {"metadata": {"labels": {"app": "shop", "tier": "front"}}}}})
}

fn others_policy(selector: &Value, ingress: &Value) -> Value {
    json!({"metadata": {"name": "theirs", "namespace": "web"}, "spec": {"podSelector": selector, "ingress": ingress}})
}

#[tokio::test]
async fn a_workload_is_denied_by_a_policy_of_ours_and_those_of_others_stay() {
    let theirs = others_policy(&json!({"matchLabels": {"app": "other"}}), &json!([{}]));
    let cluster = Cluster::of(&[(SHOP, shop()), (&format!("{POLICIES}/theirs"), theirs.clone())]);
    let to = json!({"policy": "picket-deny-deployment-shop"});
    let before = there_and_back(&cluster, "kubernetes_deny_network", "prod/web/Deployment/shop", to).await;
    assert_eq!(before.now, json!({"policy": null}));
    assert_eq!(before.facts, json!({"name": "picket-deny-deployment-shop", "selectable": true, "allowing": []}));
    assert_eq!(cluster.object(&format!("{POLICIES}/theirs")), Some(theirs));
    assert_eq!(cluster.object(&format!("{POLICIES}/picket-deny-deployment-shop")), None);
}

#[tokio::test]
async fn a_policy_of_others_that_would_go_on_allowing_is_told() {
    let selectors = [
        (json!({}), true),
        (json!({"matchLabels": {"tier": "front"}}), true),
        (json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["shop", "x"]}]}), true),
        (json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["shop"]}]}), false),
        (json!({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}), false),
    ];
    for (selector, allowing) in selectors {
        let theirs = others_policy(&selector, &json!([{"from": []}]));
        let cluster = Cluster::of(&[(SHOP, shop()), (&format!("{POLICIES}/theirs"), theirs)]);
        let aim = aim("kubernetes_deny_network", "prod/web/Deployment/shop");
        let facts = KubernetesFixes::new(&cluster).read(&scope(), &aim).await.unwrap().facts;
        assert_eq!(facts["allowing"] == json!(["theirs"]), allowing, "{selector}");
    }
}

#[tokio::test]
async fn one_pod_is_told_from_its_siblings_by_a_label_that_goes_again() {
    let at = "/api/v1/namespaces/web/pods/shop";
    let cluster = Cluster::of(&[(at, pod("shop", Some("ReplicaSet")))]);
    let to = json!({"policy": "picket-deny-pod-shop"});
    there_and_back(&cluster, "kubernetes_deny_network", "prod/web/Pod/shop", to).await;
    assert_eq!(cluster.object(at).unwrap()["metadata"]["labels"], json!({"app": "shop"}));
}

#[tokio::test]
async fn a_policy_with_our_name_that_is_not_ours_is_left_alone() {
    let mut theirs = others_policy(&json!({}), &json!([]));
    theirs["metadata"]["name"] = json!("picket-deny-deployment-shop");
    let at = format!("{POLICIES}/picket-deny-deployment-shop");
    let cluster = Cluster::of(&[(SHOP, shop()), (&at, theirs.clone())]);
    let (fixes, aim) = (KubernetesFixes::new(&cluster), aim("kubernetes_deny_network", "prod/web/Deployment/shop"));
    let permit = permit::for_release(&Untrusted::new("a test"), &InstanceId::parse("i-0abc1234def567890").unwrap());
    let (from, to) = (json!({"policy": "picket-deny-deployment-shop"}), json!({"policy": null}));
    assert!(fixes.write(&permit, &scope(), &aim, &from, &to).await.is_err());
    assert_eq!(cluster.object(&at), Some(theirs));
}

#[tokio::test]
async fn a_namespace_is_labelled_and_labels_of_others_stay() {
    let labels = json!({"team": "web", "pod-security.kubernetes.io/audit": "restricted"});
    let at = "/api/v1/namespaces/web";
    let cluster = Cluster::of(&[(at, json!({"metadata": {"name": "web", "labels": labels}}))]);
    let to = json!({"audit": "restricted", "warn": "baseline"});
    let before = there_and_back(&cluster, "kubernetes_label_pod_security", "prod/web", to).await;
    assert_eq!(before.now, json!({"audit": "restricted"}));
    assert_eq!(cluster.object(at).unwrap()["metadata"]["labels"], labels);
}

#[tokio::test]
async fn the_default_account_keeps_its_token_to_itself_and_back() {
    let at = "/api/v1/namespaces/web/serviceaccounts/default";
    let mut own = pod("own", None);
    own["spec"]["serviceAccountName"] = json!("own");
    let cluster = Cluster::of(&[
        (at, json!({"metadata": {"name": "default"}})),
        ("/api/v1/namespaces/web/pods/own", own),
        ("/api/v1/namespaces/web/pods/shop", pod("shop", None)),
    ]);
    let before =
        there_and_back(&cluster, "kubernetes_unmount_default_token", "prod/web", json!({"automount": false})).await;
    assert_eq!((before.now, before.facts), (json!({"automount": null}), json!({"pods": ["shop"]})));
    assert_eq!(cluster.object(at).unwrap(), json!({"metadata": {"name": "default"}}));
}

#[tokio::test]
async fn anonymous_callers_go_from_a_binding_and_the_whole_binding_comes_back() {
    let at = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/open";
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"});
    let (nobody, dev) = (json!({"kind": "User", "name": "system:anonymous"}), json!({"kind": "User", "name": "dev"}));
    let binding =
        json!({"metadata": {"name": "open", "labels": {"a": "b"}}, "roleRef": role, "subjects": [nobody, dev]});
    let mut live = binding.clone();
    live["metadata"]["resourceVersion"] = json!("7");
    for left in [json!([dev]), json!([])] {
        let cluster = Cluster::of(&[(at, live.clone())]);
        let mut to = json!({"binding": binding});
        to["binding"]["subjects"] = left.clone();
        if left == json!([]) {
            to["binding"] = Value::Null;
        }
        let before = there_and_back(&cluster, "kubernetes_revoke_anonymous", "prod/ClusterRoleBinding/open", to).await;
        assert_eq!(before.now, json!({"binding": binding}));
        let back = cluster.object(at).unwrap();
        assert_eq!((&back["subjects"], &back["roleRef"]), (&json!([nobody, dev]), &role));
    }
}

#[tokio::test]
async fn a_target_that_is_no_name_reaches_nothing() {
    let cluster = Cluster::of(&[]);
    for target in ["prod", "prod/../secrets", "prod/a b", "prod/n?x=y", "/n", "prod/n/m"] {
        let read = KubernetesFixes::new(&cluster).read(&scope(), &aim("kubernetes_cordon_node", target)).await;
        assert!(read.is_err(), "{target}");
    }
    assert_eq!((cluster.fake.paths().len(), cluster.changes()), (0, 0));
}
