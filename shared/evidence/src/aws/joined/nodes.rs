//! Which instances are nodes of Kubernetes, of which cluster, in which role: by the tags that provisioners set.

use picket_model::Document;
use serde_json::{Map, Value, json};

use super::{Added, Around, Join};

/// Keys whose value is the cluster's name.
const NAMED: &[&str] = &[
    "aws:eks:cluster-name",
    "eks:cluster-name",
    "eks:eks-cluster-name",
    "alpha.eksctl.io/cluster-name",
    "KubernetesCluster",
];
/// Keys that only control planes carry.
const MASTERS: &[&str] =
    &["k8s.io/role/control-plane", "k8s.io/role/master", "kubernetes.io/role/master", "k8s.io/role/apiserver"];

/// Nodes.
pub const JOINS: &[Join] = &[
    Join { kind: "ec2.instance", needs: &[], add },
    Join { kind: "autoscaling.group", needs: &[], add },
    Join { kind: "ec2.launch_template", needs: &[], add: template },
];

fn add(_: &Document, value: &Value, _: &Around<'_>) -> Added {
    vec![("node", Ok(value["tags"].as_object().map_or(Value::Null, of_tags)))]
}

fn template(_: &Document, value: &Value, _: &Around<'_>) -> Added {
    let mut tags = value["tags"].as_object().cloned().unwrap_or_default();
    tags.extend(value["instance_tags"].as_object().cloned().unwrap_or_default());
    vec![("node", Ok(of_tags(&tags)))]
}

/// Whether something with these tags is a node, and of what.
pub(crate) fn of_tags(tags: &Map<String, Value>) -> Value {
    let text = |key: &str| tags.get(key).and_then(Value::as_str).filter(|v| !v.is_empty());
    let prefixed = |prefix: &str| tags.keys().find_map(|k| k.strip_prefix(prefix));
    let cluster = NAMED.iter().find_map(|k| text(k)).or_else(|| prefixed("kubernetes.io/cluster/"));
    let kops = prefixed("kops.k8s.io/").is_some() || prefixed("k8s.io/role/").is_some();
    let eks = prefixed("aws:eks:").is_some() || prefixed("eks:").is_some();
    let karpenter = prefixed("karpenter.sh/").is_some();
    let master = MASTERS.iter().any(|k| tags.contains_key(*k))
        || text("sigs.k8s.io/cluster-api-provider-aws/role") == Some("control-plane")
        || text("kubespray-role").is_some_and(|r| r.contains("kube_control_plane"));
    let bastion = tags.contains_key("k8s.io/role/bastion");
    let is_node = (cluster.is_some() || kops || karpenter) && !bastion;
    json!({
        "is": is_node,
        "cluster": cluster.unwrap_or_default(),
        "role": if !is_node { "" } else if master { "control_plane" } else { "worker" },
        "tool": if !is_node { "" } else if kops { "kops" } else if eks { "eks" } else { "other" },
        "auto_mode": text("ec2:ManagedResourceOperator") == Some("eks.amazonaws.com") || tags.contains_key("eks:kubernetes-node-pool-name"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(tags: Value) -> Value {
        of_tags(tags.as_object().unwrap())
    }

    #[test]
    fn nodes_are_known_by_the_tags_of_their_makers() {
        for (tags, cluster, role, tool) in [
            (json!({"aws:eks:cluster-name": "prod"}), "prod", "worker", "eks"),
            (json!({"kubernetes.io/cluster/self": "owned"}), "self", "worker", "other"),
            (
                json!({"KubernetesCluster": "k.example.com", "k8s.io/role/master": "1"}),
                "k.example.com",
                "control_plane",
                "kops",
            ),
            (
                json!({"KubernetesCluster": "k.example.com", "kops.k8s.io/instancegroup": "nodes"}),
                "k.example.com",
                "worker",
                "kops",
            ),
        ] {
            let found = node(tags.clone());
            assert_eq!(
                (&found["is"], &found["cluster"], &found["role"], &found["tool"]),
                (&true.into(), &cluster.into(), &role.into(), &tool.into()),
                "{tags}"
            );
        }
    }

    #[test]
    fn others_and_bastions_are_no_nodes() {
        for tags in [
            json!({}),
            json!({"Name": "web"}),
            json!({"KubernetesCluster": "k.example.com", "k8s.io/role/bastion": "1"}),
        ] {
            assert_eq!(node(tags)["is"], false);
        }
    }
}
