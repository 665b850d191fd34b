//! What the live report shows: everything that is true now of one account or of an organization, gathered by the caller.

use jiff::Timestamp;
use picket_model::{AccountId, Assessment, CaseId, Reason, Region, Untrusted};
use serde::{Deserialize, Serialize};

/// What is true at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Of what, such as `account 123456789012` or `organization o-abcdefghij`.
    pub of: String,
    /// The stack that wrote it, for the commands that it shows.
    pub stack: String,
    /// When it was true.
    pub at: Timestamp,
    /// `observe` or `enforce`, and whether changes are paused.
    pub mode: String,
    /// Findings, benchmarks, and what could not be seen.
    pub assessment: Assessment,
    /// What is in quarantine, oldest first.
    pub held: Vec<Held>,
    /// Clusters, found by whatever means.
    pub clusters: Vec<FoundCluster>,
    /// Assets with the highest risk first.
    pub assets: Vec<AssetRisk>,
    /// Containments and releases, latest first.
    pub episodes: Vec<Episode>,
    /// Open findings day by day, oldest first.
    pub trend: Vec<Day>,
}

/// An instance in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The instance.
    pub asset: String,
    /// Its owner's name for it.
    pub name: Untrusted,
    /// Where.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// Under which case.
    pub case: CaseId,
    /// Since when.
    pub since: Timestamp,
    /// `containing`, `contained` or `releasing`.
    pub state: String,
    /// `CUT`, `PENDING` or `LEAKING`, with the reason.
    pub verified: String,
    /// Why it is held, in one line.
    pub why: Untrusted,
    /// When it is lifted by itself, if it is.
    pub until: Option<Timestamp>,
}

/// A Kubernetes cluster that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundCluster {
    /// Its name, or what it is called for want of one.
    pub name: Untrusted,
    /// Such as `eks` or `kops`.
    pub distribution: String,
    /// Kubernetes' version, where known.
    pub version: Option<Untrusted>,
    /// Where.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// How many nodes.
    pub nodes: usize,
    /// Confidence, 0 to 100.
    pub confidence: u8,
    /// Who made it, where known.
    pub owner: Option<Untrusted>,
    /// Who can reach what.
    pub exposure: Vec<Reach>,
    /// What speaks for it, heaviest first.
    pub evidence: Vec<Untrusted>,
    /// When it was first seen, and last.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// Whether it vanished.
    pub gone: bool,
}

/// Who can reach a part of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Such as `API server` or `etcd`.
    pub part: String,
    /// The port.
    pub port: u16,
    /// From where: `the internet`, an address range, or `not known`.
    pub from: Untrusted,
    /// Whether that is everybody.
    pub world: bool,
}

/// An asset and why it is risky.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetRisk {
    /// Such as `i-0123456789abcdef0` or `cluster/prod`.
    pub asset: String,
    /// Its owner's name for it.
    pub name: Untrusted,
    /// Where.
    pub account: AccountId,
    /// Where; none for what has no Region.
    pub region: Option<Region>,
    /// 0 to 100.
    pub score: u8,
    /// Why, heaviest first.
    pub reasons: Vec<Reason>,
}

/// A containment or a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// The case.
    pub case: CaseId,
    /// When it ended.
    pub at: Timestamp,
    /// What happened, in one line.
    pub what: Untrusted,
    /// Milliseconds from the API call to verified containment, where it was one.
    pub took_ms: Option<u64>,
}

/// How many findings were open at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Such as `2026-11-26`.
    pub date: String,
    /// Open findings: critical, high, medium, low.
    pub open: [u32; 4],
}
