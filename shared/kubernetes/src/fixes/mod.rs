//! What fixes read and change in a cluster, behind the pipeline's `Fixes`: one file a kind of object. What each wants is
//! in `picket-pipeline`'s `fixes`; here a thing is read whole, and written from one end to the other.
//!
//! Guarantees: what is so already is written, and so is taking away what is gone; an object of somebody else is never
//! deleted or replaced.

mod binding;
mod namespace;
mod network;
mod node;

use std::fmt::Debug;

use async_trait::async_trait;
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::Permit;
use picket_pipeline::ports::{Answer, Fixes, Kind, PortError, Sight};
use serde_json::Value;

use crate::error::Role;
use crate::reach::Reach;
use crate::server::ApiServer;

/// What the names of its actions begin with.
pub const PREFIX: &str = "kubernetes_";

/// The label of what Picket makes in a cluster.
const MADE_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "picket");

/// Reads and changes objects of clusters.
pub struct KubernetesFixes<'a> {
    clusters: &'a dyn Reach,
}

impl Debug for KubernetesFixes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KubernetesFixes").finish_non_exhaustive()
    }
}

impl<'a> KubernetesFixes<'a> {
    /// In the clusters that `clusters` reaches.
    #[must_use]
    pub fn new(clusters: &'a dyn Reach) -> Self {
        Self { clusters }
    }

    /// The server of the aim's cluster, and what follows the cluster's name in the target.
    async fn open<'t>(&self, scope: &Scope, aim: &'t Aim) -> Answer<(ApiServer, Vec<&'t str>)> {
        let mut parts = aim.target.split('/');
        let cluster = parts.next().unwrap_or_default();
        let rest: Vec<&str> = parts.collect();
        // Names become parts of paths: what is no name of Kubernetes goes nowhere.
        if cluster.is_empty() || rest.is_empty() || !rest.iter().all(|p| is_name(p)) {
            return Err(wrong(aim, "it is not a cluster's name and what is in it, with `/` between"));
        }
        Ok((self.clusters.server(scope, cluster).await?.as_role(Role::Fixer), rest))
    }
}

#[async_trait]
impl Fixes for KubernetesFixes<'_> {
    async fn read(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let (server, parts) = self.open(scope, aim).await?;
        match (aim.action.as_str(), parts.as_slice()) {
            ("kubernetes_cordon_node", [node]) => node::read(&server, node).await,
            ("kubernetes_drain_node", [node]) => node::read_with_pods(&server, node).await,
            ("kubernetes_deny_network", [space, kind, name]) => network::read(&server, space, kind, name).await,
            ("kubernetes_label_pod_security", [space]) => namespace::read_labels(&server, space).await,
            ("kubernetes_unmount_default_token", [space]) => namespace::read_account(&server, space).await,
            ("kubernetes_revoke_anonymous", parts) => binding::read(&server, parts).await,
            _ => Err(wrong(aim, "it is not of the form that this action takes; `picket fix --help` shows it")),
        }
    }

    async fn write(&self, permit: &Permit, scope: &Scope, aim: &Aim, from: &Value, to: &Value) -> Answer<()> {
        tracing::info!(%permit, action = aim.action, target = aim.target, "changing");
        let (server, parts) = self.open(scope, aim).await?;
        match (aim.action.as_str(), parts.as_slice()) {
            ("kubernetes_cordon_node", [node]) => node::write(permit, &server, node, to).await,
            ("kubernetes_drain_node", [node]) => node::drain(permit, &server, node, to).await,
            ("kubernetes_deny_network", [space, kind, name]) => {
                network::write(permit, &server, (space, kind, name), to).await
            }
            ("kubernetes_label_pod_security", [space]) => {
                namespace::write_labels(permit, &server, space, from, to).await
            }
            ("kubernetes_unmount_default_token", [space]) => namespace::write_account(permit, &server, space, to).await,
            ("kubernetes_revoke_anonymous", parts) => binding::write(permit, &server, parts, to).await,
            _ => Err(wrong(aim, "it is not of the form that this action takes; `picket fix --help` shows it")),
        }
    }
}

fn wrong(aim: &Aim, why: &str) -> PortError {
    PortError::new("reading the target", &aim.target, Kind::Other, why)
}

/// Names of objects: lower-case labels, and the `:` of roles that Kubernetes makes; kinds are written in capitals.
fn is_name(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.:_".contains(&b);
    !part.is_empty() && part.len() <= 253 && part.bytes().all(plain) && part != "." && part != ".."
}

fn word<'v>(of: &'v Value, pointer: &str) -> &'v str {
    of.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn items<'v>(of: &'v Value, pointer: &str) -> &'v [Value] {
    of.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The controller that would make a pod anew, if it has one.
fn owner(object: &Value) -> Option<&Value> {
    items(object, "/metadata/ownerReferences").iter().find(|o| o["controller"] == true)
}

#[cfg(test)]
mod tests;
