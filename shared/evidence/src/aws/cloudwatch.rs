//! CloudWatch alarms.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::MetricAlarm;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::Text as _;
use crate::aws::tell::{Ask, Service, Tell as _};
use crate::collector::Reach;

/// Metric alarms.
pub static CLOUDWATCH: Service = Service {
    reach: Reach::Region,
    kinds: &["cloudwatch.alarm"],
    permissions: &["cloudwatch:DescribeAlarms"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let pages = client.describe_alarms().into_paginator().send().collect::<Result<Vec<_>, _>>().await;
    let alarms = pages.map(|p| p.into_iter().flat_map(|p| p.metric_alarms.unwrap_or_default()).collect());
    ask.listed("cloudwatch.alarm", "cloudwatch:DescribeAlarms", alarms, describe)
}

fn describe(a: &MetricAlarm) -> (String, Value) {
    let value = json!({
        "alarm_name": a.alarm_name(),
        "namespace": a.namespace(),
        "metric_name": a.metric_name(),
        "actions_enabled": a.actions_enabled().unwrap_or_default(),
        "alarm_actions": a.alarm_actions(),
    });
    (a.alarm_name().text(), value)
}
