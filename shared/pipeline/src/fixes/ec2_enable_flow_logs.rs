//! Log the flows of a VPC to a bucket. A flow log of all traffic that is there already is enough, and is left alone.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "ec2_enable_flow_logs",
    &[
        "ec2:CreateFlowLogs",
        "ec2:CreateTags",
        "ec2:DeleteFlowLogs",
        "ec2:DescribeFlowLogs",
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
    ],
    plan,
)
.staying(&["the records that were written, and what they cost"]);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let bucket = seen.text("bucket")?;
    if !bucket.starts_with("arn:") || !bucket.contains(":s3:::") {
        return Err(Not::Wrong("`bucket` is the ARN of a bucket, such as arn:aws:s3:::flow-logs".to_owned()));
    }
    if Seen::flag(seen.facts, "other")? {
        return Err(Not::Already);
    }
    set(seen.now, &[("bucket", json!(bucket))])
}
