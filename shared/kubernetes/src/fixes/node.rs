//! A node: whether new pods may come to it, and the pods that a drain takes from it.

use picket_pipeline::Permit;
use picket_pipeline::ports::{Answer, Kind, PortError, Sight};
use serde_json::{Value, json};

use super::{owner, word};
use crate::error::Failure;
use crate::server::ApiServer;

pub(super) async fn read(server: &ApiServer, node: &str) -> Answer<Sight> {
    Ok(Sight { now: json!({"unschedulable": cordoned(server, node).await?}), facts: json!({}) })
}

/// As `read`, with the pods that a drain would evict, and those of them that nobody would make anew.
pub(super) async fn read_with_pods(server: &ApiServer, node: &str) -> Answer<Sight> {
    let (unschedulable, pods) = (cordoned(server, node).await?, pods(server, node).await?);
    let orphans: Vec<String> = pods.iter().filter(|p| owner(p).is_none()).map(called).collect();
    let pods: Vec<String> = pods.iter().map(called).collect();
    Ok(Sight { now: json!({"unschedulable": unschedulable, "pods": pods}), facts: json!({"orphans": orphans}) })
}

pub(super) async fn write(permit: &Permit, server: &ApiServer, node: &str, to: &Value) -> Answer<()> {
    let on = to.get("unschedulable").and_then(Value::as_bool).unwrap_or(false);
    // `null` takes the field away, which is what `kubectl uncordon` leaves.
    let field = if on { json!(true) } else { Value::Null };
    Ok(server.merge(permit, "cordoning a node", &path(node), &json!({"spec": {"unschedulable": field}})).await?)
}

/// Cordons, then evicts what is there; back is the cordon alone.
/// Flow: one eviction a pod; those that a budget forbids now are left, and the drain is asked for again.
pub(super) async fn drain(permit: &Permit, server: &ApiServer, node: &str, to: &Value) -> Answer<()> {
    write(permit, server, node, to).await?;
    if to.get("pods").and_then(Value::as_array).is_none_or(|p| !p.is_empty()) {
        return Ok(());
    }
    let mut kept_by_budget = Vec::new();
    for pod in pods(server, node).await? {
        match server.evict(permit, word(&pod, "/metadata/namespace"), word(&pod, "/metadata/name")).await {
            Err(error) if error.failure == Failure::Busy => kept_by_budget.push(called(&pod)),
            answer => answer?,
        }
    }
    match kept_by_budget.first() {
        None => Ok(()),
        Some(one) => {
            let why = format!("a disruption budget keeps {one} and {} more for now", kept_by_budget.len() - 1);
            Err(PortError::new("draining node", node, Kind::Conflict, &why))
        }
    }
}

fn path(node: &str) -> String {
    format!("/api/v1/nodes/{node}")
}

async fn cordoned(server: &ApiServer, node: &str) -> Answer<bool> {
    let found = server.get("reading a node", &path(node)).await?;
    Ok(found["spec"]["unschedulable"] == true)
}

/// The pods that a drain evicts: not those of DaemonSets, which ignore cordons, nor the node's own, nor ended ones.
async fn pods(server: &ApiServer, node: &str) -> Answer<Vec<Value>> {
    let at = format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{node}");
    Ok(server.list("listing the pods of a node", &at, |pod| is_evicted(&pod).then_some(pod)).await?)
}

fn is_evicted(pod: &Value) -> bool {
    let of_the_node = !pod["metadata"]["annotations"]["kubernetes.io/config.mirror"].is_null()
        || owner(pod).is_some_and(|o| o["kind"] == "Node");
    let of_a_daemon_set = owner(pod).is_some_and(|o| o["kind"] == "DaemonSet");
    let ended = ["Succeeded", "Failed"].contains(&word(pod, "/status/phase"));
    let going = !pod["metadata"]["deletionTimestamp"].is_null();
    !(of_the_node || of_a_daemon_set || ended || going)
}

fn called(pod: &Value) -> String {
    format!("{}/{}", word(pod, "/metadata/namespace"), word(pod, "/metadata/name"))
}
