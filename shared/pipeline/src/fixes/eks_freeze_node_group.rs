//! A rogue node group may not grow: its largest size becomes what it has now. Nothing that runs is ended: it is evidence.

use serde_json::{Value, json};

use super::{Action, Ends, Not, Seen, Stands, set};

pub(super) const ACTION: Action =
    Action::new("eks_freeze_node_group", &["eks:DescribeNodegroup", "eks:UpdateNodegroupConfig"], plan)
        .comparing(stands);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let size = |name: &str| {
        let wrong = || Not::Wrong(format!("`{name}` was not read"));
        seen.now.get(name).and_then(Value::as_i64).ok_or_else(wrong)
    };
    let (min, max, desired) = (size("min")?, size("max")?, size("desired")?);
    // EKS wants a largest size of at least one; a group of none is frozen there.
    let most = desired.max(1);
    if max <= most {
        return Err(Not::Already);
    }
    set(seen.now, &[("min", json!(min.min(most))), ("max", json!(most))])
}

/// How many nodes are wanted is an autoscaler's matter between the sizes.
fn stands(ends: &Ends<'_>) -> Stands {
    let of = |v: &Value| (v.get("min").cloned(), v.get("max").cloned());
    match of(ends.live) {
        live if live == of(ends.after) => Stands::After,
        live if live == of(ends.before) => Stands::Before,
        _ => Stands::Other,
    }
}
