//! Who gets into an EKS cluster: access entries and their policies, read whole and made anew as they were.

use std::collections::BTreeMap;

use aws_sdk_eks::types::{AccessEntry, AccessScope, AccessScopeType, AssociatedAccessPolicy};
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::ports::{Answer, Kind, Sight};
use serde_json::{Value, json};

use super::{AwsFixes, failed, gone_is_done, parts, seen, word, words};

impl AwsFixes<'_> {
    pub(super) async fn read_access(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let (cluster, principal) = parts(aim)?;
        let policies = self.policies(scope, cluster, principal).await;
        if aim.action == "eks_revoke_access_policy" {
            let wanted = aim.with.get("policy").and_then(Value::as_str).unwrap_or_default();
            let found = policies?.into_iter().find(|p| word(p, "policy") == Some(wanted));
            return seen(json!({"scope": found.map(|p| p["scope"].clone())}));
        }
        let entries = self.entries(scope, cluster).await?;
        let facts = json!({ "entries": entries });
        match self.entry(scope, cluster, principal).await {
            Ok(entry) => Ok(Sight { now: json!({"entry": entry, "policies": policies?}), facts }),
            Err(error) if error.kind == Kind::NotFound && entries > 0 => {
                Ok(Sight { now: json!({"entry": null, "policies": []}), facts })
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn write_access(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        let (cluster, principal) = parts(aim)?;
        if aim.action == "eks_revoke_access_policy" {
            let policy = aim.with.get("policy").and_then(Value::as_str).unwrap_or_default();
            return match to.get("scope").filter(|s| !s.is_null()) {
                Some(of) => self.associate(scope, cluster, principal, policy, of).await,
                None => self.disassociate(scope, cluster, principal, policy).await,
            };
        }
        let Some(entry) = to.get("entry").filter(|e| !e.is_null()) else {
            return self.delete_entry(scope, cluster, principal).await;
        };
        self.create_entry(scope, cluster, principal, entry).await?;
        for policy in to.get("policies").and_then(Value::as_array).into_iter().flatten() {
            let arn = word(policy, "policy").unwrap_or_default();
            self.associate(scope, cluster, principal, arn, &policy["scope"]).await?;
        }
        Ok(())
    }

    /// How many access entries a cluster has, as far as one page tells.
    pub(super) async fn entries(&self, scope: &Scope, cluster: &str) -> Answer<usize> {
        let call = self.clients.eks(&scope.region).list_access_entries().cluster_name(cluster).max_results(100);
        let answer = call.send().await.map_err(|e| failed("listing the access entries of", cluster, &e))?;
        Ok(answer.access_entries().len())
    }

    async fn entry(&self, scope: &Scope, cluster: &str, principal: &str) -> Answer<Value> {
        let call = self.clients.eks(&scope.region).describe_access_entry().cluster_name(cluster);
        let answer = call.principal_arn(principal).send().await;
        let answer = answer.map_err(|e| failed("reading the access entry of", principal, &e))?;
        Ok(answer.access_entry().map_or(Value::Null, written))
    }

    async fn policies(&self, scope: &Scope, cluster: &str, principal: &str) -> Answer<Vec<Value>> {
        let call = self.clients.eks(&scope.region).list_associated_access_policies().cluster_name(cluster);
        let mut pages = call.principal_arn(principal).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| failed("reading the access policies of", principal, &e))?;
            found.extend(page.associated_access_policies().iter().map(policy));
        }
        found.sort_by_key(ToString::to_string);
        Ok(found)
    }

    async fn create_entry(&self, scope: &Scope, cluster: &str, principal: &str, entry: &Value) -> Answer<()> {
        let tags: BTreeMap<String, String> =
            entry.get("tags").and_then(|t| serde_json::from_value(t.clone()).ok()).unwrap_or_default();
        let call = self.clients.eks(&scope.region).create_access_entry().cluster_name(cluster).principal_arn(principal);
        let call = call
            .set_kubernetes_groups(Some(words(entry, "groups")))
            .set_username(word(entry, "username").map(str::to_owned));
        let call = call.set_type(word(entry, "type").map(str::to_owned)).set_tags(Some(tags.into_iter().collect()));
        match call.send().await.map_err(|e| failed("making the access entry of", principal, &e)) {
            // It is there already: an attempt before this one made it.
            Err(error) if error.kind == Kind::Conflict && error.why.as_str().contains("already") => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn delete_entry(&self, scope: &Scope, cluster: &str, principal: &str) -> Answer<()> {
        let call = self.clients.eks(&scope.region).delete_access_entry().cluster_name(cluster).principal_arn(principal);
        gone_is_done(call.send().await.map(drop).map_err(|e| failed("revoking the access of", principal, &e)))
    }

    async fn associate(&self, scope: &Scope, cluster: &str, principal: &str, arn: &str, of: &Value) -> Answer<()> {
        let within = AccessScope::builder()
            .r#type(AccessScopeType::from(word(of, "type").unwrap_or("cluster")))
            .set_namespaces(Some(words(of, "namespaces")).filter(|n| !n.is_empty()))
            .build();
        let call = self.clients.eks(&scope.region).associate_access_policy().cluster_name(cluster);
        let sent = call.principal_arn(principal).policy_arn(arn).access_scope(within).send().await;
        sent.map(drop).map_err(|e| failed("giving an access policy to", principal, &e))
    }

    async fn disassociate(&self, scope: &Scope, cluster: &str, principal: &str, arn: &str) -> Answer<()> {
        let call = self.clients.eks(&scope.region).disassociate_access_policy().cluster_name(cluster);
        let sent = call.principal_arn(principal).policy_arn(arn).send().await;
        gone_is_done(sent.map(drop).map_err(|e| failed("taking an access policy from", principal, &e)))
    }
}

/// What an entry is made of; its ARN and dates are AWS's.
fn written(entry: &AccessEntry) -> Value {
    let tags: BTreeMap<_, _> = entry.tags().into_iter().flatten().collect();
    let mut groups = entry.kubernetes_groups().to_vec();
    groups.sort();
    json!({
        "type": entry.r#type().unwrap_or("STANDARD"),
        "username": entry.username(),
        "groups": groups,
        "tags": tags,
    })
}

fn policy(policy: &AssociatedAccessPolicy) -> Value {
    let of = policy.access_scope();
    let mut namespaces = of.map(|s| s.namespaces().to_vec()).unwrap_or_default();
    namespaces.sort();
    let kind = of.and_then(|s| s.r#type()).map_or("cluster", AccessScopeType::as_str);
    json!({"policy": policy.policy_arn(), "scope": {"type": kind, "namespaces": namespaces}})
}
