//! The records of Route 53. It has no Regions, so zones are read once for an account and told in every Region, but for
//! records that lead to another Region's load balancers. Route 53 answers five questions a second for a whole account,
//! of which a scan takes two, and it reads so many pages and no more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use picket_model::landscape::{Named, NamedKind, Sight, Tags};
use picket_model::{Region, Untrusted};
use picket_pipeline::ports::{Answer, Kind, PortError};
use picket_pipeline::scan::See;

use super::{Watch, failed};

/// How many pages are read at most: of zones, and of the records of all zones together, 300 on a page.
const PAGES: usize = 100;
/// For how long what was read is told again without reading.
const FRESH: Duration = Duration::from_secs(600);
/// At most so many values of a record are kept.
const VALUES: usize = 16;

/// What was read of an account's zones, and what of it could not be.
pub(super) struct Zones {
    at: Instant,
    records: Arc<Vec<Named>>,
    trouble: Answer<()>,
}

impl std::fmt::Debug for Zones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Zones({} records)", self.records.len())
    }
}

impl Watch {
    pub(super) async fn records(&self, region: &Region, see: See<'_>) -> Answer<()> {
        let mut known = self.zones.lock().await;
        let zones = match known.take().filter(|zones| zones.at.elapsed() < FRESH) {
            Some(zones) => zones,
            None => self.read_zones(region).await,
        };
        let (records, trouble) = (Arc::clone(&zones.records), zones.trouble.clone());
        *known = Some(zones);
        drop(known);
        let here = records.iter().filter(|record| !is_elsewhere(record, region));
        here.for_each(|record| see(Sight::Named(record.clone())));
        trouble
    }

    async fn read_zones(&self, region: &Region) -> Zones {
        let mut records = Vec::new();
        let trouble = self.read_records(region, &mut records).await;
        Zones { at: Instant::now(), records: Arc::new(records), trouble }
    }

    async fn read_records(&self, region: &Region, records: &mut Vec<Named>) -> Answer<()> {
        let client = aws_sdk_route53::Client::new(&self.clients.in_region(region));
        let mut left = PAGES;
        let mut zones = Vec::new();
        let mut pages = client.list_hosted_zones().max_items(100).into_paginator().send();
        while left > 0 {
            self.turns.wait(region).await;
            self.slow.wait(region).await;
            let Some(page) = pages.next().await else { break };
            left -= 1;
            zones.extend(
                page.map_err(failed("route53:ListHostedZones"))?.hosted_zones().iter().map(|z| z.id().to_owned()),
            );
        }
        for zone in zones {
            let mut next: Option<ResourceRecordSet> = None;
            loop {
                if left == 0 {
                    return Err(too_many());
                }
                left -= 1;
                self.turns.wait(region).await;
                self.slow.wait(region).await;
                let call = client.list_resource_record_sets().hosted_zone_id(&zone).max_items(300);
                let call = call.set_start_record_name(next.as_ref().map(|n| n.name().to_owned()));
                let call = call.set_start_record_type(next.as_ref().map(|n| n.r#type().clone()));
                let call = call.set_start_record_identifier(next.and_then(|n| n.set_identifier));
                let answer = call.send().await.map_err(failed("route53:ListResourceRecordSets"))?;
                records.extend(answer.resource_record_sets().iter().filter_map(record));
                let Some(name) = answer.next_record_name.filter(|_| answer.is_truncated) else { break };
                let from = ResourceRecordSet::builder().name(name).set_type(answer.next_record_type);
                next = from.set_set_identifier(answer.next_record_identifier).build().ok();
            }
        }
        Ok(())
    }
}

fn too_many() -> PortError {
    let why = format!("there are more than {PAGES} pages of records; the rest was not read");
    PortError::new("calling", "route53:ListResourceRecordSets", Kind::Other, &why)
}

/// What leads somewhere, and what external-dns writes beside it.
fn record(from: &ResourceRecordSet) -> Option<Named> {
    let leads = matches!(from.r#type(), RrType::A | RrType::Aaaa | RrType::Cname);
    let texts = from.resource_records().iter().map(|r| r.value());
    let told = *from.r#type() == RrType::Txt && texts.clone().any(|t| t.contains("heritage=external-dns"));
    if !leads && !told {
        return None;
    }
    let alias = from.alias_target().map(|a| a.dns_name().trim_start_matches("dualstack."));
    let values = texts.chain(alias).map(|v| Untrusted::new(v.trim_matches('"'))).take(VALUES);
    Some(Named { kind: NamedKind::Dns, name: Untrusted::new(from.name()), values: values.collect(), tags: Tags::new() })
}

/// Whether it leads to a load balancer or machine whose name says another Region.
fn is_elsewhere(record: &Named, region: &Region) -> bool {
    let of_aws =
        record.values.iter().map(|v| v.as_str().trim_end_matches('.')).filter(|v| v.contains(".amazonaws.com"));
    let names: Vec<&str> = of_aws.filter(|v| v.contains(".elb.") || v.contains(".compute.")).collect();
    !names.is_empty() && !names.iter().any(|name| name.split('.').any(|part| part == region.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(value: &str) -> Named {
        let values = vec![Untrusted::new(value)];
        Named { kind: NamedKind::Dns, name: Untrusted::new("api.example.com."), values, tags: Tags::new() }
    }

    #[test]
    fn a_record_that_leads_to_another_regions_load_balancer_is_told_there_and_not_here() {
        let here = Region::parse("eu-west-1").unwrap();
        assert!(is_elsewhere(&named("x-1.elb.us-east-1.amazonaws.com."), &here));
        assert!(is_elsewhere(&named("x-1.us-east-1.elb.amazonaws.com"), &here));
        assert!(!is_elsewhere(&named("x-1.elb.eu-west-1.amazonaws.com."), &here));
        assert!(!is_elsewhere(&named("10.0.0.5"), &here), "an address says no Region");
        assert!(!is_elsewhere(&named("example.com"), &here));
    }

    #[test]
    fn records_that_lead_somewhere_are_taken_and_of_texts_only_those_of_external_dns() {
        let of = |kind: RrType, value: &str| {
            let value = aws_sdk_route53::types::ResourceRecord::builder().value(value).build().unwrap();
            let set = ResourceRecordSet::builder().name("x.example.com.").r#type(kind).resource_records(value);
            record(&set.build().unwrap()).map(|r| r.values[0].to_string())
        };
        assert_eq!(of(RrType::A, "10.0.0.5").as_deref(), Some("10.0.0.5"));
        assert_eq!(of(RrType::Mx, "10 mail.example.com"), None);
        assert_eq!(of(RrType::Txt, "\"v=spf1 -all\""), None);
        let told = "heritage=external-dns,external-dns/owner=prod,external-dns/resource=ingress/web/site";
        assert_eq!(of(RrType::Txt, &format!("\"{told}\"")).as_deref(), Some(told));
    }
}
