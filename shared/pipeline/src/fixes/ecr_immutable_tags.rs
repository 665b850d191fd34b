//! A tag of an image stays what it was: nobody can push another image under it.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("ecr_immutable_tags", &["ecr:DescribeRepositories", "ecr:PutImageTagMutability"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("mutability", json!("IMMUTABLE"))])
}
