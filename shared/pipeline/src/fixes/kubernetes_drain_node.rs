//! Cordon a node and evict its pods. An eviction respects the budgets of their owners: what a budget does not allow now is
//! tried again later. Pods of DaemonSets and of the node itself stay.
//! Guard: pods without an owner are lost when they are evicted.

use serde_json::{Value, json};

use super::{Action, Ends, Not, Seen, Stands, set};

pub(super) const ACTION: Action = Action::new("kubernetes_drain_node", &["eks:DescribeCluster"], plan)
    .comparing(stands)
    .staying(&["pods that were evicted: their owners made new ones elsewhere"]);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    if let Some(orphan) = seen.fact_strings("orphans").first() {
        return Err(Not::Guarded(format!("pod {orphan} has no owner that would make it anew; it would be lost")));
    }
    set(seen.now, &[("unschedulable", json!(true)), ("pods", json!([]))])
}

/// Pods come back where their owners put them, so that the node alone tells whether it was put back.
fn stands(ends: &Ends<'_>) -> Stands {
    let cordoned = |v: &Value| v.get("unschedulable").and_then(Value::as_bool) == Some(true);
    let empty = ends.live.get("pods").and_then(Value::as_array).is_some_and(Vec::is_empty);
    match (cordoned(ends.live), empty) {
        (true, true) => Stands::After,
        (true, false) if cordoned(ends.before) => Stands::Before,
        (true, false) => Stands::Between,
        (false, _) if cordoned(ends.before) => Stands::Other,
        (false, _) => Stands::Before,
    }
}
