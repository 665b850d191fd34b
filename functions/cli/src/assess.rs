//! `picket assess`: every rule over an account, or over one asset of it. Reads only, and needs no deployment.

use jiff::Timestamp;
use picket_checks::assessment::{Assessed, Question, assess, is};
use picket_model::{Assessment, Document, Finding, Severity, Status, Unseen};
use picket_report::risk::{Going, risks};
use picket_report::snapshot::AssetRisk;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::posture::going::going;
use crate::posture::{Case, Sources, render};
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

/// How many findings the table shows unless all are wanted.
const SHOWN: usize = 25;
/// How many assets are shown by their risk unless all are wanted, and how many reasons of each.
const RISKIEST: usize = 6;
const REASONS: usize = 3;

/// What `picket assess` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket assess                                   every rule over this account and Region
  picket assess --all-regions --output html > report.html
  picket assess prod                              one asset, by its name or id, with what was read
  picket assess --rules policies/ --fail-on high  in a pipeline, with your own rules and waivers
  picket assess --kubeconfig ~/.kube/config       one Kubernetes cluster, EKS or not, without AWS
  picket assess --node report.json                one node, by what its collector wrote
  picket assess --save-evidence e.json && picket assess --evidence e.json
  picket assess --print-policy                    what the role that assesses needs, and no more

It ends with 1 if something is open that is at least as bad as `--fail-on`.")]
pub struct Args {
    /// Only this asset: a name, an id, or kind/id
    #[arg(value_name = "ASSET")]
    pub asset: Option<String>,
    /// Where rules and evidence come from
    #[command(flatten)]
    pub sources: Sources,
    /// Show every finding, waived ones too
    #[arg(long)]
    pub all: bool,
    /// End with 1 from this severity on
    #[arg(long, value_name = "SEVERITY", default_value = "low", value_parser = severity)]
    pub fail_on: Severity,
    /// Print the IAM policy that the role that assesses needs, and do nothing else
    #[arg(long)]
    pub print_policy: bool,
    /// Put every outcome into the JSON, not only findings
    #[arg(long)]
    pub evaluations: bool,
}

fn severity(text: &str) -> Result<Severity, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| "is none of low, medium, high, critical".to_owned())
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    of: String,
    assessment: Assessment,
    assets: Vec<AssetRisk>,
    outcomes: usize,
    rules: String,
    next: Option<String>,
    #[serde(skip)]
    shown: usize,
    #[serde(skip)]
    readings: bool,
}

/// Assesses.
///
/// # Errors
/// If rules or evidence cannot be read.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    if args.print_policy {
        session.show.json(&picket_evidence::permissions::policy(picket_evidence::collectors()))?;
        return Ok(Exit::Done);
    }
    let case = args.sources.case(session).await?;
    if let Some(asset) = &args.asset
        && !case.evidence.documents().any(|d| is(asset, d))
    {
        let hint = "`picket assess --evaluations --output json` lists every asset; is it in another Region?";
        return Err(Failure::refused(format!("nothing here is called `{asset}`")).hint(hint));
    }
    let question = Question { asset: args.asset.clone(), evaluations: args.evaluations, ..Question::default() };
    let Assessed { mut assessment, outcomes, .. } = assess(&case.book, &case.evidence, Vec::new(), &question, case.at);
    let wanted = |d: &Document| args.asset.as_deref().is_none_or(|asset| is(asset, d));
    let (going, unseen) = going(&case, wanted, session).await;
    assessment.unseen.extend(unseen);
    let is_bad = |f: &&Finding| f.status(case.at) == Status::Open && f.severity >= args.fail_on;
    let exit = if assessment.findings.iter().any(|f| is_bad(&f)) { Exit::Found } else { Exit::Done };
    let answer = answer(&args, &case, assessment, &going, outcomes, session);
    render::answer(session, &answer, &answer.assessment, &answer.of, answer.assets.clone())?;
    Ok(exit)
}

fn answer(
    args: &Args,
    case: &Case,
    mut assessment: Assessment,
    going: &[Going],
    outcomes: usize,
    session: &Session,
) -> Answer {
    sort(&mut assessment.findings, case.at);
    let assets = risks(&case.book, &assessment.findings, going, case.at);
    let worst = assessment.findings.iter().find(|f| f.status(case.at) == Status::Open);
    let next = worst.map(|f| session.command(format!("explain {}", f.rule)));
    Answer {
        of: case.of.clone(),
        assets,
        outcomes,
        rules: case.book.version.clone(),
        next,
        shown: if args.all { usize::MAX } else { SHOWN },
        readings: args.asset.is_some(),
        assessment,
    }
}

/// The gravest first, and within a severity by asset.
fn sort(findings: &mut [Finding], now: Timestamp) {
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (f.status(now) != Status::Open, std::cmp::Reverse(f.severity));
        (key(a), &a.asset, &a.rule).cmp(&(key(b), &b.asset, &b.rule))
    });
}

impl Reply for Answer {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        let now = self.assessment.at;
        let open: Vec<_> = self.assessment.findings.iter().filter(|f| f.status(now) == Status::Open).collect();
        let waived = self.assessment.findings.iter().filter(|f| f.status(now) == Status::Waived).count();
        page.line(Tone::Strong, &self.of);
        let of = |severity| open.iter().filter(|f| f.severity == severity).count();
        let counts = format!(
            "{} critical, {} high, {} medium, {} low open; {waived} waived; {} outcomes by the rules {}",
            of(Severity::Critical),
            of(Severity::High),
            of(Severity::Medium),
            of(Severity::Low),
            self.outcomes,
            self.rules,
        );
        page.line(if open.is_empty() { Tone::Good } else { Tone::Plain }, counts).gap();
        self.riskiest(&mut page);
        let shown: Vec<_> = self
            .assessment
            .findings
            .iter()
            .filter(|f| self.shown == usize::MAX || f.status(now) == Status::Open)
            .collect();
        if self.readings {
            shown.iter().for_each(|f| with_readings(&mut page, f, now));
        } else if !shown.is_empty() {
            let rows = shown.iter().take(self.shown).map(|f| row(f, now)).collect();
            page.table(&["SEVERITY", "ASSET", "WHAT", "RULE"], &[], rows);
        }
        if let Some(more) = shown.len().checked_sub(self.shown).filter(|n| *n > 0 && !self.readings) {
            page.line(Tone::Dim, format!("and {more} more; `--all` shows them"));
        }
        self.unseen(&mut page);
        page.next(self.next.as_deref()).done()
    }
}

impl Answer {
    /// The assets by their risk, each with its reasons in order; `picket explain` shows all of them.
    fn riskiest(&self, page: &mut Page) {
        let at_risk: Vec<&AssetRisk> = self.assets.iter().filter(|a| a.score > 0).collect();
        let shown = if self.shown == usize::MAX { usize::MAX } else { RISKIEST };
        let rows: Vec<Vec<Text>> = at_risk.iter().take(shown).flat_map(|a| with_reasons(a)).collect();
        if rows.is_empty() {
            return;
        }
        page.line(Tone::Strong, "highest risk").table(&["SCORE", "ASSET", "POINTS", "BECAUSE"], &[0, 2], rows);
        if let Some(more) = at_risk.len().checked_sub(shown).filter(|n| *n > 0) {
            page.line(Tone::Dim, format!("and {more} more; `--all` shows them, `picket explain ASSET` every reason"));
        }
        page.gap();
    }

    fn unseen(&self, page: &mut Page) {
        let unseen = &self.assessment.unseen;
        if unseen.is_empty() {
            return;
        }
        page.gap().line(
            Tone::Warn,
            format!("{} things could not be seen, and count as unknown; `--output json` names each", unseen.len()),
        );
        page.table(&["WHAT", "WHY"], &[], by_reason(unseen));
    }
}

/// A row a reason, with the first thing that could not be seen for it and how many more.
fn by_reason(unseen: &[Unseen]) -> Vec<Vec<Text>> {
    let mut grouped: Vec<(&str, Vec<&str>)> = Vec::new();
    for one in unseen {
        match grouped.iter_mut().find(|(why, _)| *why == one.why) {
            Some((_, whats)) => whats.push(&one.what),
            None => grouped.push((&one.why, vec![&one.what])),
        }
    }
    let row = |(why, whats): (&str, Vec<&str>)| {
        let what = match &whats[..] {
            [first, more @ ..] if !more.is_empty() => format!("{first} and {} more", more.len()),
            all => all.concat(),
        };
        vec![what.into(), why.into()]
    };
    grouped.into_iter().map(row).collect()
}

/// An asset's score, and its heaviest reasons a line each.
fn with_reasons(asset: &AssetRisk) -> Vec<Vec<Text>> {
    let told = asset.reasons.iter().filter(|r| r.weight > 0).take(REASONS);
    let row = |(n, reason): (usize, &picket_model::Reason)| {
        let (score, name) = if n == 0 { (asset.score.to_string(), asset.asset.clone()) } else { Default::default() };
        vec![
            Text::toned(heat(asset.score), score),
            name.into(),
            reason.weight.to_string().into(),
            reason.says.clone().into(),
        ]
    };
    told.enumerate().map(row).collect()
}

/// The colour of a score: from 70 on the policy's default cuts off, from 40 on it tells people.
fn heat(score: u8) -> Tone {
    match score {
        70.. => Tone::Bad,
        40.. => Tone::Warn,
        _ => Tone::Plain,
    }
}

/// The colour of a severity.
pub fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Critical | Severity::High => Tone::Bad,
        Severity::Medium => Tone::Warn,
        Severity::Low => Tone::Plain,
    }
}

fn row(finding: &Finding, now: Timestamp) -> Vec<Text> {
    let status = finding.status(now);
    let word = if status == Status::Open { finding.severity.to_string() } else { status.to_string() };
    let tone = if status == Status::Open { tone(finding.severity) } else { Tone::Dim };
    vec![
        Text::toned(tone, word),
        finding.asset.clone().into(),
        finding.title.clone().into(),
        finding.rule.clone().into(),
    ]
}

/// A finding with all that was read for it.
pub fn with_readings(page: &mut Page, finding: &Finding, now: Timestamp) {
    let status = finding.status(now);
    let head = format!("{}  {}  ({status}, {})", finding.severity, finding.title, finding.rule);
    page.line(if status == Status::Open { tone(finding.severity) } else { Tone::Dim }, head).indent(true);
    for reading in &finding.readings {
        page.field("read", format!("{} is {} ({})", reading.at, reading.found, reading.source));
        page.field("expected", reading.expected.clone());
    }
    if let Some(waiver) = &finding.waiver {
        page.field("waiver", format!("{} until {}: {}", waiver.owner, waiver.until, waiver.reason));
    }
    page.field("fix", finding.fix.clone());
    if let Some(action) = &finding.action {
        page.field("action", action.clone());
    }
    page.field("id", finding.id.clone()).indent(false).gap();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_seen_is_a_row_a_reason_and_all_of_it_is_counted() {
        let unseen = |what: &str, why: &str| Unseen { what: what.to_owned(), why: why.to_owned(), permission: None };
        let rows = by_reason(&[unseen("a", "denied"), unseen("b", "too slow"), unseen("c", "denied")]);
        let mut page = Page::new(Paint::default());
        let text = page.table(&["WHAT", "WHY"], &[], rows).done();
        assert_eq!(text, "WHAT          WHY\na and 1 more  denied\nb             too slow\n");
    }
}
