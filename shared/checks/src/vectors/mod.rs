//! Other projects' test cases against our judgement: which we agree with, which we judge otherwise with a reason, which we
//! do not, and which we have nothing to say about. A suite is a file of cases and the way from its shapes to our rules.

mod adjudicated;
mod kubebench;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::rules::Catalogue;

pub use adjudicated::Adjudicated;

/// What another project, or we, say of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// It is as it should be.
    Pass,
    /// It is not.
    Fail,
}

/// What we come to for a case of another project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ours {
    /// A verdict.
    Says(Says),
    /// Nothing, and why: no rule of ours asks this, or its evidence is not among what is given.
    NotCovered(String),
}

/// A case of another project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vector {
    /// The project's rule.
    pub rule: String,
    /// The case within the rule.
    pub case: String,
    /// What the project says.
    pub theirs: Says,
    /// What we say.
    pub ours: Ours,
    /// What we read of it: the facts of each of its documents.
    pub facts: Vec<Value>,
}

/// A file of cases in one project's shape.
pub struct Suite {
    /// The file's name.
    pub file: &'static str,
    /// Reads and judges the cases.
    pub judge: fn(text: &str, rules: &Catalogue) -> Result<Vec<Vector>, String>,
}

/// The suites, by file.
pub const SUITES: &[Suite] = &[Suite { file: "kubebench_compareop.json", judge: kubebench::judge }];

/// What became of one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// We say the same.
    Agreed,
    /// We say otherwise, with a reason that is written down.
    Adjudicated,
    /// We say otherwise.
    Disagreed,
    /// We say nothing.
    NotCovered,
}

/// The cases of one rule of another project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Agreed.
    pub agreed: usize,
    /// Adjudicated.
    pub adjudicated: usize,
    /// Disagreed.
    pub disagreed: usize,
    /// Not covered.
    pub not_covered: usize,
    /// The cases that are not agreed, with why.
    pub notes: Vec<String>,
}

impl Tally {
    /// Counts one case.
    pub fn add(&mut self, vector: &Vector, fate: Fate, reason: &str) {
        match fate {
            Fate::Agreed => self.agreed += 1,
            Fate::Adjudicated => self.adjudicated += 1,
            Fate::Disagreed => self.disagreed += 1,
            Fate::NotCovered => self.not_covered += 1,
        }
        if fate != Fate::Agreed {
            self.notes.push(format!("{}: {reason}", vector.case));
        }
    }
}

/// Counts cases by suite and rule.
#[must_use]
pub fn tally(suite: &str, vectors: &[Vector], adjudicated: &Adjudicated) -> BTreeMap<String, Tally> {
    let mut by_rule: BTreeMap<String, Tally> = BTreeMap::new();
    for vector in vectors {
        let (fate, reason) = fate(suite, vector, adjudicated);
        by_rule.entry(vector.rule.clone()).or_default().add(vector, fate, &reason);
    }
    by_rule
}

fn fate(suite: &str, vector: &Vector, adjudicated: &Adjudicated) -> (Fate, String) {
    match &vector.ours {
        Ours::NotCovered(why) => (Fate::NotCovered, why.clone()),
        Ours::Says(ours) if *ours == vector.theirs => (Fate::Agreed, String::new()),
        Ours::Says(ours) => match adjudicated.reason(suite, vector, *ours) {
            Some(reason) => (Fate::Adjudicated, reason.to_owned()),
            None => (Fate::Disagreed, format!("they say {:?}, we say {ours:?}", vector.theirs)),
        },
    }
}
