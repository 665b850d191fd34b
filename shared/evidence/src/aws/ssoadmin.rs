//! IAM Identity Center: whether there is an instance.

use aws_sdk_ssoadmin::Client;
use picket_model::Document;
use serde_json::json;

use crate::aws::json::Text as _;
use crate::aws::tell::{Ask, Service, Tell as _};
use crate::collector::Reach;

/// Instances of Identity Center, which live in one Region.
pub static SSOADMIN: Service = Service {
    reach: Reach::Region,
    kinds: &["ssoadmin.instance"],
    permissions: &["sso:ListInstances"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let listed = client.list_instances().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    ask.listed("ssoadmin.instance", "sso:ListInstances", listed, |i| {
        let value = json!({
            "instance_arn": i.instance_arn(),
            "owner_account_id": i.owner_account_id(),
            "status": i.status().map(|s| s.as_str()),
        });
        (i.instance_arn().text(), value)
    })
}
