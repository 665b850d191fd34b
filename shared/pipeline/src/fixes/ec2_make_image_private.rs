//! No longer share an image with everybody. Accounts that it is shared with by name keep it.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("ec2_make_image_private", &["ec2:DescribeImageAttribute", "ec2:ModifyImageAttribute"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("public", json!(false))])
}
