//! Every change that Picket can make beside the groups of an interface, as data: planned before it is permitted,
//! journalled before it is made, and undone by its opposite. What each needs of IAM is beside the action that plans it.

use serde::{Deserialize, Serialize};

use crate::id::InstanceId;
use crate::text::Untrusted;

/// One change of one thing. `Display` says it in words for plans, journals and people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum Change {
    /// Suspend processes of an Auto Scaling group.
    SuspendProcesses {
        /// The group.
        group: Untrusted,
        /// The processes, by AWS's names.
        processes: Vec<String>,
    },
    /// Let them go on.
    ResumeProcesses {
        /// The group.
        group: Untrusted,
        /// The processes, by AWS's names.
        processes: Vec<String>,
    },
    /// Protection against termination by API.
    SetTerminationProtection {
        /// The instance.
        instance: InstanceId,
        /// On or off.
        on: bool,
    },
    /// What a shutdown from inside does: `stop` or `terminate`.
    SetShutdownBehaviour {
        /// The instance.
        instance: InstanceId,
        /// The behaviour.
        behaviour: String,
    },
    /// Whether a volume is deleted with its instance.
    SetDeleteOnTermination {
        /// The instance.
        instance: InstanceId,
        /// The device name.
        device: String,
        /// Deleted or kept.
        on: bool,
    },
    /// The metadata service, through which the instance gets credentials.
    SetMetadataEndpoint {
        /// The instance.
        instance: InstanceId,
        /// On or off.
        on: bool,
    },
    /// A deny of everything for the sessions of this one instance, not of its whole role.
    DenySessions {
        /// The role.
        role: Untrusted,
        /// The role's unique id, which begins the session's `aws:userid`.
        role_id: Untrusted,
        /// The instance.
        instance: InstanceId,
    },
    /// Take that deny away.
    AllowSessions {
        /// The role.
        role: Untrusted,
        /// The role's unique id.
        role_id: Untrusted,
        /// The instance.
        instance: InstanceId,
    },
    /// Crash-consistent snapshots of all volumes, tagged with the case.
    Snapshot {
        /// The instance.
        instance: InstanceId,
        /// The case.
        case: String,
    },
    /// Take the instance out of a load balancer's target group.
    Deregister {
        /// The target group's ARN.
        target_group: Untrusted,
        /// The instance.
        instance: InstanceId,
        /// The port.
        port: i32,
    },
    /// Put it back.
    Register {
        /// The target group's ARN.
        target_group: Untrusted,
        /// The instance.
        instance: InstanceId,
        /// The port.
        port: i32,
    },
    /// Mark the instance with its case.
    Tag {
        /// The instance.
        instance: InstanceId,
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// Take the mark away.
    Untag {
        /// The instance.
        instance: InstanceId,
        /// The key.
        key: String,
    },
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let on_off = |on: &bool| if *on { "on" } else { "off" };
        match self {
            Self::SuspendProcesses { group, processes } => {
                write!(f, "suspend {} of Auto Scaling group {group}", processes.join(", "))
            }
            Self::ResumeProcesses { group, processes } => {
                write!(f, "resume {} of Auto Scaling group {group}", processes.join(", "))
            }
            Self::SetTerminationProtection { instance, on } => {
                write!(f, "termination protection of {instance} {}", on_off(on))
            }
            Self::SetShutdownBehaviour { instance, behaviour } => write!(f, "shutdown of {instance} means {behaviour}"),
            Self::SetDeleteOnTermination { instance, device, on: true } => {
                write!(f, "delete {device} of {instance} with the instance")
            }
            Self::SetDeleteOnTermination { instance, device, on: false } => write!(f, "keep {device} of {instance}"),
            Self::SetMetadataEndpoint { instance, on } => write!(f, "metadata service of {instance} {}", on_off(on)),
            Self::DenySessions { role, instance, .. } => write!(f, "deny everything to {instance} as {role}"),
            Self::AllowSessions { role, instance, .. } => write!(f, "no deny to {instance} as {role}"),
            Self::Snapshot { instance, .. } => write!(f, "snapshot all volumes of {instance}"),
            Self::Deregister { target_group, instance, port } => {
                write!(f, "take {instance}:{port} out of {target_group}")
            }
            Self::Register { target_group, instance, port } => {
                write!(f, "put {instance}:{port} back into {target_group}")
            }
            Self::Tag { instance, key, value } => write!(f, "tag {instance} {key}={value}"),
            Self::Untag { instance, key } => write!(f, "untag {instance} {key}"),
        }
    }
}

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
    /// What could not be read, and why.
    pub unknown: Vec<String>,
}

/// An Auto Scaling group, as far as freezing it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScalingGroup {
    /// Its name.
    pub name: Untrusted,
    /// Its members.
    pub members: Vec<InstanceId>,
    /// Processes that are suspended already.
    pub suspended: Vec<String>,
}
