//! Holding a node that Kubernetes controllers would drain and replace: nothing new is scheduled there, and Karpenter is
//! asked not to disrupt it.
//!
//! Flow: the node of an instance is the one whose provider id names it. What was so before is written on the node itself,
//! once, in the same patch; letting go reads it there.
//! Guarantees: holding twice is holding once; letting go puts back what was there and nothing else.
//! Caveats: who may change nodes may change that note too; then the node is let go as the note says.
//! Source: karpenter.sh, "Disruption", "Node-Level Controls".

use async_trait::async_trait;
use picket_model::{InstanceId, Scope, Untrusted};
use picket_pipeline::Permit;
use picket_pipeline::ports::{Answer, Kind, Nodes, PortError};
use serde_json::{Value, json};

use crate::error::Role;
use crate::reach::Reach;
use crate::server::ApiServer;

/// Where a node says what was there before it was held.
const BEFORE: &str = "picket/before";
const DO_NOT_DISRUPT: &str = "karpenter.sh/do-not-disrupt";

/// The nodes of the clusters that can be reached.
pub struct ClusterNodes<'a> {
    clusters: &'a dyn Reach,
}

impl<'a> ClusterNodes<'a> {
    /// In the clusters that `clusters` reaches.
    #[must_use]
    pub fn new(clusters: &'a dyn Reach) -> Self {
        Self { clusters }
    }

    /// The API server of the cluster, and the instance's node there.
    async fn find(
        &self,
        scope: &Scope,
        cluster: &Untrusted,
        instance: &InstanceId,
    ) -> Answer<(ApiServer, Option<Value>)> {
        let server = self.clusters.server(scope, cluster.as_str()).await?.as_role(Role::Holder);
        let ending = format!("/{instance}");
        let ours = |node: Value| node["spec"]["providerID"].as_str()?.ends_with(&ending).then(|| reduced(&node));
        let mut found = server.list("listing the nodes", "/api/v1/nodes", ours).await?;
        Ok((server, found.pop()))
    }
}

#[async_trait]
impl Nodes for ClusterNodes<'_> {
    async fn hold_node(
        &self,
        permit: &Permit,
        scope: &Scope,
        cluster: &Untrusted,
        instance: &InstanceId,
    ) -> Answer<()> {
        let (server, node) = self.find(scope, cluster, instance).await?;
        let missing =
            || PortError::new("holding the node of", instance, Kind::NotFound, "the cluster has no such node");
        let node = node.ok_or_else(missing)?;
        Ok(server.merge(permit, "holding a node", &path(&node), &held(&node)).await?)
    }

    async fn let_node_go(
        &self,
        permit: &Permit,
        scope: &Scope,
        cluster: &Untrusted,
        instance: &InstanceId,
    ) -> Answer<()> {
        let (server, node) = self.find(scope, cluster, instance).await?;
        match node.as_ref().and_then(|n| Some((n, let_go(n)?))) {
            Some((node, patch)) => Ok(server.merge(permit, "letting a node go", &path(node), &patch).await?),
            // It is gone, or was never held.
            None => Ok(()),
        }
    }
}

fn path(node: &Value) -> String {
    format!("/api/v1/nodes/{}", node["name"].as_str().unwrap_or_default())
}

/// What is needed of a node, so that a big cluster does not fill memory.
fn reduced(node: &Value) -> Value {
    let annotation = |name: &str| node["metadata"]["annotations"][name].clone();
    json!({
        "name": node["metadata"]["name"],
        "unschedulable": node["spec"]["unschedulable"] == true,
        "disrupt": annotation(DO_NOT_DISRUPT),
        "before": annotation(BEFORE),
    })
}

/// The patch that holds a node. Its note is written the first time only.
fn held(node: &Value) -> Value {
    let mut annotations = json!({DO_NOT_DISRUPT: "true"});
    if node["before"].is_null() {
        let before = json!({"unschedulable": node["unschedulable"], "disrupt": node["disrupt"]});
        annotations[BEFORE] = json!(before.to_string());
    }
    json!({"metadata": {"annotations": annotations}, "spec": {"unschedulable": true}})
}

/// The patch that lets a node go, if it was held. A note that cannot be read counts as one of a node that was free.
fn let_go(node: &Value) -> Option<Value> {
    let before: Value = serde_json::from_str(node["before"].as_str()?).unwrap_or_default();
    let unschedulable = if before["unschedulable"] == true { json!(true) } else { Value::Null };
    let disrupt = before["disrupt"].as_str();
    Some(json!({
        "metadata": {"annotations": {DO_NOT_DISRUPT: disrupt, BEFORE: null}},
        "spec": {"unschedulable": unschedulable},
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(unschedulable: bool, annotations: &Value) -> Value {
        reduced(
            &json!({"metadata": {"name": "n", "annotations": annotations}, "spec": {"unschedulable": unschedulable}}),
        )
    }

    #[test]
    fn a_node_is_let_go_as_it_was() {
        for (cordoned, disrupt) in [(false, None), (true, None), (false, Some("false"))] {
            let annotations = disrupt.map_or_else(|| json!({}), |d| json!({DO_NOT_DISRUPT: d}));
            let note = held(&node(cordoned, &annotations))["metadata"]["annotations"][BEFORE].clone();
            let now = node(true, &json!({DO_NOT_DISRUPT: "true", BEFORE: note}));
            let back = let_go(&now).unwrap_or_default();
            assert_eq!(back["spec"]["unschedulable"] == true, cordoned);
            assert_eq!(back["metadata"]["annotations"][DO_NOT_DISRUPT].as_str(), disrupt);
            assert!(back["metadata"]["annotations"][BEFORE].is_null());
        }
    }

    #[test]
    fn the_note_of_a_node_that_is_held_already_is_not_written_over() {
        let first = held(&node(false, &json!({})));
        let now = node(true, &first["metadata"]["annotations"]);
        assert!(held(&now)["metadata"]["annotations"].get(BEFORE).is_none());
    }

    #[test]
    fn a_node_that_was_never_held_is_not_touched() {
        assert_eq!(let_go(&node(true, &json!({}))), None);
    }
}
