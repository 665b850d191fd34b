//! What other tools read of a report: files beside the page, and findings for Security Hub.

use jiff::{SignedDuration, Timestamp};
use picket_aws::hub::{self, Imported};
use picket_model::{AccountId, Finding, Region};
use picket_pipeline::ports::{Answer, Kind, PortError};
use picket_report::{Report, asff, csv, junit, ocsf, sarif};

use crate::entry::Entry;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Security Hub forgets a finding that is not updated for 90 days; one that stays open is told again before.
const AGAIN: SignedDuration = SignedDuration::from_hours(24 * 30);

/// A finding is dated by the moment its judging began, and kept when it ends: after an import that looked meanwhile.
const LATE: SignedDuration = SignedDuration::from_mins(20);

/// A file beside the page.
pub struct File {
    /// Its name.
    pub name: String,
    /// What it is.
    pub content_type: &'static str,
    /// What is in it.
    pub body: Vec<u8>,
}

/// That something could not be written.
pub fn failed(what: &str, error: &dyn std::fmt::Display) -> PortError {
    PortError::new("writing", what, Kind::Other, &error.to_string())
}

/// Every format, and the report itself as data. OCSF is kept day by day, as collectors of events read it.
pub fn files(report: &Report, home: &Region) -> Answer<Vec<File>> {
    let assessment = &report.assessment;
    let file = |name: &str, content_type, body: String| File { name: name.to_owned(), content_type, body: body.into() };
    let lines: Vec<String> = ocsf::findings(assessment, VERSION).iter().map(ToString::to_string).collect();
    let asff: Vec<String> = asff::findings(assessment, home.as_str()).iter().map(ToString::to_string).collect();
    let csv = csv::findings(assessment).map_err(|e| failed("findings.csv", &e))?;
    let junit = junit::benchmarks(assessment).map_err(|e| failed("benchmarks.xml", &e))?;
    let json = serde_json::to_string(report).map_err(|e| failed("report.json", &e))?;
    let day = report.at.strftime("%Y-%m-%d");
    Ok(vec![
        file("report.json", "application/json", json),
        file("findings.csv", "text/csv; charset=utf-8", csv),
        file("findings.sarif", "application/sarif+json", sarif::findings(assessment, VERSION).to_string()),
        file("findings.asff.jsonl", "application/x-ndjson", asff.join("\n")),
        file("benchmarks.xml", "application/xml", junit),
        file(&format!("ocsf/{day}/findings.jsonl"), "application/x-ndjson", lines.join("\n")),
    ])
}

/// Imports what changed since the last import.
pub async fn import(entry: &Entry, account: &AccountId, report: &Report, home: &Region) -> Answer<Imported> {
    let since = entry.table.imported(account).await?;
    let changed = |f: &&Finding| is_news(f, since, report.at);
    let findings = report.assessment.findings.iter().filter(changed);
    let findings: Vec<_> = findings.map(|f| asff::finding(f, home.as_str(), report.at)).collect();
    let imported = hub::import(&entry.clients, &findings).await?;
    // What was refused is sent again with the next import, and so is what changed since the last whole one.
    if imported.refused.is_empty() {
        entry.table.keep_imported(account, report.at).await?;
    }
    Ok(imported)
}

/// Whether a finding was opened, closed or waived since; one that just stays open is told once a month.
fn is_news(finding: &Finding, since: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(since) = since.and_then(|s| s.checked_sub(LATE).ok()) else { return true };
    let ended = finding.waiver.as_ref().map(|w| w.until).filter(|until| *until <= now);
    let changes = [Some(finding.first_seen), finding.resolved_at, ended];
    let stays = finding.resolved_at.is_none() && month(finding.first_seen, now) != month(finding.first_seen, since);
    changes.iter().flatten().any(|at| *at > since) || finding.waiver.is_some() || stays
}

fn month(first: Timestamp, at: Timestamp) -> i64 {
    at.duration_since(first).as_secs().div_euclid(AGAIN.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(first: &str, resolved: Option<&str>) -> Finding {
        serde_json::from_value(serde_json::json!({
            "id": "finding-1", "rule": "r", "title": "t", "severity": "high", "account": "123456789012", "region": null,
            "asset": "iam.user/u", "controls": [], "readings": [], "fix": "f", "action": null, "first_seen": first,
            "last_seen": first, "resolved_at": resolved, "waiver": null,
        }))
        .unwrap()
    }

    fn news(finding: &Finding, since: &str, now: &str) -> bool {
        is_news(finding, Some(since.parse().unwrap()), now.parse().unwrap())
    }

    #[test]
    fn what_was_judged_while_an_import_looked_is_told_by_the_next() {
        let late = finding("2026-11-01T00:00:00Z", None);
        assert!(news(&late, "2026-11-01T00:10:00Z", "2026-11-01T01:00:00Z"));
    }

    #[test]
    fn what_opened_or_closed_since_is_told_and_what_stays_is_told_once_a_month() {
        let open = finding("2026-11-01T00:00:00Z", None);
        assert!(news(&open, "2026-10-31T00:00:00Z", "2026-11-01T01:00:00Z"));
        assert!(!news(&open, "2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z"));
        assert!(news(&open, "2026-11-30T00:00:00Z", "2026-12-02T00:00:00Z"));
        let closed = finding("2026-11-01T00:00:00Z", Some("2026-11-05T00:00:00Z"));
        assert!(news(&closed, "2026-11-04T00:00:00Z", "2026-11-05T01:00:00Z"));
        assert!(!news(&closed, "2026-11-06T00:00:00Z", "2027-02-05T01:00:00Z"));
        assert!(is_news(&closed, None, "2026-11-06T00:00:00Z".parse().unwrap()));
    }
}
