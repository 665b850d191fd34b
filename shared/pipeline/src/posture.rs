//! Posture: evidence of an account, or of what a call touched in it, becomes findings, and what follows from them.
//!
//! Flow: which kinds are wanted -> read them -> judge by the rules that look at them -> bring findings up to date -> keep
//! them -> tell of new grave ones -> hand fixes over -> keep what benchmarks come to, after a sweep.
//! Guarantees: nothing is changed here; the fix stage asks the policy. The same message twice gives the same findings.
//! Assumptions: an event is a hint; what counts is what is read now.
//! Errors: where the store or a queue refuses, the message is tried again. What could not be read is an unknown outcome.

mod follow;
pub mod found;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use picket_checks::Book;
use picket_checks::assessment::{Assessed, Question, assess};
use picket_checks::rules::touched::{kinds_touched, needed, rules_about};
use picket_checks::rules::{Evidence, catalogue};
use picket_model::{AccountId, BenchmarkResult, Finding, Region, Scope, Unseen};
use serde::{Deserialize, Serialize};

pub use picket_checks::book::File;

use crate::in_force::{self, Settings};
use crate::ports::{Answer, Kind, Policies, PortError, Queues};

/// How old it may be, what is kept of when a finding was last seen.
const SEEN_AGAIN: SignedDuration = SignedDuration::from_mins(15);

/// What woke us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ask")]
pub enum Asked {
    /// Judge everything of an account.
    Sweep {
        /// The account.
        account: AccountId,
    },
    /// Judge what these calls may have changed, and what was found.
    Calls {
        /// The account.
        account: AccountId,
        /// Where they were made.
        region: Region,
        /// The calls, each once.
        #[serde(default)]
        calls: BTreeSet<Call>,
        /// What nobody had seen before.
        #[serde(default)]
        found: BTreeSet<Thing>,
    },
}

impl Asked {
    /// The account that is asked about.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        match self {
            Self::Sweep { account } | Self::Calls { account, .. } => account,
        }
    }
}

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// A cluster of EKS.
    Cluster,
    /// An instance, which may be a node.
    Machine,
}

/// A call that may have changed something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Call {
    /// Such as `eks.amazonaws.com`.
    pub source: String,
    /// Such as `UpdateClusterConfig`.
    pub name: String,
}

/// Reads evidence.
#[async_trait]
pub trait Reader: Send + Sync {
    /// What there is of these kinds, or of all, in one Region and the account itself, or everywhere.
    async fn read(
        &self,
        account: &AccountId,
        region: Option<&Region>,
        kinds: Option<&BTreeSet<String>>,
        at: Timestamp,
    ) -> Answer<Evidence>;
}

/// Keeps findings, what benchmarks come to, and the user's own rules.
#[async_trait]
pub trait Findings: Send + Sync {
    /// All findings of an account, those resolved lately included.
    async fn findings(&self, account: &AccountId) -> Answer<Vec<Finding>>;
    /// Adds or replaces findings.
    async fn keep_findings(&self, findings: &[Finding]) -> Answer<()>;
    /// What benchmarks came to last.
    async fn benchmarks(&self, account: &AccountId) -> Answer<Vec<BenchmarkResult>>;
    /// Replaces what benchmarks come to.
    async fn keep_benchmarks(&self, account: &AccountId, results: &[BenchmarkResult], at: Timestamp) -> Answer<()>;
    /// Replaces what a sweep could not read.
    async fn keep_unseen(&self, account: &AccountId, unseen: &[Unseen]) -> Answer<()>;
    /// The user's own rules, benchmarks and waivers.
    async fn rule_files(&self) -> Answer<Vec<File>>;
    /// Replaces the user's own rules, benchmarks and waivers.
    async fn put_rule_files(&self, files: &[File]) -> Answer<()>;
}

/// What posture needs.
pub struct Ports<'a> {
    /// Reads AWS, nodes and clusters.
    pub reader: &'a dyn Reader,
    /// Keeps findings.
    pub findings: &'a dyn Findings,
    /// Keeps the policy, which chooses what is fixed.
    pub policies: &'a dyn Policies,
    /// Hands over to fix and notify.
    pub queues: &'a dyn Queues,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Judged {
    /// Outcomes.
    pub outcomes: usize,
    /// Findings that are open now and were not before.
    pub opened: usize,
    /// Findings that are resolved.
    pub resolved: usize,
    /// Fixes handed over.
    pub fixes: usize,
}

/// Judges.
///
/// # Errors
/// If the store or a queue refuses; the message is tried again.
pub async fn run(
    ports: &Ports<'_>,
    settings: &Settings,
    home: &Scope,
    asked: &Asked,
    now: Timestamp,
) -> Answer<Judged> {
    let book = book(ports.findings).await?;
    let (account, region, touched) = match asked {
        Asked::Sweep { account } => (account, None, None),
        Asked::Calls { account, region, calls, found } => (account, Some(region), Some(kinds_of(calls, found)?)),
    };
    let rules: Option<BTreeSet<String>> =
        touched.as_ref().map(|kinds| rules_about(book.rules(), kinds).map(|r| r.name.clone()).collect());
    if rules.as_ref().is_some_and(BTreeSet::is_empty) {
        return Ok(Judged::default());
    }
    let kinds = rules.as_ref().map(|names| needed(names.iter().filter_map(|n| book.rules().get(n))));
    let evidence = ports.reader.read(account, region, kinds.as_ref(), now).await?;
    let known = ports.findings.findings(account).await?;
    let is_sweep = rules.is_none();
    let benchmarks = if is_sweep { None } else { Some(Vec::new()) };
    let before: BTreeMap<String, Finding> = known.iter().map(|f| (f.id.clone(), f.clone())).collect();
    let assessed = assess(&book, &evidence, known, &Question { rules, benchmarks, ..Question::default() }, now);
    ports.findings.keep_findings(&worth_keeping(&before, &assessed.change.findings)).await?;
    if is_sweep {
        ports.findings.keep_benchmarks(account, &assessed.assessment.benchmarks, now).await?;
        ports.findings.keep_unseen(account, &assessed.assessment.unseen).await?;
    }
    let policy = in_force::read(ports.policies, settings).await?.policy;
    let messages = follow::messages(&policy, &book, &assessed, settings, home, now);
    let fixes = messages.iter().filter(|m| matches!(m, crate::messages::Message::Fix(_))).count();
    if !messages.is_empty() {
        ports.queues.send(messages).await?;
    }
    Ok(counted(&assessed, fixes))
}

/// Findings of which anything is new but that they were seen once more, and those last kept `SEEN_AGAIN` ago. Most
/// rounds change next to nothing of an account's thousands.
fn worth_keeping(before: &BTreeMap<String, Finding>, findings: &[Finding]) -> Vec<Finding> {
    let is_kept = |finding: &&Finding| {
        let kept = before.get(&finding.id);
        kept.is_some_and(|kept| {
            let is_lately = finding.last_seen.duration_since(kept.last_seen) < SEEN_AGAIN;
            is_lately && Finding { last_seen: kept.last_seen, ..(*finding).clone() } == *kept
        })
    };
    findings.iter().filter(|f| !is_kept(f)).cloned().collect()
}

fn counted(assessed: &Assessed, fixes: usize) -> Judged {
    let (opened, resolved) = (assessed.change.opened.len(), assessed.change.resolved.len());
    Judged { outcomes: assessed.outcomes, opened, resolved, fixes }
}

fn kinds_of(calls: &BTreeSet<Call>, found: &BTreeSet<Thing>) -> Answer<BTreeSet<String>> {
    let kinds = catalogue::kinds().map_err(|e| PortError::new("reading", "the kinds", Kind::Other, &e.to_string()))?;
    let touched = calls.iter().flat_map(|c| kinds_touched(kinds, &c.source, &c.name));
    let tells = kinds.iter().filter(|k| found.iter().any(|thing| found::tells_of(*thing, &k.name)));
    Ok(touched.chain(tells.map(|k| k.name.clone())).collect())
}

/// Our rules with the user's. A folder that cannot be used must not switch ours off: then ours count alone, and it is
/// said in the log of who put it there (`picket rule apply` refuses it first).
async fn book(findings: &dyn Findings) -> Answer<Book> {
    let files = findings.rule_files().await?;
    let ours = || Book::built_in().map_err(|e| PortError::new("reading", "the rules", Kind::Other, &e.to_string()));
    if files.is_empty() {
        return ours();
    }
    Book::with(&files).or_else(|refused| {
        tracing::error!(%refused, "the rules that were applied cannot be used; those built in count alone");
        ours()
    })
}
