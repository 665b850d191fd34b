//! A finding: a rule that fails for an asset, from when it was first seen until it is resolved. A waiver accepts it for a
//! while, with an owner and a reason; it never makes it compliant.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, Region};
use crate::outcome::{Evaluation, Reading, Severity};
use crate::text::sha256_hex;

/// A rule that fails, or did, for one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `finding-` and 12 hexadecimal digits; the same rule and asset always give the same.
    pub id: String,
    /// The rule's name.
    pub rule: String,
    /// What is wrong, in one line.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// The account.
    pub account: AccountId,
    /// The Region; none for what has none.
    pub region: Option<Region>,
    /// The asset, such as `eks.cluster/prod`.
    pub asset: String,
    /// The cluster that the asset is or belongs to, as an asset: `eks.cluster/prod`, or `kubernetes.cluster/prod` where
    /// it is none of EKS. What is found of its parts counts for its risk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The controls of benchmarks that ask for it, such as `cis-eks-1.8.0/2.1.1`.
    pub controls: Vec<String>,
    /// What was read, where, and what was expected.
    pub readings: Vec<Reading>,
    /// What would fix it, for a person.
    pub fix: String,
    /// The action that can fix it, if there is one.
    pub action: Option<String>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen, to a quarter of an hour.
    pub last_seen: Timestamp,
    /// Since when it is no longer so.
    pub resolved_at: Option<Timestamp>,
    /// Who accepts it, why, and until when.
    pub waiver: Option<Waiver>,
}

impl Finding {
    /// The id of what `evaluation` finds.
    #[must_use]
    pub fn id_of(evaluation: &Evaluation) -> String {
        Self::id_for(&evaluation.account, evaluation.region.as_ref(), &evaluation.asset, &evaluation.rule)
    }

    /// The id of what `rule` finds of `asset`.
    #[must_use]
    pub fn id_for(account: &AccountId, region: Option<&Region>, asset: &str, rule: &str) -> String {
        let region = region.map(ToString::to_string).unwrap_or_default();
        let name = format!("{account}/{region}/{asset}/{rule}");
        let mut digest = sha256_hex(name.as_bytes());
        digest.truncate(12);
        format!("finding-{digest}")
    }

    /// Where it stands at `now`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        match &self.waiver {
            _ if self.resolved_at.is_some() => Status::Resolved,
            Some(waiver) if waiver.until > now => Status::Waived,
            _ => Status::Open,
        }
    }
}

/// Where a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is so, and nobody accepted it.
    Open,
    /// It is so, and somebody accepted it until a date. It does not count as compliant.
    Waived,
    /// It is no longer so.
    Resolved,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Waived => "waived",
            Self::Resolved => "resolved",
        })
    }
}

/// An acceptance of a finding: by whom, why and until when. It comes from a file that people review, never from a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The rule's name.
    pub rule: String,
    /// The assets that are meant, such as `eks.cluster/prod`; `*` stands for any run of characters.
    pub asset: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when, such as `2027-01-31T00:00:00Z`.
    #[schemars(with = "String")]
    pub until: Timestamp,
}
