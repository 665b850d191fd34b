//! Deny everything to the sessions of a role that exist now; sessions that begin later are not touched. For credentials
//! that leaked while the role itself is needed.
//! Guard: roles of AWS services and of Picket, and roles that instances share.
//! Caveats: IAM takes seconds to minutes to hold everywhere.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "iam_deny_sessions",
    &[
        "iam:AttachRolePolicy",
        "iam:CreatePolicy",
        "iam:DeletePolicy",
        "iam:DetachRolePolicy",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:GetRole",
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
    ],
    plan,
)
.stopping_principals()
.moving();

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    super::stoppable(seen)?;
    if seen.now.get("issued_before").is_some_and(Value::is_string) {
        // Older sessions are denied already; an undo and a new order move the time.
        return Err(Not::Already);
    }
    let wrong = || Not::Wrong("the time was not read".to_owned());
    let now = seen.facts.get("time").filter(|t| t.is_string()).ok_or_else(wrong)?;
    set(seen.now, &[("issued_before", json!(now))])
}
