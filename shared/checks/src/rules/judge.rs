//! Rules over evidence. `judge_all` gives one small verdict a rule and document; `Judged::evaluation` puts one into words.

use std::collections::BTreeMap;
use std::sync::Arc;

use picket_model::{AccountId, Document, Evaluation, Fact, Outcome, Reading, Region};
use serde_json::Value;

use super::evaluate::{Joined, Notes, Scope, Silent, Subject, Truth, truth};
use super::evidence::Evidence;
use super::expr::Expression;
use super::path::{Path, Step};
use super::rule::{Leaf, Rule};
use super::words;

/// How many readings an evaluation carries; more tell nobody more.
const MOST_READINGS: usize = 8;

/// What a rule comes to, without the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// Not as it should be.
    Fail,
    /// The question does not arise.
    NotApplicable,
    /// A person judges by what was read.
    Manual,
    /// It cannot be told.
    Unknown,
}

impl Verdict {
    /// One word, as `Outcome::word` has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotApplicable => "not_applicable",
            Self::Manual => "manual",
            Self::Unknown => "unknown",
        }
    }
}

/// A rule applied to a document.
#[derive(Debug, Clone)]
pub struct Judged<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The document.
    pub document: &'a Document,
    /// What it comes to.
    pub verdict: Verdict,
    joins: Arc<[Arc<Joined>]>,
}

/// Judges every document by every one of `rules` that is about its kind.
#[must_use]
pub fn judge_all<'a>(rules: impl IntoIterator<Item = &'a Rule>, evidence: &'a Evidence) -> Vec<Judged<'a>> {
    let mut by_kind: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in rules {
        by_kind.entry(&rule.select).or_default().push(rule);
    }
    let mut joins = Joins { evidence, found: BTreeMap::new() };
    let mut all = Vec::new();
    for (kind, rules) in by_kind {
        let mut places: BTreeMap<(&AccountId, Option<&Region>), Vec<&Document>> = BTreeMap::new();
        for document in evidence.of_kind(kind) {
            places.entry((&document.account, document.region.as_ref())).or_default().push(document);
        }
        for ((account, region), documents) in places {
            let with: Vec<_> = rules.iter().map(|rule| (*rule, joins.of(rule, account, region))).collect();
            for document in documents {
                judge_one(document, &with, &mut all);
            }
        }
    }
    all
}

fn judge_one<'a>(document: &'a Document, rules: &[(&'a Rule, Arc<[Arc<Joined>]>)], all: &mut Vec<Judged<'a>>) {
    let subject = document.facts.value().map(|facts| Subject::new(document, facts));
    for (rule, joins) in rules {
        let verdict = subject.as_ref().map_or(Verdict::Unknown, |s| verdict(rule, s, joins));
        all.push(Judged { rule, document, verdict, joins: joins.clone() });
    }
}

/// The lists beside documents, made once a kind and place.
struct Joins<'a> {
    evidence: &'a Evidence,
    found: BTreeMap<(&'a str, &'a AccountId, Option<&'a Region>), Arc<Joined>>,
}

impl<'a> Joins<'a> {
    fn of(&mut self, rule: &'a Rule, account: &'a AccountId, region: Option<&'a Region>) -> Arc<[Arc<Joined>]> {
        let evidence = self.evidence;
        let mut one = |kind: &'a str| {
            let made = || evidence.joined(kind, account, region);
            self.found.entry((kind, account, region)).or_insert_with(made).clone()
        };
        rule.joins.iter().map(|j| one(&j.kind)).collect()
    }
}

/// What a rule comes to for one document.
pub(crate) fn verdict(rule: &Rule, subject: &Subject<'_>, joins: &[Arc<Joined>]) -> Verdict {
    let scope = Scope { subject, names: &rule.joins, joins };
    match applies(rule, &scope, &mut Silent) {
        Truth::No => return Verdict::NotApplicable,
        Truth::Unknown => return Verdict::Unknown,
        Truth::Yes => {}
    }
    if joins.iter().any(|j| j.unread.is_some()) {
        return Verdict::Unknown;
    }
    match truth(&rule.check, &scope, false, &mut Silent) {
        Truth::Unknown => Verdict::Unknown,
        _ if rule.evidence_only => Verdict::Manual,
        Truth::Yes => Verdict::Pass,
        Truth::No => Verdict::Fail,
    }
}

fn applies<N: Notes>(rule: &Rule, scope: &Scope<'_>, notes: &mut N) -> Truth {
    rule.when.as_ref().map_or(Truth::Yes, |(when, _)| truth(when, scope, false, notes))
}

impl Judged<'_> {
    /// The outcome in words, with what was read.
    #[must_use]
    pub fn evaluation(&self) -> Evaluation {
        let (readings, why) = self.in_words();
        let reason = |otherwise: &str| why.clone().unwrap_or_else(|| otherwise.to_owned());
        let outcome = match self.verdict {
            Verdict::Pass => Outcome::Pass,
            Verdict::Fail => Outcome::Fail,
            Verdict::NotApplicable => Outcome::NotApplicable(self.because()),
            Verdict::Manual => Outcome::Manual(self.rule.fix.how.clone()),
            Verdict::Unknown => Outcome::Unknown(reason("the evidence does not say")),
        };
        let d = self.document;
        Evaluation {
            rule: self.rule.name.clone(),
            account: d.account.clone(),
            region: d.region.clone(),
            asset: d.asset(),
            outcome,
            readings,
            at: d.read_at,
        }
    }

    /// What it comes to when it is judged once more, by itself. Words are measured against it: they cost that, and their
    /// own.
    #[must_use]
    pub fn again(&self) -> Verdict {
        let subject = self.document.facts.value().map(|facts| Subject::new(self.document, facts));
        subject.map_or(Verdict::Unknown, |subject| verdict(self.rule, &subject, &self.joins))
    }

    fn because(&self) -> String {
        self.rule.when.as_ref().map_or_else(|| "the question does not arise".to_owned(), |(_, because)| because.clone())
    }

    /// What was read, and why it is unknown, if it is.
    fn in_words(&self) -> (Vec<Reading>, Option<String>) {
        let (facts, source) = match &self.document.facts {
            Fact::Known { value, source } => (value, source.as_str()),
            Fact::Unknown { reason } => return (Vec::new(), Some(reason.clone())),
        };
        let subject = Subject::new(self.document, facts);
        let scope = Scope { subject: &subject, names: &self.rule.joins, joins: &self.joins };
        let unread = facts.get("unread");
        let mut notes =
            Words { verdict: self.verdict, rule: self.rule, source, unread, readings: Vec::new(), why: None };
        let applies = applies(self.rule, &scope, &mut notes);
        if applies == Truth::Yes {
            notes.readings.clear();
            notes.why = None;
            if let Some(unread) = self.joins.iter().find_map(|j| j.unread.clone()) {
                return (Vec::new(), Some(unread));
            }
            truth(&self.rule.check, &scope, false, &mut notes);
        }
        (notes.readings, notes.why)
    }
}

/// Notes what made the verdict.
struct Words<'a> {
    verdict: Verdict,
    rule: &'a Rule,
    source: &'a str,
    /// Why parts of the document were not read, by field.
    unread: Option<&'a Value>,
    readings: Vec<Reading>,
    why: Option<String>,
}

impl Words<'_> {
    /// The collector's reason why the field that a path starts in was not read.
    fn why_unread(&self, path: &Path) -> Option<String> {
        let Some(Step::Key(field)) = path.0.first() else { return None };
        self.unread?.get(field)?.as_str().map(str::to_owned)
    }

    /// Whether a part that came to `truth` belongs to what is told about the verdict.
    fn matters(&self, truth: Truth, turned: bool) -> bool {
        let truth = if turned { truth.turned() } else { truth };
        let matters = match self.verdict {
            Verdict::Pass => truth == Truth::Yes,
            Verdict::Fail | Verdict::NotApplicable => truth == Truth::No,
            Verdict::Unknown => truth == Truth::Unknown,
            Verdict::Manual => true,
        };
        matters && self.readings.len() < MOST_READINGS
    }

    fn source_of(&self, join: Option<usize>) -> String {
        join.and_then(|at| self.rule.joins.get(at)).map_or_else(|| self.source.to_owned(), |j| j.kind.clone())
    }
}

impl Notes for Words<'_> {
    const ALL: bool = true;

    fn leaf(&mut self, leaf: &Leaf, indices: &[usize], found: Option<&Value>, truth: Truth, turned: bool) {
        if !self.matters(truth, turned) {
            return;
        }
        let at = match (leaf.join, indices.split_first()) {
            (Some(_), _) | (None, None | Some(_)) => leaf.at.with_indices(indices),
        };
        if self.why.is_none() && truth == Truth::Unknown {
            self.why = Some(match found {
                None => {
                    let told = leaf.join.is_none().then(|| self.why_unread(&leaf.below)).flatten();
                    told.unwrap_or_else(|| format!("`{at}` was not read"))
                }
                Some(found) => format!("`{at}` is {}, which cannot be compared", words::brief(found)),
            });
        }
        let expected = words::expected(leaf);
        self.readings.push(Reading {
            at,
            source: self.source_of(leaf.join),
            found: found.map_or_else(|| "nothing".into(), words::brief),
            expected: if turned { format!("not: {expected}") } else { expected },
        });
    }

    fn expr(&mut self, expr: &dyn Expression, scope: &Scope<'_>, holds: &Result<bool, String>, turned: bool) {
        let truth = holds.as_ref().map_or(Truth::Unknown, |h| if *h { Truth::Yes } else { Truth::No });
        if !self.matters(truth, turned) {
            return;
        }
        if let Err(why) = holds
            && self.why.is_none()
        {
            let own = expr.reads().iter().filter(|(variable, _)| variable == "this").filter_map(|(_, p)| p.as_ref());
            self.why = own.filter_map(|p| self.why_unread(p)).next().or_else(|| Some(why.clone()));
        }
        let expected = expr.expected().unwrap_or(expr.text());
        let expected = if turned { format!("not: {expected}") } else { expected.to_owned() };
        for (variable, path) in expr.reads().iter().filter(|(v, p)| p.is_some() || scope.join(v).is_some()) {
            if self.readings.len() >= MOST_READINGS {
                return;
            }
            self.readings.push(read(variable, path.as_ref(), scope, self, expected.clone()));
        }
    }
}

fn read(variable: &str, path: Option<&Path>, scope: &Scope<'_>, words: &Words<'_>, expected: String) -> Reading {
    let join = scope.names.iter().position(|j| j.name == variable);
    let root = match join.and_then(|at| scope.joins.get(at)) {
        Some(joined) => &joined.values,
        None => scope.subject.facts,
    };
    let mut found = None;
    match path {
        Some(path) => path.visit(root, &mut |_, value| {
            found = value;
            false
        }),
        None => found = Some(root),
    }
    let found = match (found, path) {
        (Some(Value::Array(items)), None) => format!("{} of {variable}", items.len()).as_str().into(),
        (Some(value), _) => words::brief(value),
        (None, _) => "nothing".into(),
    };
    let at = match (path, variable) {
        (Some(path), "this") => path.to_string(),
        (Some(path), _) => format!("{variable}.{path}"),
        (None, _) => variable.to_owned(),
    };
    Reading { at, source: words.source_of(join), found, expected }
}
