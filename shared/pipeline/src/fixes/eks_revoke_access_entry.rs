//! Take a principal's access to a cluster: its entry with groups, user name and tags, and every access policy. All of it
//! comes back with an undo.
//! Guard: entries of nodes and of EKS itself, without which nodes cannot join, and the last entry there is.

use serde_json::{Value, json};

use super::{Action, Ends, Not, Seen, Stands};

pub(super) const ACTION: Action = Action::new(
    "eks_revoke_access_entry",
    &[
        "eks:AssociateAccessPolicy",
        "eks:CreateAccessEntry",
        "eks:DeleteAccessEntry",
        "eks:DescribeAccessEntry",
        "eks:ListAccessEntries",
        "eks:ListAssociatedAccessPolicies",
        "eks:TagResource",
    ],
    plan,
)
.comparing(stands)
.staying(&["the entry's own ARN and dates: AWS gives new ones"]);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let Some(entry) = seen.now.get("entry").filter(|e| !e.is_null()) else { return Err(Not::Already) };
    let kind = entry.get("type").and_then(Value::as_str).unwrap_or("STANDARD");
    if kind != "STANDARD" {
        return Err(Not::Guarded(format!("it is an entry of type {kind}: nodes need it to join the cluster")));
    }
    if seen.facts.get("entries").and_then(Value::as_u64).unwrap_or(0) <= 1 {
        return Err(Not::Guarded("it is the only access entry; nobody could get in".to_owned()));
    }
    Ok(json!({"entry": null, "policies": []}))
}

/// An entry that came back without some of its policies is half undone.
fn stands(ends: &Ends<'_>) -> Stands {
    let entry = |v: &Value| v.get("entry").cloned().unwrap_or_default();
    match ends.live {
        live if live == ends.after => Stands::After,
        live if live == ends.before => Stands::Before,
        live if entry(live) == entry(ends.before) => Stands::Between,
        _ => Stands::Other,
    }
}
