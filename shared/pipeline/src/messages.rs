//! What one stage hands to the next, as JSON in a queue.

use picket_model::{Decision, Notice, Observation, Scope, Trigger, VpcId};
use serde::{Deserialize, Serialize};

use crate::fix::Work;
use crate::ports::StoredPolicy;
use crate::posture::Asked;

/// From discover to assess: what was found because of one trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// All observations; they share their trigger.
    pub observations: Vec<Observation>,
    /// The policy as it was when they were made; assess reads it itself where it is missing.
    #[serde(default)]
    pub policy: Option<StoredPolicy>,
}

/// VPCs that want a quarantine group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepare {
    /// Where.
    pub scope: Scope,
    /// Which.
    pub vpcs: Vec<VpcId>,
}

/// An account and Region that the sweep is to look at as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// Where.
    pub scope: Scope,
    /// Why: what was seen there, or the clock.
    pub because: String,
    /// After how many seconds, so that the burst of calls that makes a cluster is over.
    #[serde(default)]
    pub wait_seconds: u16,
}

/// A message and the stage that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// For discover: look at this.
    Look(Box<Trigger>),
    /// For assess.
    Observed(Observed),
    /// For respond.
    Decision(Box<Decision>),
    /// For respond: have the quarantine groups of these VPCs ready before they are needed.
    Prepare(Prepare),
    /// For fix.
    Fix(Box<Work>),
    /// For collect: judge this by the rules.
    Judge(Asked),
    /// For notify.
    Notice(Box<Notice>),
    /// For sweep: look at all of this place.
    Survey(Survey),
}
