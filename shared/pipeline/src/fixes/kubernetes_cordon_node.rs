//! Schedule nothing new on a node. What runs there goes on.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new("kubernetes_cordon_node", &["eks:DescribeCluster"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("unschedulable", json!(true))])
}
