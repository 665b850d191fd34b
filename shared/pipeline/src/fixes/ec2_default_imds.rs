//! New instances of a Region answer metadata requests with a token only, unless their launch says otherwise.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("ec2_default_imds", &["ec2:GetInstanceMetadataDefaults", "ec2:ModifyInstanceMetadataDefaults"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let mut fields = vec![("tokens", json!("required"))];
    if seen.with.contains_key("hop_limit") {
        fields.push(("hop_limit", json!(seen.number("hop_limit", 2, 1, 64)?)));
    }
    set(seen.now, &fields)
}
