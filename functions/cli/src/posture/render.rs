//! An assessment in every format: text and JSON here, the others by `picket-report`.

use picket_model::Assessment;
use picket_report::snapshot::{AssetRisk, Report};
use picket_report::{asff, csv, html, junit, ocsf, sarif};
use serde_json::Value;

use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Format, Reply};

/// Prints `reply` as text or JSON, or the assessment behind it in another format.
///
/// # Errors
/// If it cannot be written.
pub fn answer(
    session: &Session,
    reply: &impl Reply,
    assessment: &Assessment,
    of: &str,
    assets: Vec<AssetRisk>,
) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let failed = |what: &'static str| move || Failure::usage(format!("writing {what}"));
    match session.show.format() {
        Format::Text | Format::Json => session.show.answer(reply),
        Format::Csv => session.show.print(&csv::findings(assessment).map_err(|e| failed("CSV")().because(e))?),
        Format::Sarif => session.show.json(&sarif::findings(assessment, version)),
        Format::Junit => session.show.print(&junit::benchmarks(assessment).map_err(|e| failed("JUnit")().because(e))?),
        Format::Ocsf => lines(session, &ocsf::findings(assessment, version)),
        Format::Asff => {
            let home = session.region.as_deref().unwrap_or("us-east-1");
            session.show.json(&asff::findings(assessment, home))
        }
        Format::Html => {
            let report = report(session, assessment, of, assets);
            session.show.print(&html::render(&report).map_err(|e| failed("the page")().because(e))?)
        }
    }
}

/// One JSON document a line, as collectors of events read them.
fn lines(session: &Session, events: &[Value]) -> Result<(), Failure> {
    let text: Vec<String> = events.iter().map(ToString::to_string).collect();
    session.show.print(&text.join("\n"))
}

fn report(session: &Session, assessment: &Assessment, of: &str, assets: Vec<AssetRisk>) -> Report {
    Report {
        of: of.to_owned(),
        stack: session.stack.clone(),
        at: assessment.at,
        mode: "assessment from a terminal; nothing is changed".to_owned(),
        assessment: assessment.clone(),
        held: Vec::new(),
        clusters: Vec::new(),
        assets,
        episodes: Vec::new(),
        trend: Vec::new(),
    }
}
