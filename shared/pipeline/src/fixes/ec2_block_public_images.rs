//! No image of the account may become public in a Region. Images that are public stay so until they are made private.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "ec2_block_public_images",
    &["ec2:DisableImageBlockPublicAccess", "ec2:EnableImageBlockPublicAccess", "ec2:GetImageBlockPublicAccessState"],
    plan,
);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("state", json!("block-new-sharing"))])
}
