//! A network policy of our own that denies all traffic of a workload's pods, or of one pod.
//!
//! Flow: a workload's pods are told from others by its own selector. A single pod gets a label of ours, since its others
//! are shared with its siblings.
//! Guarantees: only policies with our label are ever deleted; those of others are read and never changed.
//! Assumptions: the cluster's network plugin enforces policies; rule `kubernetes-network-plugin` tells where it does not.

use picket_pipeline::Permit;
use picket_pipeline::ports::{Answer, Kind, PortError, Sight};
use serde_json::{Map, Value, json};

use super::{MADE_BY, items, word};
use crate::error::{ApiError, Failure};
use crate::server::ApiServer;

/// The label that a single pod gets.
const DENIED: &str = "picket/denied";

/// A pod or a workload: namespace, kind, name.
type Target<'t> = (&'t str, &'t str, &'t str);

pub(super) async fn read(server: &ApiServer, space: &str, kind: &str, name: &str) -> Answer<Sight> {
    let target = (space, kind, name);
    let object = server.get("reading a workload", &path(target)?).await?;
    let policies = server.list("listing network policies", &policies(space), Some).await?;
    let ours = policy_name(kind, name);
    let (mine, others): (Vec<&Value>, Vec<&Value>) = policies.iter().partition(|p| is_ours(p));
    let there = mine.iter().any(|p| word(p, "/metadata/name") == ours);
    let labels = labels_of(kind, &object);
    let allowing: Vec<&str> = others.iter().filter(|p| allows(p, labels)).map(|p| word(p, "/metadata/name")).collect();
    let now = if there { json!({"policy": ours}) } else { json!({"policy": null}) };
    let selectable = !selector(kind, &object).is_null();
    Ok(Sight { now, facts: json!({"name": ours, "selectable": selectable, "allowing": allowing}) })
}

pub(super) async fn write(permit: &Permit, server: &ApiServer, target: Target<'_>, to: &Value) -> Answer<()> {
    let (space, kind, name) = target;
    if to.get("policy").is_some_and(Value::is_string) {
        let object = server.get("reading a workload", &path(target)?).await?;
        let selector = selector(kind, &object);
        mark(permit, server, target, json!(policy_name(kind, name))).await?;
        let policy = policy(space, &policy_name(kind, name), &selector);
        return Ok(server.create(permit, "making a network policy", &policies(space), &policy).await?);
    }
    let at = format!("{}/{}", policies(space), policy_name(kind, name));
    match server.get("reading a network policy", &at).await {
        Ok(found) if is_ours(&found) => server.delete(permit, "deleting a network policy", &at).await?,
        Ok(_) => {
            let why = "it has the name of ours and not our label: somebody else's, and left alone";
            return Err(PortError::new("deleting network policy", at, Kind::Other, why));
        }
        Err(ApiError { failure: Failure::NotFound, .. }) => {}
        Err(error) => return Err(error.into()),
    }
    match mark(permit, server, target, Value::Null).await {
        // The pod is gone, and its label with it.
        Err(error) if error.kind == Kind::NotFound => Ok(()),
        answer => answer,
    }
}

/// Sets or takes the label of a single pod; workloads have selectors of their own.
async fn mark(permit: &Permit, server: &ApiServer, target: Target<'_>, value: Value) -> Answer<()> {
    if target.1 != "Pod" {
        return Ok(());
    }
    let value = if value.is_null() { value } else { json!("true") };
    let patch = json!({"metadata": {"labels": {DENIED: value}}});
    Ok(server.merge(permit, "labelling a pod", &path(target)?, &patch).await?)
}

fn policies(space: &str) -> String {
    format!("/apis/networking.k8s.io/v1/namespaces/{space}/networkpolicies")
}

fn path((space, kind, name): Target<'_>) -> Answer<String> {
    let (api, plural) = match kind {
        "Pod" => ("/api/v1", "pods"),
        "DaemonSet" => ("/apis/apps/v1", "daemonsets"),
        "Deployment" => ("/apis/apps/v1", "deployments"),
        "ReplicaSet" => ("/apis/apps/v1", "replicasets"),
        "StatefulSet" => ("/apis/apps/v1", "statefulsets"),
        "Job" => ("/apis/batch/v1", "jobs"),
        _ => {
            let why = "its kind is Pod, DaemonSet, Deployment, Job, ReplicaSet or StatefulSet";
            return Err(PortError::new("reading the target", name, Kind::Other, why));
        }
    };
    Ok(format!("{api}/namespaces/{space}/{plural}/{name}"))
}

/// Names take 253 characters; what is longer keeps its end, which tells siblings apart.
fn policy_name(kind: &str, name: &str) -> String {
    let whole = format!("picket-deny-{}-{name}", kind.to_lowercase());
    let from = whole.len().saturating_sub(253);
    whole.get(from..).unwrap_or(&whole).trim_start_matches(['-', '.']).to_owned()
}

fn selector(kind: &str, object: &Value) -> Value {
    match kind {
        "Pod" => json!({"matchLabels": {DENIED: "true"}}),
        _ => object
            .pointer("/spec/selector")
            .filter(|s| s.as_object().is_some_and(|s| !s.is_empty()))
            .cloned()
            .unwrap_or_default(),
    }
}

fn policy(space: &str, name: &str, selector: &Value) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": space, "labels": {MADE_BY.0: MADE_BY.1}},
        "spec": {"podSelector": selector, "policyTypes": ["Ingress", "Egress"]},
    })
}

fn is_ours(policy: &Value) -> bool {
    policy["metadata"]["labels"][MADE_BY.0] == MADE_BY.1
}

/// The labels of its pods.
fn labels_of<'o>(kind: &str, object: &'o Value) -> Option<&'o Map<String, Value>> {
    let at = if kind == "Pod" { "/metadata/labels" } else { "/spec/template/metadata/labels" };
    object.pointer(at).and_then(Value::as_object)
}

/// Whether a policy selects pods of these labels and lets anything through.
fn allows(policy: &Value, labels: Option<&Map<String, Value>>) -> bool {
    let lets = !items(policy, "/spec/ingress").is_empty() || !items(policy, "/spec/egress").is_empty();
    lets && selects(&policy["spec"]["podSelector"], labels)
}

/// Kubernetes, "Labels and Selectors": all of `matchLabels` and all of `matchExpressions`; an empty one selects everything.
fn selects(selector: &Value, labels: Option<&Map<String, Value>>) -> bool {
    let label = |key: &str| labels.and_then(|l| l.get(key)).and_then(Value::as_str);
    let equal = selector["matchLabels"].as_object().into_iter().flatten().all(|(k, v)| label(k) == v.as_str());
    equal && items(selector, "/matchExpressions").iter().all(|e| holds(e, label(word(e, "/key"))))
}

fn holds(expression: &Value, label: Option<&str>) -> bool {
    let listed = || items(expression, "/values").iter().any(|v| v.as_str() == label);
    match word(expression, "/operator") {
        "In" => label.is_some() && listed(),
        "NotIn" => label.is_none() || !listed(),
        "Exists" => label.is_some(),
        "DoesNotExist" => label.is_none(),
        // One that we do not know may select it.
        _ => true,
    }
}
