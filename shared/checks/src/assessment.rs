//! One assessment: evidence judged by a book, findings brought up to date, benchmarks rolled up, and what could not be seen.

use std::collections::BTreeSet;

use jiff::Timestamp;
use picket_model::{AccountId, Assessment, Document, Fact, Finding, Unseen};

use crate::benchmarks::{RollUp, roll_up};
use crate::book::Book;
use crate::findings::{Change, reconcile};
use crate::rules::{Evidence, Judged, Rule, judge_all};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Only these rules; all if none are named.
    pub rules: Option<BTreeSet<String>>,
    /// Only assets that this names, by id or as `kind/id`.
    pub asset: Option<String>,
    /// These benchmarks; none for all.
    pub benchmarks: Option<Vec<String>>,
    /// Whether every outcome is wanted in words, not only findings and counts.
    pub evaluations: bool,
}

/// Answers.
#[derive(Debug)]
pub struct Assessed {
    /// The assessment.
    pub assessment: Assessment,
    /// What became of the findings.
    pub change: Change,
    /// How many outcomes there were.
    pub outcomes: usize,
}

/// Judges. `known` are the findings that are kept for the same places.
#[must_use]
pub fn assess(book: &Book, evidence: &Evidence, known: Vec<Finding>, question: &Question, now: Timestamp) -> Assessed {
    let wanted = |rule: &&Rule| question.rules.as_ref().is_none_or(|names| names.contains(&rule.name));
    let rules: Vec<&Rule> = book.rules().iter().filter(wanted).collect();
    let mut judged = judge_all(rules.iter().copied(), evidence);
    if let Some(asset) = &question.asset {
        judged.retain(|j| is(asset, j.document));
    }
    let change = reconcile(book, &rules, known, &judged, evidence, now);
    let roll = RollUp::new(book.rules(), evidence, &judged);
    let asked = |id: &str| question.benchmarks.as_ref().is_none_or(|ids| ids.iter().any(|i| i == id));
    let benchmarks = book.benchmarks().iter().filter(|b| asked(&b.id));
    let assessment = Assessment {
        accounts: accounts(evidence),
        at: now,
        benchmarks: benchmarks.map(|b| roll_up(b, &roll, &change.findings)).collect(),
        findings: change.findings.clone(),
        evaluations: if question.evaluations { judged.iter().map(Judged::evaluation).collect() } else { Vec::new() },
        unseen: unseen(evidence),
    };
    Assessed { assessment, change, outcomes: judged.len() }
}

/// Whether a person means this document: by its id, by `kind/id`, or by its name.
#[must_use]
pub fn is(asset: &str, document: &Document) -> bool {
    let named = || document.facts.value().and_then(|f| f.get("name")).and_then(|n| n.as_str()) == Some(asset);
    document.id == asset || document.asset() == asset || named()
}

fn accounts(evidence: &Evidence) -> Vec<AccountId> {
    let all: BTreeSet<&AccountId> = evidence.documents().map(|d| &d.account).collect();
    all.into_iter().cloned().collect()
}

/// What could not be read, each once.
#[must_use]
pub fn unseen(evidence: &Evidence) -> Vec<Unseen> {
    let of = |document: &Document| match &document.facts {
        Fact::Known { .. } => None,
        Fact::Unknown { reason } => {
            let place = document.region.as_ref().map_or_else(String::new, |r| format!("/{r}"));
            let what = format!("{} in {}{place}", document.asset(), document.account);
            let permission = reason.split_once(" was denied").map(|(call, _)| call.to_owned());
            Some(Unseen { what, why: reason.clone(), permission })
        }
    };
    evidence.documents().filter_map(of).collect::<BTreeSet<_>>().into_iter().collect()
}
