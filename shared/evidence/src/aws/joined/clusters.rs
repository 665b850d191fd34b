//! EKS clusters and node groups, with their logs, keys, add-ons, nodes, roles and load balancers.

use std::collections::BTreeSet;

use picket_model::Document;
use serde_json::{Value, json};

use super::{Added, Around, Join};
use crate::aws::json::texts;

/// Clusters and node groups.
pub const JOINS: &[Join] = &[
    Join {
        kind: "eks.cluster",
        needs: &[
            "ec2.instance",
            "ec2.route_table",
            "eks.access_entry",
            "eks.addon",
            "eks.identity_provider_config",
            "eks.pod_identity_association",
            "elbv2.load_balancer",
            "iam.oidc_provider",
            "kms.key",
            "logs.log_group",
        ],
        add: cluster,
    },
    Join {
        kind: "eks.nodegroup",
        needs: &["ec2.instance", "ec2.launch_template", "ec2.subnet", "iam.role"],
        add: nodegroup,
    },
];

fn cluster(document: &Document, value: &Value, around: &Around<'_>) -> Added {
    let name = document.id.as_str();
    let mut added = vec![
        ("log_group", log_group(document, around)),
        ("secrets_key", secrets_key(document, value, around)),
        ("vpc_cni", vpc_cni(document, around)),
        ("private_path", private_path(document, value, around)),
        ("administrators", administrators(document, around)),
        ("plain_load_balancers", plain_load_balancers(document, around)),
        ("identity", identity(document, value, around)),
    ];
    added.extend(nodes(document, name, around));
    added
}

fn log_group(document: &Document, around: &Around<'_>) -> Result<Value, String> {
    let name = format!("/aws/eks/{}/cluster", document.id);
    let found = around.having(document, "logs.log_group", "log_group_name", &name)?;
    let Some(group) = found.first() else { return Ok(json!({"exists": false})) };
    let watchers = group["metric_filter_count"].as_i64().unwrap_or_default();
    let watched = group["subscription_filter_count"].as_i64().map(|n| n + watchers > 0);
    Ok(json!({
        "exists": true,
        "retention_in_days": group["retention_in_days"],
        "kept_for_ever": group["kept_for_ever"],
        "encrypted": group["kms_key_id"].is_string(),
        "watched": watched.or((watchers > 0).then_some(true)),
    }))
    .map(crate::aws::json::tidy)
}

/// Whether the key of the secrets is the owner's, and works.
fn secrets_key(document: &Document, value: &Value, around: &Around<'_>) -> Result<Value, String> {
    let Some(arn) = value["encryption"]["key_arn"].as_str() else { return Ok(json!({"exists": false})) };
    let keys = around.having(document, "kms.key", "arn", arn)?;
    let key = keys.first().ok_or_else(|| format!("the key {arn} is not of this account and Region"))?;
    Ok(json!({
        "exists": true,
        "customer_managed": key["key_manager"] == "CUSTOMER",
        "enabled": key["key_state"] == "Enabled",
    }))
}

fn vpc_cni(document: &Document, around: &Around<'_>) -> Result<Value, String> {
    let addons = around.having(document, "eks.addon", "cluster_name", &document.id)?;
    let Some(cni) = addons.iter().find(|a| a["addon_name"] == "vpc-cni") else {
        return Ok(json!({"installed": false}));
    };
    let version = cni["addon_version"].as_str().unwrap_or_default();
    Ok(json!({
        "installed": true,
        "version": version,
        "supports_network_policy": at_least(version, (1, 14)),
        "enable_network_policy": cni["enable_network_policy"] == true,
    }))
}

/// Whether `v1.18.3-eksbuild.1` is at least 1.14.
fn at_least(version: &str, least: (u32, u32)) -> bool {
    let mut parts = version.trim_start_matches('v').split(['.', '-']).map(|p| p.parse::<u32>().unwrap_or_default());
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) >= least
}

/// Whether something besides the internet leads into the cluster's VPC: a transit gateway, a VPN or a peering.
fn private_path(document: &Document, value: &Value, around: &Around<'_>) -> Result<Value, String> {
    let vpc = value["vpc_id"].as_str().ok_or("the cluster's VPC was not read")?;
    let tables = around.having(document, "ec2.route_table", "vpc_id", vpc)?;
    let routes = tables.iter().flat_map(|t| t["routes"].as_array().into_iter().flatten());
    let private = |r: &Value| {
        r["transit_gateway_id"].is_string()
            || r["vpc_peering_connection_id"].is_string()
            || r["gateway_id"].as_str().is_some_and(|g| g.starts_with("vgw-"))
    };
    Ok(routes.into_iter().any(private).into())
}

/// Principals whose access entry makes them administrators of the cluster.
fn administrators(document: &Document, around: &Around<'_>) -> Result<Value, String> {
    let entries = around.having(document, "eks.access_entry", "cluster_name", &document.id)?;
    let admin = |e: &&&Value| {
        let policies = e["policies"].as_array().into_iter().flatten();
        let all = |p: &Value| p["name"] == "AmazonEKSClusterAdminPolicy" && p["scope"] == "cluster";
        policies.into_iter().any(all) || texts(&e["kubernetes_groups"]).any(|g| g == "system:masters")
    };
    Ok(json!(entries.iter().filter(admin).filter_map(|e| e["principal_arn"].as_str()).collect::<Vec<_>>()))
}

fn plain_load_balancers(document: &Document, around: &Around<'_>) -> Result<Value, String> {
    let all = around.having(document, "elbv2.load_balancer", "cluster", &document.id)?;
    let plain = all.iter().filter(|b| b["all_listeners_encrypted"] == false);
    Ok(json!(plain.filter_map(|b| b["load_balancer_name"].as_str()).collect::<Vec<_>>()))
}

/// How pods and people get an identity.
fn identity(document: &Document, value: &Value, around: &Around<'_>) -> Result<Value, String> {
    let issuer = value["oidc_issuer"].as_str().map(|i| i.trim_start_matches("https://"));
    let providers = around.everywhere("iam.oidc_provider")?;
    let trusted = providers.iter().filter_map(|p| p["arn"].as_str()).any(|a| issuer.is_some_and(|i| a.ends_with(i)));
    let addons = around.having(document, "eks.addon", "cluster_name", &document.id)?;
    let pods = around.having(document, "eks.pod_identity_association", "cluster_name", &document.id)?;
    let people = around.having(document, "eks.identity_provider_config", "cluster_name", &document.id)?;
    Ok(json!({
        "oidc_provider": trusted,
        "pod_identity_agent": addons.iter().any(|a| a["addon_name"] == "eks-pod-identity-agent"),
        "pod_identity_associations": pods.len(),
        "provider_configs": people.len(),
    }))
}

/// What the cluster's nodes have in common that they should not.
fn nodes(document: &Document, name: &str, around: &Around<'_>) -> Added {
    let instances = match around.all(document, "ec2.instance") {
        Ok(all) => all,
        Err(why) => return vec![("public_nodes", Err(why.clone())), ("nodes_with_reachable_metadata", Err(why))],
    };
    let own: Vec<&&Value> =
        instances.iter().filter(|i| i["node"]["is"] == true && i["node"]["cluster"] == name).collect();
    let ids = |which: &dyn Fn(&Value) -> bool| {
        let some = own.iter().filter(|i| which(i)).filter_map(|i| i["instance_id"].as_str());
        json!(some.collect::<BTreeSet<_>>())
    };
    vec![
        ("nodes", Ok(own.len().into())),
        ("public_nodes", Ok(ids(&|i| i["public"] == true))),
        ("nodes_with_reachable_metadata", Ok(ids(&metadata_within_reach))),
    ]
}

/// Whether a pod without the host's network gets the role of the node.
fn metadata_within_reach(instance: &Value) -> bool {
    let options = &instance["metadata_options"];
    let limit = options["http_put_response_hop_limit"].as_i64().unwrap_or(1);
    options["http_endpoint"] != "disabled" && (options["http_tokens"] != "required" || limit > 1)
}

fn nodegroup(document: &Document, value: &Value, around: &Around<'_>) -> Added {
    let subnets = around.all(document, "ec2.subnet").map(|all| {
        let own: Vec<&str> = texts(&value["subnet_ids"]).collect();
        let public = all
            .iter()
            .filter(|s| s["subnet_id"].as_str().is_some_and(|i| own.contains(&i)) && s["default_route"] == "internet");
        json!(public.filter_map(|s| s["subnet_id"].as_str()).collect::<Vec<_>>())
    });
    let instances = around.all(document, "ec2.instance").map(|all| {
        let own = all.iter().filter(|i| {
            i["tags"]["eks:nodegroup-name"] == value["nodegroup_name"]
                && i["tags"]["eks:cluster-name"] == value["cluster_name"]
        });
        json!(own.filter(|i| i["public"] == true).filter_map(|i| i["instance_id"].as_str()).collect::<Vec<_>>())
    });
    let role = role(value, around);
    let of_role = |field: &str| role.as_ref().map(|r| r[field].clone()).map_err(Clone::clone);
    vec![
        ("public_subnets", subnets),
        ("public_instances", instances),
        ("more_than_a_node_needs", of_role("more_than_a_node_needs")),
        ("image_writes", of_role("image_writes")),
        ("role_is_administrator", of_role("administrator")),
    ]
}

fn role<'a>(value: &Value, around: &Around<'a>) -> Result<&'a Value, String> {
    let arn = value["node_role"].as_str().ok_or("the node role was not read")?;
    let roles = around.everywhere("iam.role")?;
    roles.into_iter().find(|r| r["arn"] == arn).ok_or_else(|| format!("the role {arn} was not read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_cni_are_compared_by_number() {
        for (version, enough) in
            [("v1.14.0-eksbuild.3", true), ("v1.9.3-eksbuild.1", false), ("v2.0.0", true), ("", false)]
        {
            assert_eq!(at_least(version, (1, 14)), enough, "{version}");
        }
    }
}
