//! What a rule comes to for one asset, with what was read and what was expected. Unknown is never a pass.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, Region};
use crate::text::Untrusted;

/// The result of a rule or of a control. Only `Pass` counts as compliant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "why")]
pub enum Outcome {
    /// As it should be.
    Pass,
    /// Not as it should be.
    Fail,
    /// The question does not arise here, and why.
    NotApplicable(String),
    /// A person has to judge, and what by.
    Manual(String),
    /// Evidence is missing, was denied, or could not be judged, and why.
    Unknown(String),
}

impl Outcome {
    /// One word for tables and machines.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotApplicable(_) => "not_applicable",
            Self::Manual(_) => "manual",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The reason that goes with it, if it has one.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Pass | Self::Fail => None,
            Self::NotApplicable(why) | Self::Manual(why) | Self::Unknown(why) => Some(why),
        }
    }
}

/// How bad it is that a rule fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good practice.
    Low,
    /// Weakens a defence.
    Medium,
    /// Opens a way in.
    High,
    /// Open now to anybody, or a sign that somebody is in.
    Critical,
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}

/// One thing that was read for a rule: where, what, and what it should have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The path within the evidence, such as `logging.types`.
    pub at: String,
    /// The call or file that told it, such as `eks:DescribeCluster`.
    pub source: String,
    /// What was found, bounded.
    pub found: Untrusted,
    /// What was expected, in words.
    pub expected: String,
}

/// A rule applied to one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The rule's name.
    pub rule: String,
    /// The account.
    pub account: AccountId,
    /// The Region; none for what has none.
    pub region: Option<Region>,
    /// The asset, such as `eks.cluster/prod` (`Document::asset`).
    pub asset: String,
    /// What it came to.
    pub outcome: Outcome,
    /// What was read: for a failure, what made it fail.
    pub readings: Vec<Reading>,
    /// When the evidence was read.
    pub at: Timestamp,
}
