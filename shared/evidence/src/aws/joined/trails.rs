//! Trails with the bucket that they write to.

use picket_model::Document;
use serde_json::Value;

use super::{Added, Around, Join};
use crate::aws::json::texts;

/// Trails.
pub const JOINS: &[Join] = &[Join { kind: "cloudtrail.trail", needs: &["s3.bucket"], add: bucket }];

fn bucket(_: &Document, trail: &Value, around: &Around<'_>) -> Added {
    let name = trail["s3_bucket_name"].as_str().unwrap_or_default();
    let found = around.everywhere("s3.bucket").and_then(|all| {
        all.into_iter().find(|b| b["name"] == name).ok_or_else(|| format!("the bucket {name} is not of this account"))
    });
    let of = |field: fn(&Value) -> Option<bool>| {
        found
            .clone()
            .and_then(|b| field(b).map(Value::from).ok_or_else(|| format!("the bucket {name} was not read in full")))
    };
    vec![
        ("bucket_is_logged", of(|b| b["logging"]["enabled"].as_bool())),
        ("bucket_is_public", of(|b| Some(texts(b.get("policy")?.get("public_actions")?).next().is_some()))),
    ]
}
