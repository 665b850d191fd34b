//! The chain from a trail over a metric filter and an alarm to somebody who is told: what is watched, and by what.

use std::collections::BTreeMap;

use picket_model::Document;
use serde_json::{Value, json};

use super::{Added, Around, Join};
use crate::aws::json::texts;

/// What is watched for, and the names that a filter's pattern has to hold: each list needs one of its alternatives.
const WATCHES: &[(&str, &[&[&str]])] = &[
    ("unauthorized_calls", &[&["unauthorizedoperation"], &["accessdenied"]]),
    ("sign_in_without_mfa", &[&["consolelogin"], &["mfaused"]]),
    ("root_usage", &[&["useridentity.type=root", "useridentity.type=\"root\""]]),
    (
        "iam_policy_changes",
        &[
            &["deletegrouppolicy"],
            &["deleterolepolicy"],
            &["deleteuserpolicy"],
            &["putgrouppolicy"],
            &["putrolepolicy"],
            &["putuserpolicy"],
            &["createpolicy"],
            &["deletepolicy"],
            &["createpolicyversion"],
            &["deletepolicyversion"],
            &["attachrolepolicy"],
            &["detachrolepolicy"],
            &["attachuserpolicy"],
            &["detachuserpolicy"],
            &["attachgrouppolicy"],
            &["detachgrouppolicy"],
        ],
    ),
    (
        "cloudtrail_changes",
        &[&["createtrail"], &["updatetrail"], &["deletetrail"], &["startlogging"], &["stoplogging"]],
    ),
    ("sign_in_failures", &[&["consolelogin"], &["failedauthentication"]]),
    ("key_deletions", &[&["kms.amazonaws.com"], &["disablekey"], &["schedulekeydeletion"]]),
    (
        "bucket_policy_changes",
        &[
            &["putbucketacl"],
            &["putbucketpolicy"],
            &["putbucketcors"],
            &["putbucketlifecycle"],
            &["putbucketreplication"],
            &["deletebucketpolicy"],
            &["deletebucketcors"],
            &["deletebucketlifecycle"],
            &["deletebucketreplication"],
        ],
    ),
    (
        "config_changes",
        &[
            &["stopconfigurationrecorder"],
            &["deletedeliverychannel"],
            &["putdeliverychannel"],
            &["putconfigurationrecorder"],
        ],
    ),
    (
        "security_group_changes",
        &[
            &["authorizesecuritygroupingress"],
            &["authorizesecuritygroupegress"],
            &["revokesecuritygroupingress"],
            &["revokesecuritygroupegress"],
            &["createsecuritygroup"],
            &["deletesecuritygroup"],
        ],
    ),
    (
        "network_acl_changes",
        &[
            &["createnetworkacl"],
            &["createnetworkaclentry"],
            &["deletenetworkacl"],
            &["deletenetworkaclentry"],
            &["replacenetworkaclentry"],
            &["replacenetworkaclassociation"],
        ],
    ),
    (
        "gateway_changes",
        &[
            &["createcustomergateway"],
            &["deletecustomergateway"],
            &["attachinternetgateway"],
            &["createinternetgateway"],
            &["deleteinternetgateway"],
            &["detachinternetgateway"],
        ],
    ),
    (
        "route_table_changes",
        &[
            &["createroute"],
            &["createroutetable"],
            &["replaceroute"],
            &["replaceroutetableassociation"],
            &["deleteroutetable"],
            &["deleteroute"],
            &["disassociateroutetable"],
        ],
    ),
    (
        "vpc_changes",
        &[
            &["createvpc"],
            &["deletevpc"],
            &["modifyvpcattribute"],
            &["acceptvpcpeeringconnection"],
            &["createvpcpeeringconnection"],
            &["deletevpcpeeringconnection"],
            &["rejectvpcpeeringconnection"],
            &["attachclassiclinkvpc"],
            &["detachclassiclinkvpc"],
            &["disablevpcclassiclink"],
            &["enablevpcclassiclink"],
        ],
    ),
    (
        "organization_changes",
        &[
            &["organizations.amazonaws.com"],
            &["accepthandshake"],
            &["attachpolicy"],
            &["createaccount"],
            &["createpolicy"],
            &["deletepolicy"],
            &["detachpolicy"],
            &["leaveorganization"],
            &["moveaccount"],
            &["removeaccountfromorganization"],
            &["updatepolicy"],
        ],
    ),
];

/// The account's alarms.
pub const JOINS: &[Join] = &[Join {
    kind: "aws.account",
    needs: &["cloudtrail.trail", "cloudwatch.alarm", "logs.metric_filter", "sns.topic"],
    add: watched,
}];

fn watched(document: &Document, _: &Value, around: &Around<'_>) -> Added {
    let found = chains(document, around);
    let names = found.as_ref().map(|f| json!(f.keys().collect::<Vec<_>>())).map_err(Clone::clone);
    vec![("watched", names), ("watched_by", found.map(|f| json!(f)))]
}

fn chains(document: &Document, around: &Around<'_>) -> Result<BTreeMap<&'static str, String>, String> {
    let trails = around.all(document, "cloudtrail.trail")?;
    let filters = around.all(document, "logs.metric_filter")?;
    let alarms = around.all(document, "cloudwatch.alarm")?;
    let topics = around.all(document, "sns.topic")?;
    let groups: Vec<&str> = trails.iter().filter(|t| is_whole(t)).filter_map(|t| log_group(t)).collect();
    let mut found = BTreeMap::new();
    for filter in filters.iter().filter(|f| f["log_group_name"].as_str().is_some_and(|g| groups.contains(&g))) {
        let pattern = compact(filter["filter_pattern"].as_str().unwrap_or_default());
        let Some(alarm) = alarms.iter().find(|a| counts(a, filter) && tells(a, &topics)) else { continue };
        for (name, _) in WATCHES.iter().filter(|(_, needs)| holds_all(&pattern, needs)) {
            let by = format!("{} and {}", filter["filter_name"], alarm["alarm_name"]);
            found.insert(*name, by.replace('"', ""));
        }
    }
    Ok(found)
}

/// A trail that takes management events of all Regions, and runs.
fn is_whole(trail: &Value) -> bool {
    let takes = &trail["takes"];
    trail["is_multi_region_trail"] == true
        && trail["is_logging"] == true
        && takes["management_reads"] == true
        && takes["management_writes"] == true
}

fn log_group(trail: &Value) -> Option<&str> {
    trail["cloud_watch_logs_log_group_arn"].as_str()?.split(":log-group:").nth(1)?.split(':').next()
}

fn compact(pattern: &str) -> String {
    pattern.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase()
}

/// Whether the pattern names all; a name within a longer name does not count, so `createroute` needs its own.
fn holds_all(pattern: &str, needs: &[&[&str]]) -> bool {
    needs.iter().all(|alternatives| alternatives.iter().any(|name| holds(pattern, name)))
}

fn holds(pattern: &str, name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let after = |at: usize| pattern[at + name.len()..].chars().next();
    // `*` after a name takes in longer ones, `accessdenied*`; a letter makes it another name.
    pattern.match_indices(&name).any(|(at, _)| after(at).is_none_or(|c| !c.is_ascii_alphanumeric()))
}

fn counts(alarm: &Value, filter: &Value) -> bool {
    let metrics = filter["metrics"].as_array().into_iter().flatten();
    metrics.into_iter().any(|m| m["name"] == alarm["metric_name"] && m["namespace"] == alarm["namespace"])
}

/// Whether the alarm tells a topic that somebody has subscribed to.
fn tells(alarm: &Value, topics: &[&Value]) -> bool {
    let heard = |arn: &str| {
        let topic = topics.iter().find(|t| t["topic_arn"] == arn);
        topic.is_some_and(|t| t["subscriptions_confirmed"].as_i64().unwrap_or_default() > 0)
    };
    alarm["actions_enabled"] == true && texts(&alarm["alarm_actions"]).any(heard)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watches(pattern: &str) -> Vec<&'static str> {
        let pattern = compact(pattern);
        WATCHES.iter().filter(|(_, needs)| holds_all(&pattern, needs)).map(|(name, _)| *name).collect()
    }

    #[test]
    fn the_patterns_of_the_benchmark_are_known() {
        assert_eq!(
            watches(r#"{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*")}"#),
            ["unauthorized_calls"]
        );
        assert_eq!(
            watches(r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }"#),
            ["sign_in_without_mfa"]
        );
        assert_eq!(
            watches(
                r#"{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }"#
            ),
            ["root_usage"]
        );
    }

    #[test]
    fn a_pattern_that_leaves_a_name_out_watches_nothing() {
        let half = r#"{ ($.eventName = CreateRouteTable) || ($.eventName = ReplaceRouteTableAssociation) || ($.eventName = DeleteRouteTable) || ($.eventName = DeleteRoute) || ($.eventName = ReplaceRoute) || ($.eventName = DisassociateRouteTable) }"#;
        assert_eq!(watches(half), Vec::<&str>::new(), "CreateRoute is only within CreateRouteTable");
    }
}
