//! No Systems Manager document of the account may become public in a Region.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("ssm_block_public_documents", &["ssm:GetServiceSetting", "ssm:UpdateServiceSetting"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("sharing", json!("Disable"))])
}
