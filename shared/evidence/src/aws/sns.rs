//! Topics: who may publish and subscribe, and who has.

use aws_sdk_sns::Client;
use futures::StreamExt as _;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::policy::Policy;
use crate::aws::tell::{AT_ONCE, Ask, Service, Tell as _, WHOLE_LIST};
use crate::collector::Reach;

const KIND: &str = "sns.topic";

/// Topics with their attributes.
pub static SNS: Service = Service {
    reach: Reach::Region,
    kinds: &[KIND],
    permissions: &["sns:GetTopicAttributes", "sns:ListTopics"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    match client.list_topics().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await {
        Ok(topics) => {
            let arns = topics.into_iter().filter_map(|t| t.topic_arn);
            futures::stream::iter(arns).map(|arn| read(ask, &client, arn)).buffer_unordered(AT_ONCE).collect().await
        }
        Err(error) => vec![ask.failed(KIND, WHOLE_LIST, "sns:ListTopics", &error)],
    }
}

async fn read(ask: Ask<'_>, client: &Client, arn: String) -> Document {
    match client.get_topic_attributes().topic_arn(&arn).send().await {
        Ok(answer) => {
            let get = |name: &str| answer.attributes().and_then(|a| a.get(name)).map(String::as_str);
            ask.known(KIND, arn.clone(), "sns:GetTopicAttributes", describe(&arn, get, ask.place.account.as_str()))
        }
        Err(error) => ask.failed(KIND, arn, "sns:GetTopicAttributes", &error),
    }
}

fn describe<'a>(arn: &str, get: impl Fn(&str) -> Option<&'a str>, account: &str) -> Value {
    let policy = Policy::parse(get("Policy").unwrap_or("{}"));
    let number = |name: &str| get(name).and_then(|n| n.parse::<i64>().ok());
    json!({
        "topic_arn": arn,
        "subscriptions_confirmed": number("SubscriptionsConfirmed"),
        "subscriptions_pending": number("SubscriptionsPending"),
        "kms_master_key_id": get("KmsMasterKeyId"),
        "policy": policy.facts(account),
        "anybody_may_publish": policy.lets_anybody("sns:Publish"),
        "anybody_may_subscribe": policy.lets_anybody("sns:Subscribe"),
    })
}
