//! Load balancers with their attributes, listeners, target groups and tags.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types as elb;
use futures::StreamExt as _;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, tags};
use crate::aws::tell::{AT_ONCE, Ask, Service, Tell as _, WHOLE_LIST, reason};
use crate::collector::Reach;

const KIND: &str = "elbv2.load_balancer";

/// Application, network and gateway load balancers, and target groups.
pub static ELBV2: Service = Service {
    reach: Reach::Region,
    kinds: &[KIND, "elbv2.target_group"],
    permissions: &[
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroups",
    ],
    collect: |ask| Box::pin(collect(ask)),
};

/// Tags by ARN, or why they are not known.
type Tags = Result<BTreeMap<String, Value>, String>;

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let (balancers, targets) = futures::join!(
        client.describe_load_balancers().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
        client.describe_target_groups().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
    );
    let call = "elasticloadbalancing:DescribeTargetGroups";
    let mut all = ask.listed("elbv2.target_group", call, targets, target_group);
    match balancers {
        Ok(list) => {
            let tags = read_tags(&client, &list).await;
            let read = |b| read(ask, &client, b, &tags);
            let read = futures::stream::iter(list).map(read).buffer_unordered(AT_ONCE);
            all.extend(read.collect::<Vec<_>>().await);
        }
        Err(error) => all.push(ask.failed(KIND, WHOLE_LIST, "elasticloadbalancing:DescribeLoadBalancers", &error)),
    }
    all
}

/// One call takes twenty ARNs.
async fn read_tags(client: &Client, balancers: &[elb::LoadBalancer]) -> Tags {
    let mut all = BTreeMap::new();
    for some in balancers.chunks(20) {
        let arns = some.iter().filter_map(|b| b.load_balancer_arn().map(str::to_owned)).collect();
        let answer = client.describe_tags().set_resource_arns(Some(arns)).send().await;
        let answer = answer.map_err(|e| reason("elasticloadbalancing:DescribeTags", &e))?;
        for t in answer.tag_descriptions() {
            all.insert(t.resource_arn().text(), tags(t.tags().iter().map(|t| (t.key(), t.value()))));
        }
    }
    Ok(all)
}

async fn read(ask: Ask<'_>, client: &Client, b: elb::LoadBalancer, tags: &Tags) -> Document {
    let arn = b.load_balancer_arn().text();
    let mut value = describe(&b);
    match tags {
        Ok(tags) => value["tags"] = tags.get(&arn).cloned().unwrap_or_else(|| json!({})),
        Err(why) => value["unread"]["tags"] = why.as_str().into(),
    }
    let (attributes, listeners) = futures::join!(
        client.describe_load_balancer_attributes().load_balancer_arn(&arn).send(),
        client
            .describe_listeners()
            .load_balancer_arn(&arn)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>(),
    );
    match attributes {
        Ok(answer) => {
            let on = |key: &str| answer.attributes().iter().any(|a| a.key() == Some(key) && a.value() == Some("true"));
            value["attributes"] = json!({
                "access_logs_enabled": on("access_logs.s3.enabled"),
                "deletion_protection_enabled": on("deletion_protection.enabled"),
                "drop_invalid_header_fields": on("routing.http.drop_invalid_header_fields.enabled"),
            });
        }
        Err(e) => {
            value["unread"]["attributes"] = reason("elasticloadbalancing:DescribeLoadBalancerAttributes", &e).into()
        }
    }
    match listeners {
        Ok(list) => value["listeners"] = list.iter().map(listener).collect(),
        Err(e) => value["unread"]["listeners"] = reason("elasticloadbalancing:DescribeListeners", &e).into(),
    }
    ask.known(KIND, b.load_balancer_name(), "elasticloadbalancing:DescribeLoadBalancers", value)
}

fn describe(b: &elb::LoadBalancer) -> Value {
    let zones = b.availability_zones().iter();
    json!({
        "load_balancer_arn": b.load_balancer_arn(),
        "load_balancer_name": b.load_balancer_name(),
        "dns_name": b.dns_name(),
        "canonical_hosted_zone_id": b.canonical_hosted_zone_id(),
        "scheme": b.scheme().map(|s| s.as_str()),
        "type": b.r#type().map(|t| t.as_str()),
        "vpc_id": b.vpc_id(),
        "security_groups": b.security_groups(),
        "subnet_ids": zones.filter_map(|z| z.subnet_id()).collect::<Vec<_>>(),
        "unread": {},
    })
}

fn listener(l: &elb::Listener) -> Value {
    let policy = l.ssl_policy();
    json!({
        "port": l.port(),
        "protocol": l.protocol().map(|p| p.as_str()),
        "ssl_policy": policy,
        "current_tls": policy.map(is_current),
        "certificates": l.certificates().iter().filter_map(|c| c.certificate_arn()).collect::<Vec<_>>(),
        "redirects_to_https": l.default_actions().iter().any(redirects),
        "target_group_arns": l.default_actions().iter().filter_map(|a| a.target_group_arn()).collect::<Vec<_>>(),
    })
}

fn redirects(a: &elb::Action) -> bool {
    a.redirect_config().is_some_and(|r| r.protocol() == Some("HTTPS"))
}

/// Policies that speak TLS 1.2 or 1.3 alone. Names with `-1-0-` or `-1-1-`, and those from 2015 and 2016, do not.
fn is_current(policy: &str) -> bool {
    let old = ["-1-0-", "-1-1-", "-2015-", "-2016-", "TLS-1-0"];
    (policy.contains("TLS13-1-2")
        || policy.contains("TLS13-1-3")
        || policy.contains("TLS-1-2")
        || policy.contains("FS-1-2"))
        && !old.iter().any(|o| policy.contains(o))
}

fn target_group(t: &elb::TargetGroup) -> (String, Value) {
    let value = json!({
        "target_group_arn": t.target_group_arn(),
        "target_group_name": t.target_group_name(),
        "protocol": t.protocol().map(|p| p.as_str()),
        "health_check_protocol": t.health_check_protocol().map(|p| p.as_str()),
        "health_check_path": t.health_check_path(),
        "load_balancer_arns": t.load_balancer_arns(),
    });
    (t.target_group_name().text(), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_that_still_speak_old_tls_are_told_from_current_ones() {
        for (policy, current) in [
            ("ELBSecurityPolicy-TLS13-1-2-2021-06", true),
            ("ELBSecurityPolicy-TLS13-1-3-2021-06", true),
            ("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", true),
            ("ELBSecurityPolicy-FS-1-2-Res-2020-10", true),
            ("ELBSecurityPolicy-TLS13-1-0-2021-06", false),
            ("ELBSecurityPolicy-TLS13-1-1-2021-06", false),
            ("ELBSecurityPolicy-2016-08", false),
            ("ELBSecurityPolicy-TLS-1-1-2017-01", false),
        ] {
            assert_eq!(is_current(policy), current, "{policy}");
        }
    }
}
