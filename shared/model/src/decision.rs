//! What is to be done about an asset, and why. A decision proposes; only a permit lets it happen.

use serde::{Deserialize, Serialize};

use crate::case::CaseId;
use crate::id::{InstanceId, Scope};
use crate::principal::Principal;
use crate::text::Untrusted;
use crate::trigger::{Trigger, TriggerKind};

/// What the policy chooses for an asset, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Keep it in the inventory.
    Note,
    /// Tell people.
    Notify,
    /// Cut it off.
    Quarantine,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Notify => "notify",
            Self::Quarantine => "quarantine",
        })
    }
}

/// One reason, with its evidence and its weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The signal's name, such as `miner_in_user_data`.
    pub signal: String,
    /// What it adds to the score.
    pub weight: u8,
    /// One line for a person.
    pub says: String,
    /// Where that was read.
    pub evidence: String,
}

/// A risk score from 0 to 100 with its reasons, heaviest first, and what could not be known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// The sum of the weights, at most 100.
    pub total: u8,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Signals that could not be evaluated, and why. They add nothing, and they are shown.
    pub unknown: Vec<String>,
}

/// What was decided about one asset, or about all instances of one launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The case that this belongs to.
    pub case: CaseId,
    /// What to do.
    pub verdict: Verdict,
    /// Where.
    pub scope: Scope,
    /// To what.
    pub targets: Vec<Target>,
    /// Why: the score of the target that scored highest.
    pub score: Score,
    /// Who made the call, if known.
    pub principal: Option<Principal>,
    /// What woke us.
    pub trigger: TriggerKind,
    /// When that happened, by its source's clock.
    pub triggered_at: jiff::Timestamp,
    /// Which policy decided: its version digest, or `default`.
    pub policy: String,
    /// Whether a person asked for it; such an order overrides an earlier release.
    pub ordered: bool,
}

/// An asset of a decision, in few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its id within the scope.
    pub asset: String,
    /// Its id, when it is an instance.
    pub instance: Option<InstanceId>,
    /// Its VPC when it was observed; read again before anything is changed.
    pub vpc: Option<crate::id::VpcId>,
    /// The machine type.
    pub instance_type: Option<Untrusted>,
    /// The `Name` tag, the owner's own words.
    pub name: Untrusted,
    /// Of which cluster it is a node, in words.
    pub node_of: Option<String>,
}

impl Decision {
    /// The ids of what it is about, for logs: the first ten.
    #[must_use]
    pub fn assets(&self) -> String {
        let ids: Vec<&str> = self.targets.iter().take(10).map(|t| t.asset.as_str()).collect();
        ids.join(" ")
    }

    /// A decision about `targets` because of `trigger`.
    #[must_use]
    pub fn new(
        case: CaseId,
        verdict: Verdict,
        targets: Vec<Target>,
        score: Score,
        trigger: &Trigger,
        policy: String,
    ) -> Self {
        Self {
            case,
            verdict,
            scope: trigger.scope.clone(),
            targets,
            score,
            principal: trigger.principal.clone(),
            trigger: trigger.kind,
            triggered_at: trigger.at,
            policy,
            ordered: false,
        }
    }
}
