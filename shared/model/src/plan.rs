//! A plan: the steps that a decision comes to, built from live state, before any of them is permitted.

use serde::{Deserialize, Serialize};

use crate::case::{Capture, CaseId};
use crate::id::{GroupId, InstanceId, InterfaceId, Scope};
use crate::text::Untrusted;

/// One change to one thing. The code of each kind is an action of `picket-pipeline`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Step {
    /// Replace the groups of an interface by the quarantine group of its VPC.
    Contain {
        /// The instance that owns the interface.
        instance: InstanceId,
        /// What is there now.
        before: Capture,
    },
    /// Something that cannot be changed by us, and why. It makes the outcome LEAKING, never silent.
    CannotContain {
        /// The instance that owns the interface.
        instance: InstanceId,
        /// The interface.
        interface: InterfaceId,
        /// Why.
        why: Untrusted,
    },
}

impl Step {
    /// The instance that it is about.
    #[must_use]
    pub fn instance(&self) -> &InstanceId {
        let (Self::Contain { instance, .. } | Self::CannotContain { instance, .. }) = self;
        instance
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Contain { instance, before } => write!(
                f,
                "contain {} of {instance} (now in {})",
                before.interface,
                before.groups.iter().map(GroupId::as_str).collect::<Vec<_>>().join(", ")
            ),
            Self::CannotContain { instance, interface, why } => {
                write!(f, "cannot contain {interface} of {instance}: {why}")
            }
        }
    }
}

/// What will be done, step by step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// For which case.
    pub case: CaseId,
    /// Where.
    pub scope: Scope,
    /// What.
    pub steps: Vec<Step>,
    /// Instances of the decision that need nothing, each with the reason.
    pub skipped: Vec<(InstanceId, String)>,
}

impl Plan {
    /// The instances that the plan touches, each once, in order.
    #[must_use]
    pub fn instances(&self) -> Vec<InstanceId> {
        let mut seen: Vec<InstanceId> = Vec::new();
        for step in &self.steps {
            let (Step::Contain { instance, .. } | Step::CannotContain { instance, .. }) = step;
            if !seen.contains(instance) {
                seen.push(instance.clone());
            }
        }
        seen
    }

    /// What `instance` has now, interface by interface.
    #[must_use]
    pub fn captures_of(&self, instance: &InstanceId) -> Vec<Capture> {
        let of = |s: &Step| match s {
            Step::Contain { instance: i, before } if i == instance => Some(before.clone()),
            _ => None,
        };
        self.steps.iter().filter_map(of).collect()
    }
}

/// How an interface was found when it was read again after containment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE", tag = "is", content = "why")]
pub enum Verification {
    /// It is in the quarantine group alone and had no connection before.
    Cut,
    /// It is in the quarantine group alone; connections that were open may last for a while.
    Pending(String),
    /// It is not contained.
    Leaking(String),
}

impl Verification {
    /// The word that the notice shows.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Cut => "CUT",
            Self::Pending(_) => "PENDING",
            Self::Leaking(_) => "LEAKING",
        }
    }
}
