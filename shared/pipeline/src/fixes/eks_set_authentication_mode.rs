//! Let access entries decide who gets into a cluster. AWS does not go back from there: people are always asked.
//! Guard: with `API` alone the aws-auth ConfigMap counts no more, so a cluster whose nodes are known only there loses
//! them. Both ways have to be on before.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "eks_set_authentication_mode",
    &["eks:DescribeCluster", "eks:ListAccessEntries", "eks:UpdateClusterConfig"],
    plan,
);

const MODES: [&str; 3] = ["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"];

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let wanted = seen.text("mode")?;
    let at = |mode: &str| MODES.iter().position(|m| *m == mode);
    let there = seen.now.get("mode").and_then(Value::as_str).unwrap_or_default();
    match (at(there), at(wanted)) {
        (_, None | Some(0)) => Err(Not::Wrong("`mode` is API_AND_CONFIG_MAP or API".to_owned())),
        (None, _) => Err(Not::Wrong(format!("the cluster's mode `{there}` is not known here"))),
        (Some(from), Some(to)) if from >= to => Err(Not::Already),
        (Some(0), Some(2)) => Err(Not::Guarded(
            "whoever is known by the aws-auth ConfigMap only would be locked out at once; go to API_AND_CONFIG_MAP \
             first, and make access entries"
                .to_owned(),
        )),
        (_, Some(2)) if seen.facts.get("entries").and_then(Value::as_u64).unwrap_or(0) == 0 => {
            Err(Not::Guarded("the cluster has no access entry, so nobody and no node could get in".to_owned()))
        }
        _ => set(seen.now, &[("mode", json!(wanted))]),
    }
}
