//! No bucket of the account is public, whatever its own settings say.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "s3_block_account_public_access",
    &["s3:GetAccountPublicAccessBlock", "s3:PutAccountPublicAccessBlock"],
    plan,
)
.asking("it closes every public bucket of the account at once");

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let all = json!({"block_acls": true, "ignore_acls": true, "block_policy": true, "restrict": true});
    set(seen.now, &[("block", all)])
}
