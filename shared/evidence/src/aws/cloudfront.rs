//! CloudFront distributions.

use aws_sdk_cloudfront::Client;
use aws_sdk_cloudfront::types as cf;
use futures::StreamExt as _;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::tell::{AT_ONCE, Ask, Service, Tell as _, WHOLE_LIST};
use crate::collector::Reach;

const KIND: &str = "cloudfront.distribution";

/// Distributions with their settings.
pub static CLOUDFRONT: Service = Service {
    reach: Reach::Account,
    kinds: &[KIND],
    permissions: &["cloudfront:GetDistributionConfig", "cloudfront:ListDistributions"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let listed = client.list_distributions().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    match listed {
        Ok(list) => {
            futures::stream::iter(list).map(|d| read(ask, &client, d)).buffer_unordered(AT_ONCE).collect().await
        }
        Err(error) => vec![ask.failed(KIND, WHOLE_LIST, "cloudfront:ListDistributions", &error)],
    }
}

async fn read(ask: Ask<'_>, client: &Client, summary: cf::DistributionSummary) -> Document {
    let call = "cloudfront:GetDistributionConfig";
    match client.get_distribution_config().id(summary.id()).send().await {
        Ok(answer) => {
            let mut value = answer.distribution_config().map_or(Value::Null, describe);
            value["id"] = summary.id().into();
            value["domain_name"] = summary.domain_name().into();
            ask.known(KIND, summary.id(), call, value)
        }
        Err(error) => ask.failed(KIND, summary.id(), call, &error),
    }
}

fn describe(c: &cf::DistributionConfig) -> Value {
    let geo = c.restrictions().and_then(|r| r.geo_restriction());
    let aliases = c.aliases().map(|a| a.items()).unwrap_or_default();
    json!({
        "enabled": c.enabled(),
        "comment": c.comment(),
        "aliases": aliases,
        // Version 2 of access logging is not part of the configuration; what it sets is not seen here.
        "logging": {"enabled": c.logging().is_some_and(|l| l.enabled() && !l.bucket().is_empty())},
        "viewer_protocol_policy": c.default_cache_behavior().map(|b| b.viewer_protocol_policy().as_str()),
        "geo_restriction": geo.map_or("none", |g| g.restriction_type().as_str()),
        "origins": c.origins().map(|o| o.items().iter().map(origin).collect::<Vec<_>>()).unwrap_or_default(),
        "web_acl_id": c.web_acl_id(),
    })
}

fn origin(o: &cf::Origin) -> Value {
    let custom = o.custom_origin_config();
    let protocols = custom.and_then(|c| c.origin_ssl_protocols()).map(|p| p.items()).unwrap_or_default();
    json!({
        "id": o.id(),
        "domain_name": o.domain_name(),
        "custom": custom.is_some(),
        "origin_protocol_policy": custom.map(|c| c.origin_protocol_policy().as_str()),
        "origin_ssl_protocols": protocols.iter().map(|p| p.as_str()).collect::<Vec<_>>(),
    })
}
