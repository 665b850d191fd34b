//! Node groups and tags of EKS.

use std::collections::BTreeMap;

use aws_sdk_eks::types::{Nodegroup, NodegroupScalingConfig, NodegroupStatus};
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::ports::{Answer, Kind, PortError, Sight};
use serde_json::{Value, json};

use super::{AwsFixes, failed, missing, number, parts, seen};

impl AwsFixes<'_> {
    pub(super) async fn read_group(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        if aim.action != "eks_freeze_node_group" {
            let tags = self.tags_of(scope, &self.arn_of(scope, aim).await?).await?;
            return seen(json!({ "tags": tags }));
        }
        let found = self.node_group(scope, aim).await?;
        if matches!(found.status(), Some(NodegroupStatus::Updating | NodegroupStatus::Creating)) {
            return Err(PortError::new("reading node group", &aim.target, Kind::Conflict, "it is being changed"));
        }
        let sizes = found.scaling_config().ok_or_else(|| missing("reading the sizes of", &aim.target))?;
        seen(json!({"min": sizes.min_size(), "max": sizes.max_size(), "desired": sizes.desired_size()}))
    }

    pub(super) async fn write_group(&self, scope: &Scope, aim: &Aim, from: &Value, to: &Value) -> Answer<()> {
        if aim.action == "eks_freeze_node_group" {
            return self.resize(scope, aim, to).await;
        }
        let tags = |of: &Value| -> BTreeMap<String, String> {
            of.get("tags").and_then(|t| serde_json::from_value(t.clone()).ok()).unwrap_or_default()
        };
        let (old, new) = (tags(from), tags(to));
        let arn = self.arn_of(scope, aim).await?;
        let client = self.clients.eks(&scope.region);
        let came: std::collections::HashMap<_, _> =
            new.iter().filter(|(k, v)| old.get(*k) != Some(v)).map(|(k, v)| (k.clone(), v.clone())).collect();
        if !came.is_empty() {
            let sent = client.tag_resource().resource_arn(&arn).set_tags(Some(came)).send().await;
            sent.map_err(|e| failed("tagging", &aim.target, &e))?;
        }
        let gone: Vec<_> = old.keys().filter(|k| !new.contains_key(*k)).cloned().collect();
        if !gone.is_empty() {
            let sent = client.untag_resource().resource_arn(&arn).set_tag_keys(Some(gone)).send().await;
            sent.map_err(|e| failed("untagging", &aim.target, &e))?;
        }
        Ok(())
    }

    /// `UpdateNodegroupConfig`; how many nodes are wanted now is not touched.
    async fn resize(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        let (cluster, name) = parts(aim)?;
        let sizes = NodegroupScalingConfig::builder().set_min_size(number(to, "min")).set_max_size(number(to, "max"));
        let call = self.clients.eks(&scope.region).update_nodegroup_config().cluster_name(cluster).nodegroup_name(name);
        let sent = call.scaling_config(sizes.build()).send().await;
        sent.map(drop).map_err(|e| failed("changing the sizes of node group", &aim.target, &e))
    }

    async fn node_group(&self, scope: &Scope, aim: &Aim) -> Answer<Nodegroup> {
        let (cluster, name) = parts(aim)?;
        let call = self.clients.eks(&scope.region).describe_nodegroup().cluster_name(cluster).nodegroup_name(name);
        let answer = call.send().await.map_err(|e| failed("reading node group", &aim.target, &e))?;
        answer.nodegroup.ok_or_else(|| missing("reading node group", &aim.target))
    }

    async fn arn_of(&self, scope: &Scope, aim: &Aim) -> Answer<String> {
        let arn = if aim.action == "eks_tag_cluster" {
            self.described_cluster(scope, &aim.target).await?.arn
        } else {
            self.node_group(scope, aim).await?.nodegroup_arn
        };
        arn.ok_or_else(|| missing("reading the ARN of", &aim.target))
    }

    async fn tags_of(&self, scope: &Scope, arn: &str) -> Answer<BTreeMap<String, String>> {
        let answer = self.clients.eks(&scope.region).list_tags_for_resource().resource_arn(arn).send().await;
        let answer = answer.map_err(|e| failed("reading the tags of", arn, &e))?;
        Ok(answer.tags.unwrap_or_default().into_iter().collect())
    }
}
