//! Facts of the account and of a Region as a whole.

use std::collections::BTreeSet;

use picket_model::Document;
use serde_json::{Value, json};

use super::{Added, Around, Join};
use crate::aws::json::texts;

/// Account and Region.
pub const JOINS: &[Join] = &[
    Join {
        kind: "aws.account",
        needs: &[
            "autoscaling.group",
            "budgets.budget",
            "cloudtrail.trail",
            "cloudwatch.alarm",
            "ec2.instance",
            "eks.cluster",
            "iam.group",
            "iam.role",
            "iam.saml_provider",
            "iam.user",
            "rds.db_instance",
            "ssoadmin.instance",
        ],
        add: account,
    },
    Join { kind: "aws.region", needs: &["autoscaling.group", "ec2.instance", "ec2.subnet"], add: region },
];

fn account(document: &Document, _: &Value, around: &Around<'_>) -> Added {
    vec![
        ("trails", trails(document, around)),
        ("support_roles", holders(document, around, "AWSSupportAccess", &["iam.role"])),
        (
            "cloudshell_holders",
            holders(document, around, "AWSCloudShellFullAccess", &["iam.role", "iam.user", "iam.group"]),
        ),
        ("federated", federated(document, around)),
        ("local_users", around.all(document, "iam.user").map(|u| u.len().into())),
        ("console_users", console_users(document, around)),
        ("workloads", workloads(document, around)),
        ("spending_watched", spending(document, around)),
    ]
}

/// What the trails take together, counting those that run.
fn trails(document: &Document, around: &Around<'_>) -> Result<Value, String> {
    let all = around.all(document, "cloudtrail.trail")?;
    let runs = |t: &&&Value| t["is_logging"] == true;
    let multi = |t: &&&Value| t["is_multi_region_trail"] == true;
    let takes = |what: &str| all.iter().filter(runs).filter(multi).any(|t| t["takes"][what] == true);
    Ok(json!({
        "all_regions": all.iter().filter(runs).filter(multi).any(|t| t["takes"]["management_writes"] == true && t["takes"]["management_reads"] == true),
        "s3_object_writes": takes("s3_object_writes"),
        "s3_object_reads": takes("s3_object_reads"),
    }))
}

/// Principals that a managed policy of AWS is attached to.
fn holders(document: &Document, around: &Around<'_>, policy: &str, kinds: &[&str]) -> Result<Value, String> {
    let mut found = Vec::new();
    for kind in kinds {
        for holder in around.all(document, kind)? {
            let attached = texts(&holder["attached_policies"]).any(|p| p.rsplit('/').next() == Some(policy));
            let name = ["role_name", "user_name", "group_name"].iter().find_map(|f| holder[*f].as_str());
            found.extend(name.filter(|_| attached).map(str::to_owned));
        }
    }
    Ok(json!(found))
}

fn federated(document: &Document, around: &Around<'_>) -> Result<Value, String> {
    let saml = around.all(document, "iam.saml_provider")?;
    let sso = around.all(document, "ssoadmin.instance")?;
    Ok((!saml.is_empty() || sso.iter().any(|i| i["status"].as_str().is_none_or(|s| s == "ACTIVE"))).into())
}

fn console_users(document: &Document, around: &Around<'_>) -> Result<Value, String> {
    let users = around.all(document, "iam.user")?;
    if users.iter().any(|u| u["credentials"].is_null()) {
        return Err("iam:GetCredentialReport was not read".to_owned());
    }
    let console = users.iter().filter(|u| u["credentials"]["password_enabled"] == true);
    Ok(json!(console.filter_map(|u| u["user_name"].as_str()).collect::<Vec<_>>()))
}

/// Kinds of workloads that run in the account.
fn workloads(document: &Document, around: &Around<'_>) -> Result<Value, String> {
    let mut found = Vec::new();
    for (kind, word) in [
        ("ec2.instance", "instances"),
        ("eks.cluster", "clusters"),
        ("rds.db_instance", "databases"),
        ("autoscaling.group", "scaling groups"),
    ] {
        if !around.all(document, kind)?.is_empty() {
            found.push(word);
        }
    }
    Ok(json!(found))
}

/// Whether somebody watches the bill: an alarm on the estimate, or a budget for cost.
fn spending(document: &Document, around: &Around<'_>) -> Result<Value, String> {
    let budgets = around.all(document, "budgets.budget");
    let alarms = around.all(document, "cloudwatch.alarm");
    let cost = |b: &Vec<&Value>| b.iter().any(|b| b["budget_type"] == "COST");
    let bill = |a: &Vec<&Value>| {
        a.iter().any(|a| {
            a["namespace"] == "AWS/Billing"
                && a["actions_enabled"] == true
                && texts(&a["alarm_actions"]).next().is_some()
        })
    };
    match (budgets, alarms) {
        (Ok(b), _) if cost(&b) => Ok(true.into()),
        (_, Ok(a)) if bill(&a) => Ok(true.into()),
        (Ok(_), Ok(_)) => Ok(false.into()),
        (Err(why), _) | (_, Err(why)) => Err(why),
    }
}

/// The tiers that resources of this Region name.
fn region(document: &Document, _: &Value, around: &Around<'_>) -> Added {
    let mut tiers = BTreeSet::new();
    for kind in ["autoscaling.group", "ec2.instance", "ec2.subnet"] {
        match around.all(document, kind) {
            Ok(all) => tiers.extend(all.iter().filter_map(|v| v["tier"].as_str()).filter(|t| !t.is_empty())),
            Err(why) => return vec![("tiers", Err(why))],
        }
    }
    vec![("tiers", Ok(json!(tiers)))]
}
