//! Volumes, and snapshots with who may restore them.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types as ec2;
use futures::StreamExt as _;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, days_since, tags};
use crate::aws::tell::{AT_ONCE, Ask, Tell as _, WHOLE_LIST, reason};

const SNAPSHOT: &str = "ec2.snapshot";

/// Volumes and own snapshots.
pub async fn collect(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let volumes = client.describe_volumes().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let mut all = ask.listed("ec2.volume", "ec2:DescribeVolumes", volumes, volume);
    all.extend(snapshots(ask, client).await);
    all
}

fn volume(v: &ec2::Volume) -> (String, Value) {
    let value = json!({
        "volume_id": v.volume_id(),
        "state": v.state().map(|s| s.as_str()),
        "encrypted": v.encrypted(),
        "kms_key_id": v.kms_key_id(),
        "instance_ids": v.attachments().iter().filter_map(|a| a.instance_id()).collect::<Vec<_>>(),
        "tags": tags(v.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (v.volume_id().text(), value)
}

async fn snapshots(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let pages = client.describe_snapshots().owner_ids("self").into_paginator().items().send();
    match pages.collect::<Result<Vec<_>, _>>().await {
        Ok(list) => {
            futures::stream::iter(list).map(|s| snapshot(ask, client, s)).buffer_unordered(AT_ONCE).collect().await
        }
        Err(error) => vec![ask.failed(SNAPSHOT, WHOLE_LIST, "ec2:DescribeSnapshots", &error)],
    }
}

async fn snapshot(ask: Ask<'_>, client: &Client, s: ec2::Snapshot) -> Document {
    let mut value = json!({
        "snapshot_id": s.snapshot_id(),
        "encrypted": s.encrypted(),
        "volume_id": s.volume_id(),
        "age_days": days_since(s.start_time(), ask.at),
        "tags": tags(s.tags().iter().map(|t| (t.key(), t.value()))),
    });
    let call = client.describe_snapshot_attribute().snapshot_id(s.snapshot_id().text());
    match call.attribute(ec2::SnapshotAttributeName::CreateVolumePermission).send().await {
        Ok(answer) => {
            let permissions = answer.create_volume_permissions();
            value["create_volume_permission"] = json!({
                "groups": permissions.iter().filter_map(|p| p.group()).map(|g| g.as_str()).collect::<Vec<_>>(),
                "user_ids": permissions.iter().filter_map(|p| p.user_id()).collect::<Vec<_>>(),
            });
        }
        Err(error) => {
            value["unread"] = json!({"create_volume_permission": reason("ec2:DescribeSnapshotAttribute", &error)});
        }
    }
    ask.known(SNAPSHOT, s.snapshot_id(), "ec2:DescribeSnapshots", value)
}
