//! Require good passwords of IAM users. What is stricter already stays; users meet it at their next change of password.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "iam_set_password_policy",
    &["iam:DeleteAccountPasswordPolicy", "iam:GetAccountPasswordPolicy", "iam:UpdateAccountPasswordPolicy"],
    plan,
);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let there = seen.now.get("policy").filter(|p| p.is_object()).cloned().unwrap_or_else(|| {
        json!({
            "minimum_length": 8, "symbols": false, "numbers": false, "upper": false, "lower": false, "may_change": true,
            "max_age": null, "reuse_prevention": null, "hard_expiry": null,
        })
    });
    let at_least = |name: &str, wanted: i64| there.get(name).and_then(Value::as_i64).unwrap_or(0).max(wanted);
    let length = at_least("minimum_length", seen.number("minimum_length", 14, 6, 128)?);
    let reuse = at_least("reuse_prevention", seen.number("reuse_prevention", 24, 1, 24)?);
    let policy = set(&there, &[("minimum_length", json!(length)), ("reuse_prevention", json!(reuse))])?;
    set(seen.now, &[("policy", policy)])
}
