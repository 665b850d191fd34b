//! Tags that are missing, and the tier that a resource belongs to.

use picket_model::Document;
use serde_json::{Value, json};

use super::{Added, Around, Join};

const fn tagged(kind: &'static str) -> Join {
    Join { kind, needs: &[], add: missing_and_tier }
}

/// Kinds that carry tags.
pub const JOINS: &[Join] = &[
    tagged("autoscaling.group"),
    tagged("ec2.address"),
    tagged("ec2.flow_log"),
    tagged("ec2.image"),
    tagged("ec2.instance"),
    tagged("ec2.launch_template"),
    tagged("ec2.nat_gateway"),
    tagged("ec2.network_acl"),
    tagged("ec2.network_interface"),
    tagged("ec2.route_table"),
    tagged("ec2.security_group"),
    tagged("ec2.snapshot"),
    tagged("ec2.subnet"),
    tagged("ec2.tagged"),
    tagged("ec2.transit_gateway"),
    tagged("ec2.volume"),
    tagged("ec2.vpc"),
    tagged("ec2.vpc_peering_connection"),
    tagged("eks.cluster"),
    tagged("eks.identity_provider_config"),
    tagged("eks.nodegroup"),
    tagged("elbv2.load_balancer"),
    tagged("iam.role"),
    tagged("kms.key"),
    tagged("logs.log_group"),
    tagged("rds.db_instance"),
    tagged("tagging.resource"),
];

fn missing_and_tier(document: &Document, value: &Value, around: &Around<'_>) -> Added {
    let tags = value["tags"].as_object();
    let tag = tags.and_then(|t| t.iter().find(|(k, _)| k.eq_ignore_ascii_case(&around.settings.tiers.tag)));
    let names: Vec<&str> = ["arn", "load_balancer_arn", "launch_template_id", "launch_template_name", "key_id"]
        .iter()
        .filter_map(|f| value[*f].as_str())
        .chain([document.id.as_str()])
        .collect();
    let tier = around.settings.tiers.of(&names, tag.and_then(|(_, v)| v.as_str()));
    // Without its tags a resource that the map does not name has a tier that we do not know.
    let tier = if tags.is_none() && tier.is_empty() { Value::Null } else { tier.into() };
    let absent = tags.map(|tags| {
        missing(
            &around.settings.required_tags,
            |k| tags.contains_key(k),
            || tags.keys().any(|k| !k.starts_with("aws:")),
        )
    });
    vec![("tier", Ok(tier)), ("tags_missing", Ok(json!(absent)))]
}

/// The required keys that are not there; without required keys, whether there is any tag of the owner's.
fn missing(required: &[String], has: impl Fn(&str) -> bool, has_any: impl Fn() -> bool) -> Vec<String> {
    if required.is_empty() {
        return if has_any() { Vec::new() } else { vec!["any tag".to_owned()] };
    }
    required.iter().filter(|k| !has(k)).cloned().collect()
}
