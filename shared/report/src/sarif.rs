//! Findings as SARIF 2.1.0 (OASIS), for code-scanning tools. An asset stands where other tools have a file; the
//! fingerprint is the finding's id, so that the same finding is the same alert on each run.

use std::collections::BTreeMap;

use picket_model::{Assessment, Finding, Severity, Status};
use serde_json::{Value, json};

/// The findings as one SARIF run.
#[must_use]
pub fn findings(assessment: &Assessment, version: &str) -> Value {
    let mut rules: BTreeMap<&str, &Finding> = BTreeMap::new();
    let open: Vec<&Finding> =
        assessment.findings.iter().filter(|f| f.status(assessment.at) != Status::Resolved).collect();
    for finding in &open {
        rules.entry(&finding.rule).or_insert(finding);
    }
    let index = |rule: &str| rules.keys().position(|r| *r == rule);
    let results: Vec<Value> = open.iter().map(|f| result(f, index(&f.rule), assessment)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "Picket",
                "version": version,
                "semanticVersion": version,
                "rules": rules.values().map(|f| rule(f)).collect::<Vec<_>>(),
            }},
            "invocations": [{"executionSuccessful": true, "endTimeUtc": assessment.at.to_string()}],
            "results": results,
        }],
    })
}

fn rule(finding: &Finding) -> Value {
    json!({
        "id": finding.rule,
        "shortDescription": {"text": finding.title},
        "help": {"text": finding.fix},
        "defaultConfiguration": {"level": level(finding.severity)},
        "properties": {"security-severity": score(finding.severity), "tags": finding.controls},
    })
}

fn result(finding: &Finding, index: Option<usize>, assessment: &Assessment) -> Value {
    let found: Vec<String> =
        finding.readings.iter().map(|r| format!("{} is {}, expected {}", r.at, r.found, r.expected)).collect();
    let text =
        if found.is_empty() { finding.title.clone() } else { format!("{}: {}", finding.title, found.join("; ")) };
    let place = format!(
        "aws/{}/{}/{}",
        finding.account,
        finding.region.as_ref().map_or("global", |r| r.as_str()),
        finding.asset
    );
    let mut value = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": {"text": text},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": uri(&place)}},
            "logicalLocations": [{"fullyQualifiedName": place, "kind": "resource"}],
        }],
        "partialFingerprints": {"picketFinding/v1": finding.id},
    });
    if let Some(index) = index {
        value["ruleIndex"] = json!(index);
    }
    if let (Status::Waived, Some(waiver)) = (finding.status(assessment.at), &finding.waiver) {
        let says = format!("{} until {}: {}", waiver.owner, waiver.until, waiver.reason);
        value["suppressions"] = json!([{"kind": "external", "status": "accepted", "justification": says}]);
    }
    value
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// As GitHub's code scanning reads `security-severity`: over 9 critical, over 7 high, over 4 medium.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

/// A relative reference (RFC 3986): everything but what needs no escape is percent-encoded.
fn uri(place: &str) -> String {
    let mut out = String::new();
    for byte in place.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made;

    #[test]
    fn the_same_finding_is_the_same_alert_on_each_run() {
        let sarif = findings(&made::assessment("x"), "0.1.0");
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        assert_eq!(results[0]["partialFingerprints"]["picketFinding/v1"], "x-0");
        assert_eq!(results[0]["ruleIndex"], 0);
    }

    #[test]
    fn a_waived_finding_is_suppressed_with_its_reason_and_not_left_out() {
        let sarif = findings(&made::assessment("x"), "0.1.0");
        let waived = &sarif["runs"][0]["results"][1];
        assert_eq!(waived["suppressions"][0]["kind"], "external");
        assert!(waived["suppressions"][0]["justification"].as_str().unwrap().contains("until 2027"));
    }

    #[test]
    fn whatever_an_asset_is_called_its_place_is_a_valid_reference() {
        let sarif = findings(&made::assessment("a b<c>%/é"), "0.1.0");
        let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(place, "aws/123456789012/us-east-1/a%20b%3Cc%3E%25/%C3%A9");
    }
}
