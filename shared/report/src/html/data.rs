//! The findings as the page's script reads them: JSON inside the page, in which no character can end the element.

use jiff::Timestamp;
use picket_model::{Finding, Reading, Status, Waiver};
use serde::Serialize;

use super::words::moment;
use crate::Report;

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    rule: &'a str,
    title: &'a str,
    severity: String,
    status: String,
    account: &'a str,
    region: &'a str,
    asset: &'a str,
    since: String,
    controls: &'a [String],
    readings: &'a [Reading],
    fix: &'a str,
    action: Option<&'a str>,
    waiver: Option<&'a Waiver>,
}

/// All findings, worst first, then by asset.
pub(super) fn findings(report: &Report) -> Result<String, serde_json::Error> {
    let mut all: Vec<&Finding> = report.assessment.findings.iter().collect();
    all.sort_by(|a, b| {
        let order = |f: &Finding| (f.status(report.at) == Status::Resolved, std::cmp::Reverse(f.severity));
        order(a).cmp(&order(b)).then_with(|| a.asset.cmp(&b.asset)).then_with(|| a.rule.cmp(&b.rule))
    });
    let rows: Vec<Row<'_>> = all.into_iter().map(|f| row(f, report.at)).collect();
    Ok(within_html(&serde_json::to_string(&rows)?))
}

fn row(finding: &Finding, now: Timestamp) -> Row<'_> {
    Row {
        id: &finding.id,
        rule: &finding.rule,
        title: &finding.title,
        severity: finding.severity.to_string(),
        status: finding.status(now).to_string(),
        account: finding.account.as_str(),
        region: finding.region.as_ref().map_or("", |r| r.as_str()),
        asset: &finding.asset,
        since: moment(finding.first_seen),
        controls: &finding.controls,
        readings: &finding.readings,
        fix: &finding.fix,
        action: finding.action.as_deref(),
        waiver: finding.waiver.as_ref(),
    }
}

/// JSON has these characters only inside strings, where they may be written as escapes.
fn within_html(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
