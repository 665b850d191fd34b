//! Deny all traffic of a pod or of a workload, by a network policy of our own name and label beside whatever is there.
//! Guard: policies only ever allow, so one of somebody else that selects the same pods and allows something would go on
//! allowing it. It is named, never touched.

use serde_json::Value;

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("kubernetes_deny_network", &["eks:DescribeCluster"], plan).staying(&["connections that were cut"]);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    if seen.now.get("policy").is_some_and(Value::is_string) {
        return Err(Not::Already);
    }
    if let Some(other) = seen.fact_strings("allowing").first() {
        return Err(Not::Guarded(format!(
            "network policy {other} selects it too and allows traffic, which a second policy cannot take away; change \
             that policy, or drain the node"
        )));
    }
    if !Seen::flag(seen.facts, "selectable").unwrap_or(false) {
        return Err(Not::Guarded("no label tells its pods from others".to_owned()));
    }
    let wrong = || Not::Wrong("its name was not read".to_owned());
    let name = seen.facts.get("name").filter(|n| n.is_string()).ok_or_else(wrong)?;
    set(seen.now, &[("policy", name.clone())])
}
