//! Pods that run as the default service account of a namespace get no token unless they ask for one.
//! Guard: pods that use it now, and may need it at their next start.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new("kubernetes_unmount_default_token", &["eks:DescribeCluster"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    if seen.now.get("automount") == Some(&json!(false)) {
        return Err(Not::Already);
    }
    if let Some(pod) = seen.fact_strings("pods").first() {
        return Err(Not::Guarded(format!(
            "pod {pod} runs as the default service account and gets its token; give it an account of its own first"
        )));
    }
    set(seen.now, &[("automount", json!(false))])
}
