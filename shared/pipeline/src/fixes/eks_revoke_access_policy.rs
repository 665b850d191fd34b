//! Take one access policy, such as cluster administrator, from a principal, and leave its other rights.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "eks_revoke_access_policy",
    &["eks:AssociateAccessPolicy", "eks:DisassociateAccessPolicy", "eks:ListAssociatedAccessPolicies"],
    plan,
);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let wanted = seen.text("policy")?;
    if !wanted.starts_with("arn:") {
        return Err(Not::Wrong("`policy` is the ARN of an access policy".to_owned()));
    }
    if seen.now.get("scope").is_none_or(Value::is_null) {
        return Err(Not::Already);
    }
    set(seen.now, &[("scope", json!(null))])
}
