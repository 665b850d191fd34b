//! Security groups: what they stand before, who uses them, and which tiers they let in.

use std::collections::BTreeSet;

use picket_model::Document;
use serde_json::{Value, json};

use super::{Added, Around, Join};
use crate::aws::json::texts;

/// Ports of etcd: clients, peers, metrics; 4001 and 4002 are those of old kOps.
const ETCD: &[i64] = &[2379, 2380, 2381, 4001, 4002];

/// Groups, the first pass naming kOps's so that the second can tell masters from others.
pub const JOINS: &[Join] = &[
    Join { kind: "ec2.security_group", needs: &[], add: kops },
    Join {
        kind: "ec2.security_group",
        needs: &["autoscaling.group", "ec2.instance", "ec2.launch_template", "ec2.network_interface", "eks.cluster"],
        add: uses,
    },
];

/// kOps names its groups `masters.<cluster>`, `nodes.<cluster>` and `api-elb.<cluster>`.
fn kops(_: &Document, group: &Value, _: &Around<'_>) -> Added {
    let tags = &group["tags"];
    let ours = tags["KubernetesCluster"].is_string()
        || tags.as_object().is_some_and(|t| t.keys().any(|k| k.starts_with("kubernetes.io/cluster/")));
    let role = match group["group_name"].as_str().unwrap_or_default().split_once('.') {
        Some(("masters" | "control-plane", _)) if ours => "control_plane",
        Some(("nodes", _)) if ours => "node",
        Some(("api-elb" | "api", _)) if ours => "api_load_balancer",
        Some(("bastion", _)) if ours => "bastion",
        _ => "",
    };
    vec![("kops_role", Ok(role.into()))]
}

fn uses(document: &Document, group: &Value, around: &Around<'_>) -> Added {
    let id = document.id.as_str();
    let attached = around
        .all(document, "ec2.network_interface")
        .map(|all| all.iter().filter(|i| texts(&i["groups"]).any(|g| g == id)).count());
    vec![
        ("interfaces", attached.map(Value::from)),
        ("guards", guards(document, group, around)),
        ("used_by_tiers", used_by(document, around)),
        ("source_tiers", sources(document, group, around)),
        ("etcd_sources", etcd_sources(document, group, around)),
    ]
}

fn instance_groups(instance: &Value) -> impl Iterator<Item = &str> {
    let own = texts(&instance["security_groups"]);
    let interfaces = instance["network_interfaces"].as_array().into_iter().flatten();
    own.chain(interfaces.flat_map(|i| texts(&i["groups"])))
}

/// What stands behind the group: `node`, `control_plane`, `eks_cluster`, `api_load_balancer`.
fn guards(document: &Document, group: &Value, around: &Around<'_>) -> Result<Value, String> {
    let id = document.id.as_str();
    let mut all = BTreeSet::new();
    for instance in around.all(document, "ec2.instance")? {
        if instance["node"]["is"] == true && instance_groups(instance).any(|g| g == id) {
            all.insert(if instance["node"]["role"] == "control_plane" { "control_plane" } else { "node" });
        }
    }
    for cluster in around.all(document, "eks.cluster")? {
        if cluster["cluster_security_group_id"] == id || texts(&cluster["security_group_ids"]).any(|g| g == id) {
            all.insert("eks_cluster");
        }
    }
    all.extend(group["kops_role"].as_str().filter(|r| !r.is_empty() && *r != "bastion"));
    Ok(json!(all))
}

/// The tiers of instances and of launch templates that carry the group.
fn used_by(document: &Document, around: &Around<'_>) -> Result<Value, String> {
    let id = document.id.as_str();
    let mut tiers = BTreeSet::new();
    for instance in around.all(document, "ec2.instance")? {
        if instance_groups(instance).any(|g| g == id) {
            tiers.extend(instance["tier"].as_str());
        }
    }
    for template in around.all(document, "ec2.launch_template")? {
        if texts(&template["security_group_ids"]).any(|g| g == id) {
            tiers.extend(template["tier"].as_str());
        }
    }
    tiers.remove("");
    Ok(json!(tiers))
}

/// Each source of the inbound rules as the tier of its group, `addresses`, or `other`.
fn sources(document: &Document, group: &Value, around: &Around<'_>) -> Result<Value, String> {
    let rules = group["ingress"].as_array().ok_or("the inbound rules were not read")?;
    let groups = around.all(document, "ec2.security_group")?;
    let of = |rule: &Value| match rule["group_id"].as_str() {
        None => "addresses".to_owned(),
        Some(source) => {
            let found = groups.iter().find(|g| g["group_id"] == source).and_then(|g| g["tier"].as_str());
            found.filter(|t| !t.is_empty()).unwrap_or("other").to_owned()
        }
    };
    Ok(json!(rules.iter().map(of).collect::<BTreeSet<_>>()))
}

/// Sources besides the control plane's own groups that reach a port of etcd.
fn etcd_sources(document: &Document, group: &Value, around: &Around<'_>) -> Result<Value, String> {
    let rules = group["ingress"].as_array().ok_or("the inbound rules were not read")?;
    let groups = around.all(document, "ec2.security_group")?;
    let ours = |id: &str| {
        let found = groups.iter().find(|g| g["group_id"] == id);
        id == document.id || found.is_some_and(|g| g["kops_role"] == "control_plane")
    };
    let reaches = |r: &&Value| {
        let (from, to) = (r["from_port"].as_i64().unwrap_or(0), r["to_port"].as_i64().unwrap_or(65535));
        matches!(r["protocol"].as_str(), Some("tcp" | "-1")) && ETCD.iter().any(|p| (from..=to).contains(p))
    };
    let source = |r: &'_ Value| r["group_id"].as_str().or(r["cidr"].as_str()).unwrap_or_default().to_owned();
    let foreign = rules.iter().filter(reaches).map(source).filter(|s| !ours(s));
    Ok(json!(foreign.collect::<BTreeSet<_>>()))
}
