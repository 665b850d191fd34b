//! From a finding to the order that fixes it, as its rule says and the policy allows. Pure: the stage reads everything
//! again.

use picket_checks::Policy;
use picket_checks::fixes::known;
use picket_checks::policy::Do;
use picket_model::fix::{Aim, Cause};
use picket_model::{Finding, Region, Scope};
use serde_json::{Map, Value};

use super::Order;

/// What a rule says of its fix.
#[derive(Debug, Clone, Copy)]
pub struct Remedy<'a> {
    /// The action's name.
    pub action: &'a str,
    /// Its parameters; `target` among them is another target than the asset itself.
    pub with: &'a Map<String, Value>,
    /// `always` asks people first.
    pub approval: Option<&'a str>,
}

/// The order that fixes a finding; none where the policy only notes it, or no such fix is known. `home` stands for the
/// Region of what has none, such as IAM.
#[must_use]
pub fn order_for(policy: &Policy, finding: &Finding, remedy: &Remedy<'_>, home: &Region) -> Option<Order> {
    let (what, _) = policy.fixes.choose(&finding.rule, &finding.controls);
    if what == Do::Note || finding.waiver.is_some() || finding.resolved_at.is_some() {
        return None;
    }
    known(remedy.action)?;
    let mut with = remedy.with.clone();
    let named = with.remove("target").and_then(|t| t.as_str().map(str::to_owned));
    let target = named.or_else(|| finding.asset.split_once('/').map(|(_, id)| id.to_owned()))?;
    let cause = Cause::Finding {
        id: finding.id.clone(),
        rule: finding.rule.clone(),
        asset: finding.asset.clone(),
        controls: finding.controls.clone(),
    };
    let region = finding.region.clone().unwrap_or_else(|| home.clone());
    Some(Order {
        scope: Scope { account: finding.account.clone(), region },
        aims: vec![Aim { action: remedy.action.to_owned(), target, with }],
        cause,
        ask: remedy.approval == Some("always"),
        plan_only: false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finding() -> Finding {
        let text = json!({
            "id": "finding-0123456789ab", "rule": "eks_audit_logs_on", "title": "Audit logs are on", "severity": "medium",
            "account": "123456789012", "region": "eu-west-1", "asset": "eks.cluster/prod", "controls": ["cis-eks-1.8.0/2.1.1"],
            "readings": [], "fix": "Enable them.", "action": "eks_set_logging", "first_seen": "2026-11-02T03:04:05Z",
            "last_seen": "2026-11-02T03:04:05Z", "resolved_at": null, "waiver": null,
        });
        serde_json::from_value(text).unwrap()
    }

    fn order(policy: &str, finding: &Finding, with: Value) -> Option<Order> {
        let policy = Policy::parse(policy, "p").unwrap();
        let with = with.as_object().cloned().unwrap();
        let remedy = Remedy { action: "eks_set_logging", with: &with, approval: Some("always") };
        order_for(&policy, finding, &remedy, &Region::parse("us-east-1").unwrap())
    }

    #[test]
    fn a_finding_becomes_an_order_for_its_asset_only_where_the_policy_wants_more_than_a_note() {
        let with = json!({"types": ["audit"]});
        assert_eq!(order("version: 1\n", &finding(), with.clone()), None);
        let fixing = "fixes: {default: fix}\n";
        let order_ = order(fixing, &finding(), with.clone()).unwrap();
        assert_eq!((order_.aims[0].target.as_str(), order_.scope.region.as_str()), ("prod", "eu-west-1"));
        assert!(order_.ask && !order_.aims[0].with.contains_key("target"));
        let elsewhere = order(fixing, &finding(), json!({"target": "other"})).unwrap();
        assert_eq!(elsewhere.aims[0].target, "other");
    }

    #[test]
    fn what_is_waived_or_over_is_left() {
        let fixing = "fixes: {default: fix}\n";
        let over = Finding { resolved_at: Some("2026-11-03T03:04:05Z".parse().unwrap()), ..finding() };
        assert_eq!(order(fixing, &over, json!({})), None);
        let global = Finding { region: None, ..finding() };
        assert_eq!(order(fixing, &global, json!({})).unwrap().scope.region.as_str(), "us-east-1");
    }
}
