//! A database instance takes minor upgrades by itself, in its maintenance window.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("rds_enable_minor_upgrades", &["rds:DescribeDBInstances", "rds:ModifyDBInstance"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("on", json!(true))])
}
