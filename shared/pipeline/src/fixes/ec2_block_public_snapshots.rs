//! No snapshot of the account is shared with everybody in a Region: those that are become private, and come back with an
//! undo.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "ec2_block_public_snapshots",
    &[
        "ec2:DisableSnapshotBlockPublicAccess",
        "ec2:EnableSnapshotBlockPublicAccess",
        "ec2:GetSnapshotBlockPublicAccessState",
    ],
    plan,
);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("state", json!("block-all-sharing"))])
}
