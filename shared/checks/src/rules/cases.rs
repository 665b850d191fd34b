//! A rule's cases: documents with what they should come to. They run as tests, and by `picket rule test`.

use picket_model::{AccountId, Document, Fact};

use super::evidence::Evidence;
use super::judge::judge_all;
use super::rule::{Case, Rule};

/// A case that came out otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {rule}: case `{case}` should be {expected} and is {found}{why}")]
pub struct CaseFailure {
    /// The rule's file.
    pub file: String,
    /// The case's line.
    pub line: u64,
    /// The rule.
    pub rule: String,
    /// The case.
    pub case: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
    /// Why, with a colon before.
    pub why: String,
}

/// Runs the cases of a rule.
#[must_use]
pub fn run(rule: &Rule) -> Vec<CaseFailure> {
    rule.cases.iter().filter_map(|case| run_one(rule, case)).collect()
}

/// What a rule lacks: one case that passes and one that fails, or one that is for a person where only that can be.
#[must_use]
pub fn lacking(rule: &Rule) -> Vec<&'static str> {
    let needed: &[&'static str] = if rule.evidence_only { &["manual"] } else { &["pass", "fail"] };
    needed.iter().filter(|n| !rule.cases.iter().any(|c| c.expect == **n)).copied().collect()
}

fn run_one(rule: &Rule, case: &Case) -> Option<CaseFailure> {
    let evidence = evidence(rule, case)?;
    let judged = judge_all([rule], &evidence);
    let mut found = judged.iter().filter(|j| j.document.id == case.id && j.document.kind == rule.select);
    let evaluation = found.next()?.evaluation();
    let word = evaluation.outcome.word();
    if word == case.expect {
        return None;
    }
    let read: Vec<_> = evaluation.readings.iter().map(|r| format!("{} is {}", r.at, r.found)).collect();
    let why = evaluation.outcome.why().map_or_else(|| read.join(", "), str::to_owned);
    Some(CaseFailure {
        file: rule.file.clone(),
        line: case.line,
        rule: rule.name.clone(),
        case: case.name.clone(),
        expected: case.expect.to_owned(),
        found: word.to_owned(),
        why: if why.is_empty() { why } else { format!(": {why}") },
    })
}

fn evidence(rule: &Rule, case: &Case) -> Option<Evidence> {
    let account = AccountId::parse("123456789012").ok()?;
    let document = |kind: &str, id: String, facts: serde_json::Value| Document {
        kind: kind.to_owned(),
        account: account.clone(),
        region: case.region.clone(),
        id,
        read_at: case.at,
        facts: Fact::known(facts, "case"),
    };
    let mut evidence = Evidence::default();
    evidence.add([document(&rule.select, case.id.clone(), case.document.clone())]);
    for (join, (_, items)) in rule.joins.iter().zip(&case.with) {
        let Some(items) = items else { continue };
        // A join of the rule's own kind sees the document itself too, as it does in an account.
        evidence.complete(&join.kind, &account, case.region.as_ref());
        let id = |n: usize, facts: &serde_json::Value| {
            facts.get("_id").and_then(|i| i.as_str()).map_or_else(|| format!("{}-{n}", join.name), str::to_owned)
        };
        evidence.add(items.iter().enumerate().map(|(n, facts)| document(&join.kind, id(n, facts), facts.clone())));
    }
    Some(evidence)
}
