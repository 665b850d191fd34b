//! Cases that we judge otherwise than their project, each with the reason: `vectors/adjudicated.toml`.

use serde::Deserialize;

use super::{Says, Vector};

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
    /// The case; `*` for all cases of the rule.
    case: String,
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
        match all.vector.iter().find(|e| e.reason.trim().is_empty()) {
            Some(entry) => Err(format!("{} {}: gives no reason", entry.rule, entry.case)),
            None => Ok(all),
        }
    }

    /// Why we say `ours` of a case, if that is written down.
    #[must_use]
    pub fn reason(&self, suite: &str, vector: &Vector, ours: Says) -> Option<&str> {
        let is = |e: &&Entry| {
            let says = matches!((e.ours, ours), (Word::Pass, Says::Pass) | (Word::Fail, Says::Fail));
            says && e.suite == suite && e.rule == vector.rule && (e.case == "*" || e.case == vector.case)
        };
        self.vector.iter().find(is).map(|e| e.reason.as_str())
    }
}
