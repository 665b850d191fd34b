//! Cases that we judge otherwise than their project, each with the reason: `vectors/adjudicated.toml`. A reason is for one
//! case, or for all cases of a rule in which we read the same thing.

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::{Says, Vector};
use crate::rules::path::Path;

/// The list that is built in.
const FILE: &str = include_str!("../../vectors/adjudicated.toml");

/// Disagreements with their reasons.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjudicated {
    #[serde(default)]
    vector: Vec<Entry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The file, such as `kubescape.jsonl`.
    suite: String,
    /// Their rule.
    rule: String,
    /// The case; `*` for all cases of the rule in which `at` shows `found`.
    case: String,
    /// Where the reason shows, as a path into our facts.
    at: Option<String>,
    /// What is there: `absent`, or a regular expression that something there matches.
    found: Option<String>,
    /// What we say: `pass` or `fail`.
    ours: Word,
    /// Why.
    reason: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Pass,
    Fail,
}

impl Adjudicated {
    /// The list that is built in.
    ///
    /// # Errors
    /// If it is malformed; a test makes sure that it is not.
    pub fn built_in() -> Result<Self, String> {
        Self::parse(FILE)
    }

    /// Reads a list.
    ///
    /// # Errors
    /// If it is malformed, or an entry gives no reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let all: Self = basic_toml::from_str(text).map_err(|e| e.to_string())?;
        for entry in &all.vector {
            entry.check().map_err(|why| format!("{} {}: {why}", entry.rule, entry.case))?;
        }
        Ok(all)
    }

    /// Why we say `ours` of a case, if that is written down.
    #[must_use]
    pub fn reason(&self, suite: &str, vector: &Vector, ours: Says) -> Option<&str> {
        let is = |e: &&Entry| {
            let says = matches!((e.ours, ours), (Word::Pass, Says::Pass) | (Word::Fail, Says::Fail));
            let case = e.case == "*" || e.case == vector.case;
            says && e.suite == suite && e.rule == vector.rule && case && e.shows(&vector.facts)
        };
        self.vector.iter().find(is).map(|e| e.reason.as_str())
    }
}

impl Entry {
    fn check(&self) -> Result<(), String> {
        if self.reason.trim().is_empty() {
            return Err("gives no reason".to_owned());
        }
        match (&self.at, &self.found) {
            (None, None) if self.case == "*" => {
                Err("is about all cases; say `at` and `found`, where it shows".to_owned())
            }
            (None, None) => Ok(()),
            (Some(at), Some(found)) => {
                Path::parse(at)?;
                Regex::new(found).map(drop).map_err(|e| e.to_string())
            }
            _ => Err("`at` and `found` belong together".to_owned()),
        }
    }

    /// Whether what was read shows what the reason speaks of.
    fn shows(&self, facts: &[Value]) -> bool {
        let (Some(at), Some(found)) = (&self.at, &self.found) else { return true };
        let (Ok(path), Ok(regex)) = (Path::parse(at), Regex::new(found)) else { return false };
        let mut there: Vec<String> = Vec::new();
        for document in facts {
            path.visit(document, &mut |_, value| {
                there.extend(value.map(|v| v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned)));
                true
            });
        }
        if found == "absent" { there.is_empty() } else { there.iter().any(|text| regex.is_match(text)) }
    }
}
