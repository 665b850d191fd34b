//! Take the rights of anonymous callers: the subjects `system:anonymous` and `system:unauthenticated` out of a binding, or
//! the whole binding where it has no others. It was captured whole, and comes back as it was.
//! Guard: `system:public-info-viewer`, which Kubernetes makes itself and which shows health and version only.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new("kubernetes_revoke_anonymous", &["eks:DescribeCluster"], plan);

const NOBODIES: [&str; 2] = ["system:anonymous", "system:unauthenticated"];

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let Some(binding) = seen.now.get("binding").filter(|b| b.is_object()) else { return Err(Not::Already) };
    if seen.target.ends_with("/system:public-info-viewer") {
        return Err(Not::Guarded("Kubernetes makes this binding itself; it shows health and version only".to_owned()));
    }
    let subjects = binding.get("subjects").and_then(Value::as_array).cloned().unwrap_or_default();
    let anonymous = |s: &Value| s.get("name").and_then(Value::as_str).is_some_and(|n| NOBODIES.contains(&n));
    let rest: Vec<Value> = subjects.iter().filter(|s| !anonymous(s)).cloned().collect();
    if rest.len() == subjects.len() {
        return Err(Not::Already);
    }
    let next = if rest.is_empty() { Value::Null } else { set(binding, &[("subjects", json!(rest))])? };
    set(seen.now, &[("binding", next)])
}
