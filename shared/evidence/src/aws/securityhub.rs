//! Whether Security Hub is on.

use aws_sdk_securityhub::Client;
use picket_model::Document;
use serde_json::json;

use crate::aws::tell::{Ask, Service, Tell as _, code};
use crate::collector::Reach;

/// One document a Region.
pub static SECURITYHUB: Service = Service {
    reach: Reach::Region,
    kinds: &["securityhub.hub"],
    permissions: &["securityhub:DescribeHub"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let (kind, call) = ("securityhub.hub", "securityhub:DescribeHub");
    let id = ask.place.region.as_ref().map(|r| r.as_str());
    match client.describe_hub().send().await {
        Ok(answer) => vec![ask.known(kind, id, call, json!({"enabled": true, "hub_arn": answer.hub_arn()}))],
        // That is how it says that it is off.
        Err(error) if matches!(code(&error), Some("InvalidAccessException" | "ResourceNotFoundException")) => {
            vec![ask.known(kind, id, call, json!({"enabled": false}))]
        }
        Err(error) => vec![ask.failed(kind, id, call, &error)],
    }
}
