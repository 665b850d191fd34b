//! Switch GuardDuty on in a Region: make its detector, or let a suspended one go on.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "guardduty_enable",
    &[
        "guardduty:CreateDetector",
        "guardduty:DeleteDetector",
        "guardduty:GetDetector",
        "guardduty:ListDetectors",
        "guardduty:UpdateDetector",
        "iam:CreateServiceLinkedRole",
    ],
    plan,
)
.staying(&["findings of a detector that did not exist before"]);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("detector", json!("on"))])
}
