//! Load balancers: which tier and which cluster they serve, how they check health, and whether CloudFront is before them.

use picket_model::Document;
use serde_json::{Value, json};

use super::{Added, Around, Join};
use crate::aws::json::texts;

/// Load balancers and distributions.
pub const JOINS: &[Join] = &[
    Join {
        kind: "elbv2.load_balancer",
        needs: &["cloudfront.distribution", "elbv2.target_group", "route53.hosted_zone"],
        add: balancer,
    },
    Join { kind: "cloudfront.distribution", needs: &["elbv2.load_balancer"], add: distribution },
    Join { kind: "route53.hosted_zone", needs: &["elbv2.load_balancer", "cloudfront.distribution"], add: zone },
];

fn balancer(document: &Document, value: &Value, around: &Around<'_>) -> Added {
    let arn = value["load_balancer_arn"].as_str().unwrap_or_default();
    let name = value["dns_name"].as_str().unwrap_or_default().to_ascii_lowercase();
    let checks = around.all(document, "elbv2.target_group").map(|all| {
        let own = all.into_iter().filter(|t| texts(&t["load_balancer_arns"]).any(|a| a == arn));
        let check = |t: &Value| {
            let http = matches!(t["health_check_protocol"].as_str(), Some("HTTP" | "HTTPS"));
            http && t["health_check_path"].as_str().is_some_and(|p| p.starts_with('/'))
        };
        json!(own.map(check).collect::<Vec<bool>>())
    });
    let behind = around.everywhere("cloudfront.distribution").map(|all| {
        let live = all.iter().filter(|d| d["enabled"] == true);
        live.flat_map(|d| d["origins"].as_array().into_iter().flatten())
            .any(|o| points_to(o["domain_name"].as_str(), &name))
            .into()
    });
    let aliased = around.everywhere("route53.hosted_zone").map(|all| {
        all.iter()
            .flat_map(|z| z["records"].as_array().into_iter().flatten())
            .any(|r| points_to(r["alias"].as_str(), &name))
            .into()
    });
    let listeners = value["listeners"].as_array();
    let encrypted = |l: &Value| matches!(l["protocol"].as_str(), Some("HTTPS" | "TLS"));
    let all_tls = listeners.map(|l| {
        !l.is_empty() && l.iter().all(|l| encrypted(l) || l["redirects_to_https"] == true) && l.iter().any(encrypted)
    });
    vec![
        ("application_health_checks", checks),
        ("behind_cloudfront", behind),
        ("aliased", aliased),
        ("cluster", Ok(cluster_of(value).unwrap_or_default().into())),
        ("all_listeners_encrypted", Ok(all_tls.map_or(Value::Null, Value::from))),
    ]
}

/// Route 53 puts `dualstack.` before the name of a load balancer.
fn points_to(name: Option<&str>, balancer: &str) -> bool {
    let name = name.unwrap_or_default().to_ascii_lowercase();
    !balancer.is_empty() && name.strip_prefix("dualstack.").unwrap_or(&name) == balancer
}

/// The cluster whose controller made it.
fn cluster_of(value: &Value) -> Option<&str> {
    let tags = value["tags"].as_object()?;
    let named = ["elbv2.k8s.aws/cluster", "eks:eks-cluster-name", "KubernetesCluster"];
    let named = named.iter().find_map(|k| tags.get(*k)).and_then(Value::as_str);
    named.or_else(|| tags.keys().find_map(|k| k.strip_prefix("kubernetes.io/cluster/")))
}

fn distribution(_: &Document, value: &Value, around: &Around<'_>) -> Added {
    let origins = value["origins"].as_array().map(Vec::as_slice).unwrap_or_default();
    let to = around.everywhere("elbv2.load_balancer").map(|all| {
        let names: Vec<String> =
            all.iter().filter_map(|b| b["dns_name"].as_str()).map(str::to_ascii_lowercase).collect();
        let own = origins.iter().filter_map(|o| o["domain_name"].as_str());
        own.filter(|o| o.ends_with(".elb.amazonaws.com") || names.contains(&o.to_ascii_lowercase())).count().into()
    });
    let weak = origins.iter().filter(|o| o["custom"] == true).filter(|o| {
        texts(&o["origin_ssl_protocols"]).any(|p| !matches!(p, "TLSv1.2" | "TLSv1.3"))
            || texts(&o["origin_ssl_protocols"]).next().is_none()
    });
    let weak: Vec<&str> = weak.filter_map(|o| o["id"].as_str()).collect();
    let plain = origins.iter().filter(|o| o["custom"] == true && o["origin_protocol_policy"] != "https-only");
    let plain: Vec<&str> = plain.filter_map(|o| o["id"].as_str()).collect();
    vec![("load_balancer_origins", to), ("weak_tls_origins", Ok(json!(weak))), ("plain_http_origins", Ok(json!(plain)))]
}

fn zone(_: &Document, value: &Value, _: &Around<'_>) -> Added {
    let apex = value["apex"].as_array().map(Vec::as_slice).unwrap_or_default();
    let front = |a: &str| a.ends_with(".elb.amazonaws.com") || a.ends_with(".cloudfront.net");
    let aliased = apex.iter().any(|r| r["alias"].is_string());
    let fronted = apex.iter().filter_map(|r| r["alias"].as_str()).any(front);
    let records = value["records"].as_array().map(Vec::as_slice).unwrap_or_default();
    let watched = records
        .iter()
        .any(|r| r["failover"].is_string() || (r["alias"].is_string() && r["evaluate_target_health"] == true));
    vec![
        ("apex_is_alias", Ok(aliased.into())),
        ("apex_points_to_front", Ok(fronted.into())),
        ("fails_over", Ok(watched.into())),
    ]
}
