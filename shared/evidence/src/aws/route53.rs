//! Hosted zones and what their names point to.

use aws_sdk_route53::Client;
use aws_sdk_route53::types as r53;
use futures::StreamExt as _;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::tell::{AT_ONCE, Ask, Service, Tell as _, WHOLE_LIST};
use crate::collector::Reach;

const KIND: &str = "route53.hosted_zone";

/// Hosted zones with their address records.
pub static ROUTE53: Service = Service {
    reach: Reach::Account,
    kinds: &[KIND],
    permissions: &["route53:ListHostedZones", "route53:ListResourceRecordSets"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    match client.list_hosted_zones().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await {
        Ok(zones) => {
            futures::stream::iter(zones).map(|z| read(ask, &client, z)).buffer_unordered(AT_ONCE).collect().await
        }
        Err(error) => vec![ask.failed(KIND, WHOLE_LIST, "route53:ListHostedZones", &error)],
    }
}

async fn read(ask: Ask<'_>, client: &Client, zone: r53::HostedZone) -> Document {
    let (id, call) = (zone.id().trim_start_matches("/hostedzone/").to_owned(), "route53:ListResourceRecordSets");
    match records(client, &id).await {
        Ok(records) => {
            let apex = records.iter().filter(|r| r.name() == zone.name() && address(r));
            let apex: Vec<&r53::ResourceRecordSet> = apex.collect();
            let value = json!({
                "id": id,
                "name": zone.name(),
                "private": zone.config().is_some_and(|c| c.private_zone()),
                "apex": apex.iter().map(|r| record(r)).collect::<Vec<_>>(),
                "records": records.iter().filter(|r| address(r)).map(record).collect::<Vec<_>>(),
            });
            ask.known(KIND, id, call, value)
        }
        Err(error) => ask.failed(KIND, id, call, &error),
    }
}

/// This call pages by name, type and identifier of the next record.
async fn records(
    client: &Client,
    zone: &str,
) -> Result<
    Vec<r53::ResourceRecordSet>,
    aws_sdk_route53::error::SdkError<
        aws_sdk_route53::operation::list_resource_record_sets::ListResourceRecordSetsError,
    >,
> {
    let (mut all, mut next) = (Vec::new(), None);
    loop {
        let (name, kind, identifier) = next.unwrap_or_default();
        let call = client.list_resource_record_sets().hosted_zone_id(zone);
        let call = call.set_start_record_name(name).set_start_record_type(kind).set_start_record_identifier(identifier);
        let answer = call.send().await?;
        all.extend_from_slice(answer.resource_record_sets());
        if !answer.is_truncated() {
            return Ok(all);
        }
        next = Some((answer.next_record_name, answer.next_record_type, answer.next_record_identifier));
    }
}

fn address(r: &r53::ResourceRecordSet) -> bool {
    matches!(r.r#type(), r53::RrType::A | r53::RrType::Aaaa | r53::RrType::Cname)
}

fn record(r: &r53::ResourceRecordSet) -> Value {
    json!({
        "name": r.name(),
        "type": r.r#type().as_str(),
        "alias": r.alias_target().map(|a| a.dns_name().trim_end_matches('.').to_ascii_lowercase()),
        "evaluate_target_health": r.alias_target().map(|a| a.evaluate_target_health()),
        "failover": r.failover().map(|f| f.as_str()),
    })
}
