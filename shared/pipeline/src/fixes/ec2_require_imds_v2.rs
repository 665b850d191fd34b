//! An instance answers metadata requests with a token only, so that a forged request inside it gets no credentials.
//! Guard: whoever asked without a token in the last week would be cut off.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "ec2_require_imds_v2",
    &["cloudwatch:GetMetricStatistics", "ec2:DescribeInstances", "ec2:ModifyInstanceMetadataOptions"],
    plan,
);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let calls = seen.facts.get("calls_without_token").and_then(Value::as_f64);
    match calls {
        Some(calls) if calls > 0.0 && seen.now.get("tokens").and_then(Value::as_str) != Some("required") => {
            Err(Not::Guarded(format!(
                "it was asked {calls} times without a token within a week; what asks so would lose its credentials. \
                 Find it (metric MetadataNoToken), and update its SDK"
            )))
        }
        None => Err(Not::Guarded("whether something asks without a token could not be read".to_owned())),
        Some(_) => set(seen.now, &[("tokens", json!("required"))]),
    }
}
