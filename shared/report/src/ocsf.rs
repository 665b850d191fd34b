//! Findings as OCSF events of class Compliance Finding (2003), schema 1.4.0, for data lakes such as Amazon Security Lake.

use jiff::Timestamp;
use picket_model::{Assessment, Finding, Severity, Status};
use serde_json::{Value, json};

const CLASS: u32 = 2003;

/// All findings, one event each.
#[must_use]
pub fn findings(assessment: &Assessment, version: &str) -> Vec<Value> {
    assessment.findings.iter().map(|f| event(f, assessment.at, version)).collect()
}

fn event(finding: &Finding, now: Timestamp, version: &str) -> Value {
    let status = finding.status(now);
    // Create, Update, Close.
    let activity = match status {
        Status::Resolved => 3,
        _ if finding.first_seen == finding.last_seen => 1,
        _ => 2,
    };
    let (status_id, status_name) = match status {
        Status::Open => (1, "New"),
        Status::Waived => (3, "Suppressed"),
        Status::Resolved => (4, "Resolved"),
    };
    let region = finding.region.as_ref().map_or("global", |r| r.as_str());
    let found: Vec<String> =
        finding.readings.iter().map(|r| format!("{} is {}, expected {}", r.at, r.found, r.expected)).collect();
    json!({
        "activity_id": activity,
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "type_uid": CLASS * 100 + activity,
        "time": now.as_millisecond(),
        "severity_id": severity(finding.severity),
        "severity": capital(&finding.severity.to_string()),
        "status_id": status_id,
        "status": status_name,
        "metadata": {
            "version": "1.4.0",
            "product": {"name": "Picket", "vendor_name": "Picket", "version": version},
            "uid": format!("{}/{}", finding.id, now.as_millisecond()),
        },
        "finding_info": {
            "uid": finding.id,
            "title": finding.title,
            "desc": found.join("; "),
            "types": [finding.rule],
            "created_time": finding.first_seen.as_millisecond(),
            "first_seen_time": finding.first_seen.as_millisecond(),
            "last_seen_time": finding.last_seen.as_millisecond(),
            "modified_time": finding.resolved_at.unwrap_or(finding.last_seen).as_millisecond(),
        },
        "compliance": {
            "control": finding.rule,
            "standards": standards(&finding.controls),
            "requirements": finding.controls,
            "status_id": if status == Status::Resolved { 1 } else { 3 },
            "status": if status == Status::Resolved { "Pass" } else { "Fail" },
        },
        "resources": [{"uid": finding.asset, "type": finding.asset.split('/').next(), "region": region}],
        "remediation": {"desc": finding.fix},
        "cloud": {
            "provider": "AWS",
            "region": region,
            "account": {"uid": finding.account, "type": "AWS Account", "type_id": 10},
        },
    })
}

fn standards(controls: &[String]) -> Vec<&str> {
    let mut all: Vec<&str> = controls.iter().filter_map(|c| c.split('/').next()).collect();
    all.dedup();
    all
}

fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made;

    #[test]
    fn an_open_finding_is_an_update_that_fails_and_a_resolved_one_closes_and_passes() {
        let mut assessment = made::assessment("x");
        assessment.findings[1].resolved_at = Some(assessment.at);
        let events = findings(&assessment, "0.1.0");
        assert_eq!((&events[0]["type_uid"], &events[0]["compliance"]["status"]), (&json!(200_302), &json!("Fail")));
        assert_eq!((&events[1]["type_uid"], &events[1]["compliance"]["status"]), (&json!(200_303), &json!("Pass")));
        assert_eq!(events[0]["compliance"]["standards"], json!(["cis-eks-1.8.0"]));
    }
}
