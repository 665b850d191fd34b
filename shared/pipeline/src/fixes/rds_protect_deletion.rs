//! A database instance cannot be deleted by one call.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("rds_protect_deletion", &["rds:DescribeDBInstances", "rds:ModifyDBInstance"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("on", json!(true))])
}
