//! `picket benchmark run`: what every control of a benchmark comes to, as a tree with counts that add up.

use std::collections::BTreeMap;

use picket_checks::assessment::{Question, assess};
use picket_model::{Assessment, BenchmarkResult, ControlResult, Outcome};
use picket_report::risk::risks;
use serde::Serialize;

use super::named;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::posture::{Sources, render};
use crate::session::Session;
use crate::show::{Page, Paint, Reasons, Reply, Text, Tone};

/// What `picket benchmark run` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The benchmarks; all if none is named
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Where rules and evidence come from
    #[command(flatten)]
    pub sources: Sources,
    /// Only controls that fail
    #[arg(long)]
    pub failed: bool,
    /// Only controls of profile level 1
    #[arg(long)]
    pub level_1: bool,
}

#[derive(Debug, Serialize)]
struct Run {
    of: String,
    benchmarks: Vec<BenchmarkResult>,
    counts: BTreeMap<String, BTreeMap<&'static str, usize>>,
    next: Option<String>,
    #[serde(skip)]
    failed: bool,
}

/// Runs.
///
/// # Errors
/// If rules or evidence cannot be read, or there is no such benchmark.
pub(super) async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let book = args.sources.book()?;
    for id in &args.ids {
        named(&book, id)?;
    }
    let case = args.sources.case(session).await?;
    let benchmarks = (!args.ids.is_empty()).then(|| args.ids.clone());
    let question = Question { benchmarks, ..Question::default() };
    let mut assessed = assess(&case.book, &case.evidence, Vec::new(), &question, case.at);
    if args.level_1 {
        assessed.assessment.benchmarks.iter_mut().for_each(|b| b.controls.retain(|c| c.level <= 1));
    }
    let run = answer(&args, &case.of, &assessed.assessment, session);
    let fails = run.benchmarks.iter().flat_map(|b| &b.controls).any(|c| c.outcome == Outcome::Fail);
    let assets = risks(&case.book, &assessed.assessment.findings, &[], case.at);
    render::answer(session, &run, &assessed.assessment, &case.of, assets)?;
    Ok(if fails { Exit::Found } else { Exit::Done })
}

fn answer(args: &Args, of: &str, assessment: &Assessment, session: &Session) -> Run {
    let counts = assessment.benchmarks.iter().map(|b| (b.id.clone(), counts(b))).collect();
    let failing = assessment.benchmarks.iter().flat_map(|b| &b.controls).find(|c| c.outcome == Outcome::Fail);
    let next = failing.and_then(|c| c.rules.first()).map(|rule| session.command(format!("explain {rule}")));
    Run { of: of.to_owned(), benchmarks: assessment.benchmarks.clone(), counts, next, failed: args.failed }
}

/// How many controls came to what; those that nothing decides yet are counted apart from what is unknown.
fn counts(benchmark: &BenchmarkResult) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for control in &benchmark.controls {
        *counts.entry(word(&control.outcome)).or_insert(0) += 1;
    }
    counts
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Unknown(why) if why.starts_with("pending: ") => "pending",
        other => other.word(),
    }
}

impl Reply for Run {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        page.line(Tone::Strong, &self.of);
        for benchmark in &self.benchmarks {
            let total = benchmark.controls.len();
            let head =
                format!("{} {}: {total} controls: {}", benchmark.name, benchmark.version, says(&benchmark.controls));
            page.gap().line(Tone::Strong, head);
            let whys = benchmark.controls.iter().filter(|c| self.shows(c)).filter_map(|c| c.outcome.why());
            let reasons = Reasons::of(whys);
            for (section, controls) in sections(benchmark) {
                self.section(&mut page, &section, &controls, &reasons);
            }
            reasons.legend(&mut page, "controls");
        }
        page.next(self.next.as_deref()).done()
    }
}

impl Run {
    fn shows(&self, control: &ControlResult) -> bool {
        !self.failed || control.outcome == Outcome::Fail
    }

    fn section(&self, page: &mut Page, section: &str, controls: &[&ControlResult], reasons: &Reasons) {
        let shown: Vec<_> = controls.iter().filter(|c| self.shows(c)).collect();
        if shown.is_empty() {
            return;
        }
        let owned: Vec<ControlResult> = controls.iter().map(|c| (*c).clone()).collect();
        let name = if section.is_empty() { "controls" } else { section };
        page.gap().line(Tone::Plain, format!("{name}: {}", says(&owned))).indent(true);
        page.table(&["", "CONTROL", "ASKS FOR", "ASSETS", "WHY"], &[], shown.iter().map(|c| row(c, reasons)).collect());
        page.indent(false);
    }
}

/// Sections in the order of their first controls.
fn sections(benchmark: &BenchmarkResult) -> Vec<(String, Vec<&ControlResult>)> {
    let mut sections: Vec<(String, Vec<&ControlResult>)> = Vec::new();
    for control in &benchmark.controls {
        match sections.iter_mut().find(|(name, _)| *name == control.section) {
            Some((_, controls)) => controls.push(control),
            None => sections.push((control.section.clone(), vec![control])),
        }
    }
    sections
}

fn says(controls: &[ControlResult]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    controls.iter().for_each(|c| *counts.entry(word(&c.outcome)).or_insert(0) += 1);
    let order = ["fail", "unknown", "pass", "manual", "not_applicable", "pending"];
    let part = |w: &&str| counts.get(*w).map(|n| format!("{n} {}", w.replace('_', " ")));
    order.iter().filter_map(part).collect::<Vec<_>>().join(", ")
}

fn row(control: &ControlResult, reasons: &Reasons) -> Vec<Text> {
    let (tone, word) = match word(&control.outcome) {
        "pass" => (Tone::Good, "pass"),
        "fail" => (Tone::Bad, "FAIL"),
        "unknown" => (Tone::Warn, "unknown"),
        "manual" => (Tone::Plain, "manual"),
        "pending" => (Tone::Dim, "pending"),
        _ => (Tone::Dim, "n/a"),
    };
    let order = ["fail", "unknown", "pass", "manual", "not_applicable"];
    let assets = order.iter().filter_map(|w| control.assets.get(*w).map(|n| format!("{n} {}", w.replace('_', " "))));
    vec![
        Text::toned(tone, word),
        control.id.clone().into(),
        control.title.clone().into(),
        assets.collect::<Vec<_>>().join(", ").into(),
        reasons.short(control.outcome.why().unwrap_or_default()).into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(id: &str, section: &str, outcome: Outcome) -> ControlResult {
        ControlResult {
            id: id.to_owned(),
            title: "t".to_owned(),
            section: section.to_owned(),
            level: 1,
            outcome,
            rules: Vec::new(),
            assets: BTreeMap::from([("fail".to_owned(), 2), ("not_applicable".to_owned(), 1)]),
            findings: Vec::new(),
        }
    }

    #[test]
    fn the_counts_of_the_tree_add_up_and_pending_is_not_unknown() {
        let benchmark = BenchmarkResult {
            id: "b".to_owned(),
            name: "B".to_owned(),
            version: "1".to_owned(),
            controls: vec![
                control("1.1", "One", Outcome::Fail),
                control("1.2", "One", Outcome::Unknown("pending: nodes".to_owned())),
                control("2.1", "Two", Outcome::Unknown("denied".to_owned())),
            ],
        };
        assert_eq!(counts(&benchmark).values().sum::<usize>(), 3);
        let run =
            Run { of: "x".to_owned(), benchmarks: vec![benchmark], counts: BTreeMap::new(), next: None, failed: false };
        let text = run.text(Paint::default());
        assert!(text.contains("B 1: 3 controls: 1 fail, 1 unknown, 1 pending"), "{text}");
        assert!(text.contains("One: 1 fail, 1 pending") && text.contains("2 fail, 1 not applicable"), "{text}");
    }
}
