//! Deletion protection of an EKS cluster: it has to be switched off before the cluster can be deleted.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("eks_protect_deletion", &["eks:DescribeCluster", "eks:UpdateClusterConfig"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("on", json!(true))])
}
