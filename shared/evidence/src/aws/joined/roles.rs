//! Which roles nodes run with, and what that lets an intruder on a node do.

use picket_model::Document;
use serde_json::{Value, json};

use super::{Added, Around, Join};
use crate::aws::json::texts;
use crate::aws::policy::matches;

/// Powers of an intruder that nodes have for their work: they pull through a cache, decrypt volumes, write backups, and let
/// pods take roles. Every other one is too much.
const NODES_MAY: &[&str] = &[
    "ecr:CreateRepository",
    "kms:Decrypt",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:PutObject",
    "ssm:StartSession",
    "sts:AssumeRole",
];

/// Roles of nodes.
pub const JOINS: &[Join] = &[Join { kind: "iam.role", needs: &["eks.nodegroup"], add: of_nodes }];

fn of_nodes(_: &Document, role: &Value, around: &Around<'_>) -> Added {
    let groups = around.everywhere("eks.nodegroup").map(|all| all.iter().any(|g| g["node_role"] == role["arn"]));
    let name = role["role_name"].as_str().unwrap_or_default();
    let attached: Vec<&str> = texts(&role["attached_policies"]).collect();
    let worker_policy = attached
        .iter()
        .any(|p| p.ends_with("/AmazonEKSWorkerNodePolicy") || p.ends_with("/AmazonEKSWorkerNodeMinimalPolicy"));
    let runs = role["instance_profiles"].as_array().is_some_and(|p| !p.is_empty());
    // kOps, Cluster API and others name the roles of nodes so, and they always have an instance profile.
    let named = runs
        && ["nodes.", "node.", "nodes-", "karpenternoderole", "eksnoderole"]
            .iter()
            .any(|p| name.to_ascii_lowercase().starts_with(p));
    let is_node = match groups {
        Ok(true) => Ok(true),
        Ok(false) => Ok(worker_policy || named),
        Err(_) if worker_policy || named => Ok(true),
        Err(why) => Err(why),
    };
    let too_much: Vec<&str> = texts(&role["powers"]).filter(|p| !NODES_MAY.contains(p)).collect();
    let writes: Vec<&str> = texts(&role["powers"]).filter(|p| p.starts_with("ecr:")).collect();
    vec![
        ("runs_nodes", is_node.map(Value::from)),
        ("kops_role", Ok(kops_role(name).into())),
        ("reaches_state_store", Ok(reaches_state_store(name, role).into())),
        ("more_than_a_node_needs", Ok(json!(too_much))),
        ("image_writes", Ok(json!(writes))),
    ]
}

/// Whether a role of kOps may read or write the private keys or the secrets that the state store holds for its cluster.
fn reaches_state_store(name: &str, role: &Value) -> bool {
    let Some((_, cluster)) = name.split_once('.') else { return false };
    let kept = [format!("{cluster}/pki/private/kubernetes-ca/keyset.yaml"), format!("{cluster}/secrets/admin")];
    texts(&role["object_patterns"]).any(|pattern| {
        let key = pattern.split_once(":::").map_or(pattern, |(_, path)| path);
        let key = key.split_once('/').map_or(key, |(_, key)| key);
        kept.iter().any(|k| matches(key, k))
    })
}

/// kOps names its roles `masters.<cluster>` or `control-plane.<cluster>`, and `nodes.<cluster>`.
fn kops_role(name: &str) -> &'static str {
    match name.split_once('.') {
        Some(("masters" | "control-plane", cluster)) if cluster.contains('.') => "control_plane",
        Some(("nodes", cluster)) if cluster.contains('.') => "node",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_state_store_are_told_from_what_a_node_needs() {
        let reaches = |pattern: &str| {
            let role = json!({"object_patterns": [format!("arn:aws:s3:::state/{pattern}")]});
            reaches_state_store("nodes.k.example.com", &role)
        };
        assert!(reaches("*"));
        assert!(reaches("k.example.com/*"));
        assert!(reaches("k.example.com/pki/private/*"));
        assert!(!reaches("k.example.com/addons/*"));
        assert!(!reaches("other.example.com/*"));
    }
}
