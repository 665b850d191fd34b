//! Elastic file systems.

use aws_sdk_efs::Client;
use aws_sdk_efs::types::FileSystemDescription;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::tags;
use crate::aws::tell::{Ask, Service, Tell as _};
use crate::collector::Reach;

/// File systems.
pub static EFS: Service = Service {
    reach: Reach::Region,
    kinds: &["efs.file_system"],
    permissions: &["elasticfilesystem:DescribeFileSystems"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let listed = client.describe_file_systems().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    ask.listed("efs.file_system", "elasticfilesystem:DescribeFileSystems", listed, describe)
}

fn describe(f: &FileSystemDescription) -> (String, Value) {
    let value = json!({
        "file_system_id": f.file_system_id(),
        "encrypted": f.encrypted(),
        "kms_key_id": f.kms_key_id(),
        "tags": tags(f.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (f.file_system_id().to_owned(), value)
}
