//! Answers of the metadata service do not travel past the instance itself, so that containers get no credentials of the
//! host.
//! Guard: pods of a Kubernetes node that have no role of their own live on those credentials.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("ec2_set_hop_limit", &["ec2:DescribeInstances", "ec2:ModifyInstanceMetadataOptions"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let limit = seen.number("limit", 1, 1, 64)?;
    let there = seen.now.get("hop_limit").and_then(Value::as_i64).unwrap_or(1);
    if there <= limit {
        return Err(Not::Already);
    }
    let sure = match seen.with.get("pods_have_roles") {
        Some(Value::String(text)) => text == "true",
        Some(value) => value.as_bool().unwrap_or(false),
        None => false,
    };
    if let Some(cluster) = seen.facts.get("node_of").and_then(Value::as_str).filter(|_| !sure) {
        return Err(Not::Guarded(format!(
            "it is a node of {cluster}: pods without roles of their own would lose AWS. Give them roles (pod identity \
             or service accounts), then say `pods_have_roles: true`"
        )));
    }
    set(seen.now, &[("hop_limit", json!(limit))])
}
