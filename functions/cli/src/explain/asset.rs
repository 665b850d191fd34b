//! A finding or an asset, explained: what was read, and how the risk adds up.

use jiff::Timestamp;
use picket_checks::assessment::{Question, assess, is};
use picket_checks::belongs::cluster_of;
use picket_checks::risk::counts_for;
use picket_model::{Document, Evaluation, Finding};
use picket_report::risk::risks;
use picket_report::snapshot::AssetRisk;
use serde::Serialize;

use super::Args;
use crate::assess::with_readings;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::posture::Case;
use crate::posture::going::going;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

#[derive(Debug, Serialize)]
struct Explained {
    what: String,
    of: String,
    at: Timestamp,
    risk: Vec<AssetRisk>,
    findings: Vec<Finding>,
    /// Outcomes that are not findings: what passes, what does not apply, what is not known.
    evaluations: Vec<Evaluation>,
    next: Option<String>,
}

/// Explains a finding or an asset.
///
/// # Errors
/// If there is nothing of that name.
pub(super) async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let case = args.sources.case(session).await?;
    let what = args.what.as_str();
    let is_finding = what.starts_with("finding-");
    let document = case.evidence.documents().find(|d| is(what, d));
    let asset = document.map(Document::asset);
    if !is_finding && asset.is_none() {
        return Err(unknown(what, &case.book));
    }
    let question = Question { evaluations: true, ..Question::default() };
    let assessed = assess(&case.book, &case.evidence, Vec::new(), &question, case.at).assessment;
    let mut findings = assessed.findings;
    let about = |f: &Finding| if is_finding { f.id == what } else { asset.as_deref() == Some(f.asset.as_str()) };
    let counted: Vec<String> =
        findings.iter().filter(|f| about(f)).flat_map(counts_for).chain(homes(document, &case)).collect();
    let wanted = |d: &Document| counted.contains(&d.asset());
    let (going, _) = going(&case, wanted, session).await;
    let all = risks(&case.book, &findings, &going, case.at);
    findings.retain(about);
    if is_finding && findings.is_empty() {
        let hint = "it may be resolved, in another Region, or of your own rules: `--rules DIR`";
        return Err(Failure::refused(format!("nothing is open as `{what}`")).hint(hint));
    }
    let risk = all.into_iter().filter(|r| counted.contains(&r.asset)).collect();
    let about: Option<&str> = asset.as_deref().or_else(|| findings.first().map(|f| f.asset.as_str()));
    let mut evaluations = assessed.evaluations;
    let is_shown = |e: &Evaluation| !is_finding && about == Some(e.asset.as_str()) && e.outcome.word() != "fail";
    evaluations.retain(is_shown);
    let next = findings.first().map(|f| session.command(format!("explain {}", f.rule)));
    session.show.answer(&Explained {
        what: what.to_owned(),
        of: case.of,
        at: case.at,
        risk,
        findings,
        evaluations,
        next,
    })?;
    Ok(Exit::Done)
}

/// The assets whose risk tells of a document: its own, and that of its cluster.
fn homes(document: Option<&Document>, case: &Case) -> Vec<String> {
    let cluster = document.and_then(|d| cluster_of(d, &case.evidence, None));
    document.map(Document::asset).into_iter().chain(cluster).collect()
}

/// What may have been meant: a rule whose name holds the word.
fn unknown(what: &str, book: &picket_checks::Book) -> Failure {
    let near: Vec<_> = book.rules().iter().map(|r| r.name.as_str()).filter(|n| n.contains(what)).take(5).collect();
    let hint = if near.is_empty() {
        "`picket rule list` lists the rules, `picket assess` the findings".to_owned()
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    Failure::refused(format!("there is no rule, finding or asset `{what}`")).hint(hint)
}

impl Reply for Explained {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        page.line(Tone::Strong, format!("{} in {}", self.what, self.of)).gap();
        for risk in &self.risk {
            page.line(Tone::Strong, format!("risk {} of 100: {}", risk.score, risk.asset));
            let row = |r: &picket_model::Reason| -> Vec<Text> {
                vec![
                    r.weight.to_string().into(),
                    r.signal.clone().into(),
                    r.says.clone().into(),
                    r.evidence.clone().into(),
                ]
            };
            page.table(&["POINTS", "BECAUSE OF", "WHAT", "EVIDENCE"], &[0], risk.reasons.iter().map(row).collect());
            page.line(Tone::Dim, "the sum of the points, at most 100; `picket explain risk` prints the table").gap();
        }
        self.findings.iter().for_each(|f| with_readings(&mut page, f, self.at));
        let row = |e: &Evaluation| -> Vec<Text> {
            vec![
                e.outcome.word().replace('_', " ").into(),
                e.rule.clone().into(),
                e.outcome.why().unwrap_or_default().to_owned().into(),
            ]
        };
        if !self.evaluations.is_empty() {
            page.table(&["OUTCOME", "RULE", "WHY"], &[], self.evaluations.iter().map(row).collect());
        }
        page.next(self.next.as_deref()).done()
    }
}
