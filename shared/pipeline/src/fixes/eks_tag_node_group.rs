//! Add tags to an EKS node group. Tags that are there keep their values.

use serde_json::Value;

use super::{Action, Not, Seen};

pub(super) const ACTION: Action =
    Action::new("eks_tag_node_group", &["eks:ListTagsForResource", "eks:TagResource", "eks:UntagResource"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    super::tags(seen)
}
