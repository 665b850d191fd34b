//! The policy that lets Picket read what it assesses, and nothing else: made of what each collector says it needs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::collector::Collector;

/// What an assessment needs besides its collectors: to know which Regions are in use.
const ALSO: &[&str] = &["ec2:DescribeRegions"];

/// An IAM policy document with all permissions of these collectors, a statement a service.
#[must_use]
pub fn policy<'a>(collectors: impl IntoIterator<Item = &'a dyn Collector>) -> Value {
    let mut by_service: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for permission in collectors.into_iter().flat_map(|c| c.permissions()).chain(ALSO) {
        let service = permission.split(':').next().unwrap_or(permission);
        by_service.entry(service).or_default().push(permission);
    }
    let statements: Vec<Value> = by_service
        .into_iter()
        .map(|(service, mut actions)| {
            actions.sort_unstable();
            actions.dedup();
            json!({"Sid": name(service), "Effect": "Allow", "Action": actions, "Resource": "*"})
        })
        .collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// `ReadAccessAnalyzer` for `access-analyzer`: the name of a statement takes letters and digits alone.
fn name(service: &str) -> String {
    let mut out = "Read".to_owned();
    for part in service.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut letters = part.chars();
        out.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_reads_what_is_set_and_not_what_customers_keep_and_fits_into_a_role() {
        let made = policy(crate::aws::COLLECTORS.iter().copied());
        let statements = made["Statement"].as_array().unwrap();
        assert!(statements.iter().any(|s| s["Sid"] == "ReadAccessAnalyzer"));
        let actions: Vec<&str> =
            statements.iter().flat_map(|s| s["Action"].as_array().unwrap()).map(|a| a.as_str().unwrap()).collect();
        for action in &actions {
            let verb = action.split(':').nth(1).unwrap();
            let reads = ["Describe", "Get", "List", "View"].iter().any(|r| verb.starts_with(r));
            assert!(reads || verb == "GenerateCredentialReport", "{action}");
        }
        for never in ["secretsmanager:GetSecretValue", "s3:GetObject", "ssm:GetParameter", "logs:GetLogEvents"] {
            assert!(!actions.contains(&never), "{never} reads what customers keep");
        }
        assert!(made.to_string().len() <= 10_240, "the limit of a role's own policies: {}", made.to_string().len());
    }
}
