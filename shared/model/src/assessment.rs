//! What rules and benchmarks came to at one moment: what the command line prints, exports carry and the report shows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::id::AccountId;
use crate::outcome::{Evaluation, Outcome};

/// One assessment of one or more accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The accounts that were looked at.
    pub accounts: Vec<AccountId>,
    /// When.
    pub at: Timestamp,
    /// What fails, and what was resolved or waived lately.
    pub findings: Vec<Finding>,
    /// Every benchmark, with every control.
    pub benchmarks: Vec<BenchmarkResult>,
    /// Each rule for each asset, where the caller asked for them all; exports that show passes need them.
    pub evaluations: Vec<Evaluation>,
    /// What could not be seen.
    pub unseen: Vec<Unseen>,
}

/// A benchmark with what each of its controls came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchmarkResult {
    /// Such as `cis-eks-1.8.0`.
    pub id: String,
    /// Such as `CIS Amazon EKS`.
    pub name: String,
    /// Such as `1.8.0`.
    pub version: String,
    /// All controls, in the benchmark's order.
    pub controls: Vec<ControlResult>,
}

/// A control, over all assets that it asks about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlResult {
    /// Its number in the benchmark, such as `2.1.1`.
    pub id: String,
    /// In our own words.
    pub title: String,
    /// The section that it stands in, empty where the benchmark has none.
    pub section: String,
    /// The profile level; 0 where the benchmark has none.
    pub level: u8,
    /// What it comes to.
    pub outcome: Outcome,
    /// The rules that decide it.
    pub rules: Vec<String>,
    /// How many assets came to which word of `Outcome::word`.
    pub assets: BTreeMap<String, u32>,
    /// The findings behind a failure.
    pub findings: Vec<String>,
}

/// Something that could not be seen, and what it would take.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unseen {
    /// What, such as `iam.account in 123456789012`.
    pub what: String,
    /// Why, in words for a person.
    pub why: String,
    /// The permission that was missing, such as `iam:GetAccountSummary`.
    pub permission: Option<String>,
}

impl BenchmarkResult {
    /// How many controls came to which word of `Outcome::word`; the counts add up to the number of controls.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for control in &self.controls {
            *counts.entry(control.outcome.word()).or_insert(0) += 1;
        }
        counts
    }
}
