//! The account's own machine images.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types as ec2;
use jiff::Timestamp;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, days_between, tags};
use crate::aws::tell::{Ask, Tell as _};

/// Images that the account owns.
pub async fn collect(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let pages = client.describe_images().owners("self").into_paginator().items().send();
    let images = pages.collect::<Result<Vec<_>, _>>().await;
    ask.listed("ec2.image", "ec2:DescribeImages", images, |i| describe(i, ask.at))
}

fn describe(i: &ec2::Image, now: Timestamp) -> (String, Value) {
    let created = i.creation_date().and_then(|d| d.parse::<Timestamp>().ok());
    let disks = i.block_device_mappings().iter().filter_map(|d| d.ebs());
    let value = json!({
        "image_id": i.image_id(),
        "name": i.name(),
        "public": i.public(),
        "state": i.state().map(|s| s.as_str()),
        "creation_date": i.creation_date(),
        "age_days": created.map(|c| days_between(c, now)),
        "ebs": disks.map(|d| json!({"encrypted": d.encrypted(), "snapshot_id": d.snapshot_id()})).collect::<Vec<_>>(),
        "tags": tags(i.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (i.image_id().text(), value)
}
