//! Rotate a KMS key every year. What was encrypted with the older key material can still be read.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "kms_enable_rotation",
    &["kms:DisableKeyRotation", "kms:EnableKeyRotation", "kms:GetKeyRotationStatus"],
    plan,
);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("on", json!(true))])
}
