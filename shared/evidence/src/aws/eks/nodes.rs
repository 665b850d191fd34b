//! Managed node groups.

use aws_sdk_eks::Client;
use aws_sdk_eks::types as eks;
use picket_model::Document;
use serde_json::{Value, json};

use super::cluster::Support;
use crate::aws::json::tags;
use crate::aws::tell::{Ask, Tell as _, WHOLE_LIST};

const KIND: &str = "eks.nodegroup";

/// The node groups of a cluster.
pub async fn collect(ask: Ask<'_>, client: &Client, cluster: &str, versions: &Support) -> Vec<Document> {
    let pages = client.list_nodegroups().cluster_name(cluster).into_paginator().items().send();
    let names = match pages.collect::<Result<Vec<_>, _>>().await {
        Ok(names) => names,
        Err(error) => return vec![ask.failed(KIND, WHOLE_LIST, "eks:ListNodegroups", &error)],
    };
    let mut all = Vec::new();
    for name in names {
        let (id, call) = (format!("{cluster}/{name}"), "eks:DescribeNodegroup");
        all.push(match client.describe_nodegroup().cluster_name(cluster).nodegroup_name(&name).send().await {
            Ok(answer) => {
                let mut value = answer.nodegroup().map_or(Value::Null, describe);
                versions.put(&mut value, answer.nodegroup().and_then(|n| n.version()));
                ask.known(KIND, id, call, value)
            }
            Err(error) => ask.failed(KIND, id, call, &error),
        });
    }
    all
}

fn describe(n: &eks::Nodegroup) -> Value {
    let template = n.launch_template();
    let groups = n.resources().map(|r| r.auto_scaling_groups()).unwrap_or_default();
    json!({
        "cluster_name": n.cluster_name(),
        "nodegroup_name": n.nodegroup_name(),
        "status": n.status().map(|s| s.as_str()),
        "version": n.version(),
        "release_version": n.release_version(),
        "ami_type": n.ami_type().map(|t| t.as_str()),
        "node_role": n.node_role(),
        "subnet_ids": n.subnets(),
        "launch_template": template.map(|t| json!({"id": t.id(), "name": t.name(), "version": t.version()})),
        "remote_access": n.remote_access().map(|r| json!({
            "ec2_ssh_key": r.ec2_ssh_key(),
            "source_security_groups": r.source_security_groups(),
        })),
        // With a key and no groups, EKS opens port 22 to the world.
        "ssh_from_anywhere": n.remote_access().is_some_and(|r| r.ec2_ssh_key().is_some() && r.source_security_groups().is_empty()),
        "auto_scaling_groups": groups.iter().filter_map(|g| g.name()).collect::<Vec<_>>(),
        "tags": tags(n.tags().into_iter().flatten().map(|(k, v)| (k.as_str(), v.as_str()))),
    })
}
