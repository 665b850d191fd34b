//! What controls come to over all assets: fail if one fails, unknown if of one it is not known, pass only where one passes.

use std::collections::{BTreeMap, HashMap};

use picket_model::assessment::{BenchmarkResult, ControlResult};
use picket_model::{Evaluation, Finding, Outcome};

use super::{Benchmark, By, Control};
use crate::rules::{Catalogue, Evidence, Judged, Verdict};

/// Judgements by the rule that made them, to roll up any number of benchmarks.
#[derive(Debug)]
pub struct RollUp<'a> {
    rules: &'a Catalogue,
    evidence: &'a Evidence,
    by_rule: HashMap<&'a str, Vec<&'a Judged<'a>>>,
}

impl<'a> RollUp<'a> {
    /// Sorts judgements by rule.
    #[must_use]
    pub fn new(rules: &'a Catalogue, evidence: &'a Evidence, judged: &'a [Judged<'a>]) -> Self {
        let mut by_rule: HashMap<&str, Vec<&Judged<'_>>> = HashMap::new();
        for one in judged {
            by_rule.entry(&one.rule.name).or_default().push(one);
        }
        Self { rules, evidence, by_rule }
    }

    fn of(&self, rule: &str) -> &[&'a Judged<'a>] {
        self.by_rule.get(rule).map_or(&[], Vec::as_slice)
    }
}

/// What every control of a benchmark comes to. `findings` are the open ones, to name those behind a failure.
#[must_use]
pub fn roll_up(benchmark: &Benchmark, of: &RollUp<'_>, findings: &[Finding]) -> BenchmarkResult {
    let mut open: HashMap<&str, Vec<&Finding>> = HashMap::new();
    for finding in findings.iter().filter(|f| f.resolved_at.is_none()) {
        open.entry(&finding.rule).or_default().push(finding);
    }
    let control = |c: &Control| ControlResult {
        id: c.id.clone(),
        title: c.title.clone(),
        section: benchmark.section(&c.id).to_owned(),
        level: c.level,
        outcome: outcome(&c.by, of),
        rules: if let By::Rules(rules) = &c.by { rules.clone() } else { Vec::new() },
        assets: assets(&c.by, of),
        findings: behind(&c.by, &open),
    };
    BenchmarkResult {
        id: benchmark.id.clone(),
        name: benchmark.name.clone(),
        version: benchmark.version.clone(),
        controls: benchmark.controls.iter().map(control).collect(),
    }
}

fn behind(by: &By, open: &HashMap<&str, Vec<&Finding>>) -> Vec<String> {
    let By::Rules(rules) = by else { return Vec::new() };
    rules.iter().filter_map(|r| open.get(r.as_str())).flatten().map(|f| f.id.clone()).collect()
}

fn assets(by: &By, of: &RollUp<'_>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    let By::Rules(rules) = by else { return counts };
    for judged in rules.iter().flat_map(|r| of.of(r)) {
        *counts.entry(judged.verdict.word().to_owned()).or_insert(0) += 1;
    }
    counts
}

fn outcome(by: &By, of: &RollUp<'_>) -> Outcome {
    match by {
        By::Person(how) => Outcome::Manual(how.clone()),
        By::NotApplicable(why) => Outcome::NotApplicable(why.clone()),
        By::Pending(what) => Outcome::Unknown(format!("pending: {what}")),
        By::Rules(rules) => decided(rules, of),
    }
}

/// The gravest answer of all rules and assets, with one reason for it.
fn decided(rules: &[String], of: &RollUp<'_>) -> Outcome {
    let first = |verdict: Verdict| rules.iter().flat_map(|r| of.of(r)).find(|j| j.verdict == verdict);
    if first(Verdict::Fail).is_some() {
        return Outcome::Fail;
    }
    if let Some(judged) = first(Verdict::Unknown) {
        return with_asset(judged.evaluation());
    }
    if let Some(unread) = rules.iter().filter_map(|r| of.rules.get(r)).find(|r| !of.evidence.has_read(&r.select)) {
        return Outcome::Unknown(format!("{} was not read", unread.select));
    }
    if let Some(judged) = first(Verdict::Manual) {
        return judged.evaluation().outcome;
    }
    if first(Verdict::Pass).is_some() {
        return Outcome::Pass;
    }
    match first(Verdict::NotApplicable) {
        Some(judged) => judged.evaluation().outcome,
        None => Outcome::NotApplicable(nothing_there(rules, of)),
    }
}

fn with_asset(evaluation: Evaluation) -> Outcome {
    match evaluation.outcome {
        Outcome::Unknown(why) => Outcome::Unknown(format!("{}: {why}", evaluation.asset)),
        other => other,
    }
}

fn nothing_there(rules: &[String], of: &RollUp<'_>) -> String {
    let mut kinds: Vec<&str> = rules.iter().filter_map(|r| of.rules.get(r)).map(|r| r.select.as_str()).collect();
    kinds.dedup();
    format!("there is no {}", kinds.join(" and no "))
}
