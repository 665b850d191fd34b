//! A bucket is not public, whatever its policy and lists say.
//! Guard: one that serves a website would go dark.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "s3_block_bucket_public_access",
    &["s3:GetBucketPublicAccessBlock", "s3:GetBucketWebsite", "s3:PutBucketPublicAccessBlock"],
    plan,
);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    if Seen::flag(seen.facts, "website").unwrap_or(false) {
        return Err(Not::Guarded(
            "it serves a website, which would go dark; put CloudFront before it first".to_owned(),
        ));
    }
    let all = json!({"block_acls": true, "ignore_acls": true, "block_policy": true, "restrict": true});
    set(seen.now, &[("block", all)])
}
