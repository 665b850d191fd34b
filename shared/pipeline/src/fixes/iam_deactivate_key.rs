//! An access key opens nothing until somebody switches it on again. The key and its user stay: they are evidence.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("iam_deactivate_key", &["iam:ListAccessKeys", "iam:UpdateAccessKey"], plan).stopping_principals();

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("status", json!("Inactive"))])
}
