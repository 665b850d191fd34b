//! Switch EKS control-plane logs on. Types that are on stay on.

use serde_json::{Value, json};

use super::{Action, Not, Seen};

pub(super) const ACTION: Action =
    Action::new("eks_set_logging", &["eks:DescribeCluster", "eks:UpdateClusterConfig"], plan)
        .staying(&["the logs that were written, and what they cost"]);

const TYPES: [&str; 5] = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let wanted = seen.list("types")?.unwrap_or_else(|| TYPES.map(str::to_owned).to_vec());
    if let Some(odd) = wanted.iter().find(|w| !TYPES.contains(&w.as_str())) {
        return Err(Not::Wrong(format!("`{odd}` is no log type; there are {}", TYPES.join(", "))));
    }
    let there = seen.strings("types")?;
    let both = TYPES.iter().filter(|t| there.iter().chain(&wanted).any(|w| w == *t));
    Ok(json!({ "types": both.collect::<Vec<_>>() }))
}
