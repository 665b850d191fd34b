//! Encrypt a cluster's secrets with a KMS key. AWS cannot take that back, and a key that is deleted takes the cluster
//! with it: people are always asked.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "eks_encrypt_secrets",
    &["eks:AssociateEncryptionConfig", "eks:DescribeCluster", "kms:CreateGrant", "kms:DescribeKey"],
    plan,
);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    if seen.now.get("key").is_some_and(Value::is_string) {
        return Err(Not::Already);
    }
    set(seen.now, &[("key", json!(seen.text("key")?))])
}
