//! An assessment made for tests: one open and one waived finding, and a control of each outcome.

use picket_model::Assessment;
use serde_json::json;

/// An assessment in which every foreign word is `word`.
pub(crate) fn assessment(word: &str) -> Assessment {
    let finding = |n: usize, waiver: serde_json::Value| {
        json!({
            "id": format!("{word}-{n}"), "rule": "eks_audit_logs_on", "title": word, "severity": "high",
            "account": "123456789012", "region": "us-east-1", "asset": word, "controls": ["cis-eks-1.8.0/2.1.1"],
            "readings": [{"at": "logging.types", "source": "eks:DescribeCluster", "found": word, "expected": "audit"}],
            "fix": "Enable audit logs.", "action": "eks_set_logging", "first_seen": "2026-11-25T01:00:00Z",
            "last_seen": "2026-11-26T01:00:00Z", "resolved_at": null, "waiver": waiver,
        })
    };
    let waiver = json!({"rule": "eks_audit_logs_on", "asset": "*", "owner": word, "reason": word,
        "until": "2027-01-01T00:00:00Z"});
    let control = |id: &str, outcome: serde_json::Value| {
        json!({"id": id, "title": word, "section": "Logging", "level": 1, "outcome": outcome,
            "rules": ["eks_audit_logs_on"], "assets": {"fail": 1}, "findings": ["x-0"]})
    };
    serde_json::from_value(json!({
        "accounts": ["123456789012"], "at": "2026-11-26T04:00:00Z", "evaluations": [], "unseen": [],
        "findings": [finding(0, json!(null)), finding(1, waiver)],
        "benchmarks": [{"id": "cis-eks-1.8.0", "name": "CIS Amazon EKS", "version": "1.8.0", "controls": [
            control("1", json!({"is": "pass"})),
            control("2", json!({"is": "fail"})),
            control("3", json!({"is": "unknown", "why": word})),
            control("4", json!({"is": "manual", "why": word})),
            control("5", json!({"is": "not_applicable", "why": word})),
        ]}],
    }))
    .unwrap()
}
