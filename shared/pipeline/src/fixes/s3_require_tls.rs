//! A bucket refuses requests without TLS: one statement more in its policy. The policy's text comes back as it was.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("s3_require_tls", &["s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"], plan);

/// Our statement's name.
const SID: &str = "PicketRequiresTls";

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let mut policy = match seen.now.get("policy").and_then(Value::as_str) {
        None => json!({"Version": "2012-10-17", "Statement": []}),
        Some(text) => serde_json::from_str(text).map_err(|e| Not::Wrong(format!("its policy cannot be read: {e}")))?,
    };
    let bucket =
        format!("arn:{}:s3:::{}", seen.facts.get("partition").and_then(Value::as_str).unwrap_or("aws"), seen.target);
    let Some(statements) = policy.get_mut("Statement") else {
        return Err(Not::Wrong("its policy has no statements".to_owned()));
    };
    if !statements.is_array() {
        *statements = json!([statements.clone()]);
    }
    let Some(list) = statements.as_array_mut() else { return Err(Not::Wrong("its policy is no policy".to_owned())) };
    if list.iter().any(refuses_plain) {
        return Err(Not::Already);
    }
    list.push(json!({
        "Sid": SID, "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [bucket, format!("{bucket}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }));
    set(seen.now, &[("policy", json!(policy.to_string()))])
}

/// Whether a statement denies everything that comes without TLS, to everybody.
fn refuses_plain(statement: &Value) -> bool {
    let text = |path: &str| statement.pointer(path).map(Value::to_string).unwrap_or_default();
    let everybody = matches!(text("/Principal").as_str(), "\"*\"" | "{\"AWS\":\"*\"}");
    let everything = text("/Action").contains("\"s3:*\"") || text("/Action") == "\"*\"";
    let plain = text("/Condition/Bool/aws:SecureTransport").contains("false");
    statement.get("Effect") == Some(&json!("Deny")) && everybody && everything && plain
}
