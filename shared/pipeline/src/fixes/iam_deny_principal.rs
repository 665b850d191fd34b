//! Deny everything to a user or a role, by AWS's own policy AWSDenyAll, whatever else it is allowed.
//! Guard: roles of AWS services and of Picket, and roles that instances share.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "iam_deny_principal",
    &[
        "iam:AttachRolePolicy",
        "iam:AttachUserPolicy",
        "iam:DetachRolePolicy",
        "iam:DetachUserPolicy",
        "iam:GetRole",
        "iam:GetUser",
        "iam:ListAttachedRolePolicies",
        "iam:ListAttachedUserPolicies",
        "iam:ListInstanceProfilesForRole",
    ],
    plan,
)
.stopping_principals();

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    super::stoppable(seen)?;
    set(seen.now, &[("denied", json!(true))])
}
