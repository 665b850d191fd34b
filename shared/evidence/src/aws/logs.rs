//! CloudWatch Logs: groups, metric filters, subscription filters.

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types as logs;
use futures::StreamExt as _;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, tags};
use crate::aws::tell::{AT_ONCE, Ask, Service, Tell as _, WHOLE_LIST, reason};
use crate::collector::Reach;

const GROUP: &str = "logs.log_group";

/// Log groups, each with its tags and subscriptions, and metric filters.
pub static LOGS: Service = Service {
    reach: Reach::Region,
    kinds: &[GROUP, "logs.metric_filter"],
    permissions: &[
        "logs:DescribeLogGroups",
        "logs:DescribeMetricFilters",
        "logs:DescribeSubscriptionFilters",
        "logs:ListTagsForResource",
    ],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let (groups, filters) = futures::join!(
        client.describe_log_groups().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
        client.describe_metric_filters().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
    );
    let mut all = ask.listed("logs.metric_filter", "logs:DescribeMetricFilters", filters, filter);
    match groups {
        Ok(list) => {
            let read = futures::stream::iter(list).map(|g| group(ask, &client, g)).buffer_unordered(AT_ONCE);
            all.extend(read.collect::<Vec<_>>().await);
        }
        Err(error) => all.push(ask.failed(GROUP, WHOLE_LIST, "logs:DescribeLogGroups", &error)),
    }
    all
}

/// Subscriptions and tags are asked for one group at a time, which 285,000 groups would not bear: only for groups of
/// clusters, trails, flow logs and tiers, which are the ones that rules ask about.
async fn group(ask: Ask<'_>, client: &Client, g: logs::LogGroup) -> Document {
    let name = g.log_group_name().text();
    let mut value = json!({
        "log_group_name": name,
        "arn": g.log_group_arn(),
        // Without a number, AWS keeps events for ever.
        "retention_in_days": g.retention_in_days(),
        "kept_for_ever": g.retention_in_days().is_none(),
        "kms_key_id": g.kms_key_id(),
        "metric_filter_count": g.metric_filter_count().unwrap_or_default(),
        // Groups that services of AWS made belong to no tier.
        "tags": {},
        "unread": {},
    });
    if name.starts_with("/aws/eks/") {
        match client.describe_subscription_filters().log_group_name(&name).send().await {
            Ok(answer) => value["subscription_filter_count"] = answer.subscription_filters().len().into(),
            Err(error) => {
                value["unread"]["subscription_filter_count"] =
                    reason("logs:DescribeSubscriptionFilters", &error).into();
            }
        }
    }
    if !name.starts_with("/aws/") {
        let arn = g.log_group_arn().or(g.arn()).text();
        match client.list_tags_for_resource().resource_arn(arn.trim_end_matches(":*")).send().await {
            Ok(answer) => {
                let found = answer.tags().into_iter().flatten();
                value["tags"] = tags(found.map(|(k, v)| (k.as_str(), v.as_str())));
            }
            Err(error) => {
                value["tags"] = Value::Null;
                value["unread"]["tags"] = reason("logs:ListTagsForResource", &error).into();
            }
        }
    }
    ask.known(GROUP, name, "logs:DescribeLogGroups", value)
}

fn filter(f: &logs::MetricFilter) -> (String, Value) {
    let metrics = f.metric_transformations().iter();
    let value = json!({
        "filter_name": f.filter_name(),
        "log_group_name": f.log_group_name(),
        "filter_pattern": f.filter_pattern(),
        "metrics": metrics.map(|m| json!({"name": m.metric_name(), "namespace": m.metric_namespace()})).collect::<Vec<_>>(),
    });
    (format!("{}/{}", f.log_group_name().text(), f.filter_name().text()), value)
}
