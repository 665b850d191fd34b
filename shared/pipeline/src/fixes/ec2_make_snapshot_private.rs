//! No longer share a snapshot with everybody. Accounts that it is shared with by name keep it.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("ec2_make_snapshot_private", &["ec2:DescribeSnapshotAttribute", "ec2:ModifySnapshotAttribute"], plan)
        .staying(&["copies that others made while it was public"]);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("public", json!(false))])
}
