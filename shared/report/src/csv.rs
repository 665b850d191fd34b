//! Findings as a table for spreadsheets (RFC 4180). Cells that a spreadsheet would run as a formula are quoted with an
//! apostrophe, as OWASP advises against CSV injection.

use picket_model::Assessment;

const HEAD: [&str; 14] = [
    "id",
    "severity",
    "status",
    "title",
    "rule",
    "asset",
    "account",
    "region",
    "controls",
    "found",
    "fix",
    "first_seen",
    "last_seen",
    "waived_by",
];

/// The findings, one row each.
///
/// # Errors
/// If a row cannot be written, which memory alone can bring about.
pub fn findings(assessment: &Assessment) -> Result<String, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(HEAD)?;
    for f in &assessment.findings {
        let found: Vec<String> = f.readings.iter().map(|r| format!("{}={}", r.at, r.found)).collect();
        let row = [
            f.id.clone(),
            f.severity.to_string(),
            f.status(assessment.at).to_string(),
            f.title.clone(),
            f.rule.clone(),
            f.asset.clone(),
            f.account.to_string(),
            f.region.as_ref().map(ToString::to_string).unwrap_or_default(),
            f.controls.join(" "),
            found.join("; "),
            f.fix.clone(),
            f.first_seen.to_string(),
            f.last_seen.to_string(),
            f.waiver.as_ref().map(|w| w.owner.clone()).unwrap_or_default(),
        ];
        out.write_record(row.map(harmless))?;
    }
    let bytes = out.into_inner().map_err(|e| csv::Error::from(e.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made;

    #[test]
    fn every_finding_is_a_row_and_quotes_and_line_feeds_stay_in_their_cell() {
        let text = findings(&made::assessment("a \"quoted\", split\nname")).unwrap();
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<_> = rows.records().collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(&rows[0][3], "a \"quoted\", split\nname");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for word in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1"] {
            let text = findings(&made::assessment(word)).unwrap();
            let mut rows = csv::Reader::from_reader(text.as_bytes());
            for cell in rows.records().flat_map(|r| r.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()) {
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t']), "{cell}");
            }
        }
    }
}
