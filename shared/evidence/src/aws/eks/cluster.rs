//! The cluster itself and its add-ons.

use std::collections::BTreeMap;

use aws_sdk_eks::Client;
use aws_sdk_eks::types as eks;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{days_since, tags, time};
use crate::aws::tell::{Ask, Tell as _, WHOLE_LIST};
use crate::aws::world::hold_the_world;

/// How EKS supports each version, or why that is not known.
pub struct Support(Result<BTreeMap<String, String>, String>);

impl Support {
    /// From what EKS lists.
    pub fn new(listed: Result<Vec<eks::ClusterVersionInformation>, String>) -> Self {
        let status = |v: &eks::ClusterVersionInformation| {
            Some((v.cluster_version()?.to_owned(), v.version_status()?.as_str().to_ascii_lowercase()))
        };
        Self(listed.map(|versions| versions.iter().filter_map(status).collect()))
    }

    /// Puts `version_status` into a document: `standard_support`, `extended_support`, `unsupported`.
    pub fn put(&self, value: &mut Value, version: Option<&str>) {
        match (&self.0, version) {
            (Ok(known), Some(version)) => {
                value["version_status"] = known.get(version).map_or("unsupported", String::as_str).into();
            }
            (Err(why), _) => value["unread"] = json!({"version_status": why}),
            (Ok(_), None) => {}
        }
    }
}

/// The cluster and its add-ons.
pub async fn collect(ask: Ask<'_>, client: &Client, name: &str, versions: &Support) -> Vec<Document> {
    let mut all = addons(ask, client, name).await;
    let call = "eks:DescribeCluster";
    all.push(match client.describe_cluster().name(name).send().await {
        Ok(answer) => {
            let mut value = answer.cluster().map_or(Value::Null, describe);
            versions.put(&mut value, answer.cluster().and_then(|c| c.version()));
            value["age_days"] = days_since(answer.cluster().and_then(|c| c.created_at()), ask.at).into();
            ask.known("eks.cluster", name, call, value)
        }
        Err(error) => ask.failed("eks.cluster", name, call, &error),
    });
    all
}

fn describe(c: &eks::Cluster) -> Value {
    let enabled = c.logging().map(|l| l.cluster_logging()).unwrap_or_default().iter();
    let types = enabled.filter(|l| l.enabled() == Some(true)).flat_map(|l| l.types()).map(|t| t.as_str());
    let access = c.access_config();
    json!({
        "name": c.name(),
        "arn": c.arn(),
        "status": c.status().map(|s| s.as_str()),
        "version": c.version(),
        "platform_version": c.platform_version(),
        "created_at": time(c.created_at()),
        "role_arn": c.role_arn(),
        "logging": {"types": types.collect::<Vec<_>>()},
        "endpoint": endpoint(c.resources_vpc_config()),
        "vpc_id": c.resources_vpc_config().and_then(|v| v.vpc_id()),
        "subnet_ids": c.resources_vpc_config().map(|v| v.subnet_ids()),
        "security_group_ids": c.resources_vpc_config().map(|v| v.security_group_ids()),
        "cluster_security_group_id": c.resources_vpc_config().and_then(|v| v.cluster_security_group_id()),
        "encryption": {"resources": encrypted(c), "key_arn": key(c)},
        "access_config": {
            // Clusters from before access entries have only the ConfigMap.
            "authentication_mode": access.and_then(|a| a.authentication_mode()).map_or("CONFIG_MAP", |m| m.as_str()),
        },
        "oidc_issuer": c.identity().and_then(|i| i.oidc()).and_then(|o| o.issuer()),
        "auto_mode": c.compute_config().and_then(|m| m.enabled()).unwrap_or_default(),
        "deletion_protection": c.deletion_protection().unwrap_or_default(),
        "upgrade_policy": c.upgrade_policy().and_then(|p| p.support_type()).map(|s| s.as_str()),
        "tags": tags(c.tags().into_iter().flatten().map(|(k, v)| (k.as_str(), v.as_str()))),
    })
}

/// The three fields that only together say how open the API server is.
fn endpoint(vpc: Option<&eks::VpcConfigResponse>) -> Option<Value> {
    let vpc = vpc?;
    let cidrs = vpc.public_access_cidrs();
    // EKS reads an empty list as the world.
    let world = cidrs.is_empty() || hold_the_world(cidrs.iter().map(String::as_str));
    Some(json!({
        "public": vpc.endpoint_public_access(),
        "private": vpc.endpoint_private_access(),
        "public_cidrs": cidrs,
        "open_to_the_world": vpc.endpoint_public_access() && world,
    }))
}

/// What the key of the owner encrypts. EKS now encrypts everything by itself, with a key of its own where there is none.
#[allow(deprecated, reason = "it still tells whether a key of the owner was associated")]
fn encrypted(c: &eks::Cluster) -> Vec<&String> {
    c.encryption_config().iter().flat_map(|e| e.resources()).collect()
}

fn key(c: &eks::Cluster) -> Option<&str> {
    c.encryption_config().iter().find_map(|e| e.provider().and_then(|p| p.key_arn()))
}

async fn addons(ask: Ask<'_>, client: &Client, cluster: &str) -> Vec<Document> {
    let kind = "eks.addon";
    let pages = client.list_addons().cluster_name(cluster).into_paginator().items().send();
    let names = match pages.collect::<Result<Vec<_>, _>>().await {
        Ok(names) => names,
        Err(error) => return vec![ask.failed(kind, WHOLE_LIST, "eks:ListAddons", &error)],
    };
    let mut all = Vec::new();
    for name in names {
        let (id, call) = (format!("{cluster}/{name}"), "eks:DescribeAddon");
        all.push(match client.describe_addon().cluster_name(cluster).addon_name(&name).send().await {
            Ok(answer) => ask.known(kind, id, call, answer.addon().map_or(Value::Null, addon)),
            Err(error) => ask.failed(kind, id, call, &error),
        });
    }
    all
}

fn addon(a: &eks::Addon) -> Value {
    let values = a.configuration_values().unwrap_or_default();
    json!({
        "cluster_name": a.cluster_name(),
        "addon_name": a.addon_name(),
        "addon_version": a.addon_version(),
        "status": a.status().map(|s| s.as_str()),
        "service_account_role_arn": a.service_account_role_arn(),
        "enable_network_policy": network_policy(values),
        "tags": tags(a.tags().into_iter().flatten().map(|(k, v)| (k.as_str(), v.as_str()))),
    })
}

/// `enableNetworkPolicy` in configuration values, which are JSON or YAML and say it as a text or as a boolean.
fn network_policy(values: &str) -> bool {
    let compact: String = values.chars().filter(|c| !c.is_whitespace() && *c != '"' && *c != '\'').collect();
    compact.to_ascii_lowercase().contains("enablenetworkpolicy:true")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vpc(public: bool, cidrs: &[&str]) -> eks::VpcConfigResponse {
        let cidrs = cidrs.iter().map(|c| (*c).to_owned()).collect();
        eks::VpcConfigResponse::builder().endpoint_public_access(public).set_public_access_cidrs(Some(cidrs)).build()
    }

    #[test]
    fn an_endpoint_is_judged_by_all_three_fields() {
        for (public, cidrs, open) in [
            (true, vec!["0.0.0.0/0"], true),
            (true, vec!["::/0"], true),
            (true, vec!["0.0.0.0/1", "128.0.0.0/1"], true),
            (true, vec![], true),
            (true, vec!["203.0.113.0/24"], false),
            (false, vec!["0.0.0.0/0"], false),
        ] {
            let found = endpoint(Some(&vpc(public, &cidrs))).unwrap();
            assert_eq!(found["open_to_the_world"], open, "{public} {cidrs:?}");
        }
    }

    #[test]
    fn network_policy_is_found_in_json_and_yaml() {
        for on in
            [r#"{"enableNetworkPolicy": "true"}"#, r#"{"enableNetworkPolicy":true}"#, "enableNetworkPolicy: 'true'"]
        {
            assert!(network_policy(on), "{on}");
        }
        for off in ["", r#"{"enableNetworkPolicy":"false"}"#] {
            assert!(!network_policy(off));
        }
    }

    #[test]
    fn a_version_that_eks_no_longer_lists_is_unsupported() {
        let listed = eks::ClusterVersionInformation::builder()
            .cluster_version("1.34")
            .version_status(eks::VersionStatus::StandardSupport)
            .build();
        let support = Support::new(Ok(vec![listed]));
        let status = |version| {
            let mut value = json!({});
            support.put(&mut value, Some(version));
            value["version_status"].as_str().map(str::to_owned)
        };
        assert_eq!(status("1.34").as_deref(), Some("standard_support"));
        assert_eq!(status("1.21").as_deref(), Some("unsupported"));
    }
}
