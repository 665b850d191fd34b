//! Everything that has, or had, a tag, from one paged call.

use aws_sdk_resourcegroupstagging::Client;
use aws_sdk_resourcegroupstagging::types::ResourceTagMapping;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, tags};
use crate::aws::tell::{Ask, Service, Tell as _};
use crate::collector::Reach;

/// Tagged resources of all services.
pub static TAGGING: Service = Service {
    reach: Reach::Region,
    kinds: &["tagging.resource"],
    permissions: &["tag:GetResources"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let listed = client.get_resources().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    ask.listed("tagging.resource", "tag:GetResources", listed, describe)
}

fn describe(r: &ResourceTagMapping) -> (String, Value) {
    let value = json!({
        "resource_arn": r.resource_arn(),
        "tags": tags(r.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (r.resource_arn().text(), value)
}
