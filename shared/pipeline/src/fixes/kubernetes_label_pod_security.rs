//! Check the pods of a namespace against a pod-security level: warn first, enforce later. Labels that are there already
//! and say something else are left to their owner.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new("kubernetes_label_pod_security", &["eks:DescribeCluster"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let level = seen.with.get("level").map_or("baseline", |l| l.as_str().unwrap_or_default());
    let mode = seen.with.get("mode").map_or("warn", |m| m.as_str().unwrap_or_default());
    if !["baseline", "restricted"].contains(&level) || !["warn", "audit", "enforce"].contains(&mode) {
        return Err(Not::Wrong("`level` is baseline or restricted, `mode` is warn, audit or enforce".to_owned()));
    }
    let there = |name: &str| seen.now.get(name).and_then(Value::as_str);
    match there(mode) {
        Some(set) if set == level || set == "restricted" => return Err(Not::Already),
        Some(set) if set != "privileged" => return Err(Not::Guarded(format!("its owner chose `{set}` for {mode}"))),
        _ => {}
    }
    if mode == "enforce" {
        if seen.target.ends_with("/kube-system") {
            return Err(Not::Guarded("pods of kube-system need more than any level allows".to_owned()));
        }
        if there("warn").is_none() {
            return Err(Not::Guarded(
                "nobody was warned yet: set `mode: warn` first and look at the warnings".to_owned(),
            ));
        }
    }
    set(seen.now, &[(mode, json!(level))])
}
