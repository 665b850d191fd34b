//! A database instance gets no public address. Guard: none is needed inside its VPC; whoever comes from outside is cut off.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("rds_disable_public_access", &["rds:DescribeDBInstances", "rds:ModifyDBInstance"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("public", json!(false))])
}
