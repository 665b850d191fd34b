//! Measures: the changes that a hold made, each with its way back; and what must be known of an instance to plan them.

use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::id::InstanceId;
use crate::text::Untrusted;

/// A change that a hold made, with its way back. It is kept in the hold from its intent until it was undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Which action planned it.
    pub action: String,
    /// What is changed.
    pub apply: Change,
    /// What puts it back; none where nothing can, such as a snapshot.
    pub undo: Option<Change>,
    /// Where it stands.
    pub state: MeasureState,
}

/// Where a measure stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "why")]
pub enum MeasureState {
    /// Journalled, to be made next, or interrupted: making it twice is making it once.
    Intended,
    /// Made.
    Done,
    /// Refused by AWS; containment stands all the same.
    Failed(Untrusted),
    /// A release is putting it back: no other hold may rely on it any more.
    Undoing,
    /// Put back by a release.
    Undone,
}

impl Measure {
    /// A measure that is to be made.
    #[must_use]
    pub fn new(action: &str, apply: Change, undo: Option<Change>) -> Self {
        Self { action: action.to_owned(), apply, undo, state: MeasureState::Intended }
    }
}

/// What is read of an instance before its measures are planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The instance.
    pub instance: InstanceId,
    /// Protection against termination by API.
    pub termination_protection: bool,
    /// What a shutdown from inside does: `stop` or `terminate`.
    pub shutdown_behaviour: String,
    /// Device names of volumes that are deleted with the instance.
    pub deleted_with_it: Vec<String>,
    /// Whether the metadata service answers.
    pub metadata_endpoint: bool,
    /// The role of its instance profile: name and unique id.
    pub role: Option<(Untrusted, Untrusted)>,
    /// Target groups that it is registered in, with the port.
    pub target_groups: Vec<(Untrusted, i32)>,
    /// Whether it is a Spot instance; those cannot be protected against termination.
    pub spot: bool,
    /// Protection against stopping by API, which blocks termination as well.
    #[serde(default)]
    pub stop_protection: bool,
    /// How its instance profile is associated: the association's id, and the profile's ARN.
    #[serde(default)]
    pub profile: Option<(Untrusted, Untrusted)>,
    /// Its Spot request, where that would launch again when the instance ends.
    #[serde(default)]
    pub spot_request: Option<Untrusted>,
    /// Its volumes, by id.
    #[serde(default)]
    pub volumes: Vec<Untrusted>,
    /// What could not be read, and why.
    pub unknown: Vec<String>,
}
