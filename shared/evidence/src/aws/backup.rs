//! What AWS Backup protects.

use aws_sdk_backup::Client;
use aws_sdk_backup::types::ProtectedResource;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, time};
use crate::aws::tell::{Ask, Service, Tell as _};
use crate::collector::Reach;

/// Resources that have been backed up.
pub static BACKUP: Service = Service {
    reach: Reach::Region,
    kinds: &["backup.protected_resource"],
    permissions: &["backup:ListProtectedResources"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let listed = client.list_protected_resources().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    ask.listed("backup.protected_resource", "backup:ListProtectedResources", listed, describe)
}

fn describe(r: &ProtectedResource) -> (String, Value) {
    let value = json!({
        "resource_arn": r.resource_arn(),
        "resource_type": r.resource_type(),
        "last_backup_time": time(r.last_backup_time()),
    });
    (r.resource_arn().text(), value)
}
