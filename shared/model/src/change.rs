//! Every change that Picket can make beside the groups of an interface, as data: planned before it is permitted,
//! journalled before it is made, and undone by its opposite. What each needs of IAM is beside the action that plans it.

mod words;

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::flow::{AclEntry, PublicAddress};
use crate::id::{InstanceId, InterfaceId};
use crate::owner::Capacity;
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
    /// How small and large an EKS managed node group may be, and whether EKS replaces its sick nodes.
    SetNodeGroup {
        /// The cluster.
        cluster: Untrusted,
        /// The node group.
        node_group: Untrusted,
        /// It may not become smaller.
        min: i32,
        /// It may not become larger.
        max: i32,
        /// Whether EKS replaces sick nodes.
        repairs: bool,
    },
    /// How much an EC2 Fleet or Spot Fleet wants.
    SetFleetCapacity {
        /// The fleet.
        fleet: Untrusted,
        /// How much.
        capacity: Capacity,
    },
    /// Cancel a Spot request; its instance goes on.
    CancelSpotRequest {
        /// The request.
        request: Untrusted,
        /// The instance.
        instance: InstanceId,
    },
    /// Whether an ECS capacity provider sizes its Auto Scaling group.
    SetCapacityProvider {
        /// The provider.
        provider: Untrusted,
        /// Whether it scales.
        on: bool,
    },
    /// Whether an AWS Batch compute environment takes jobs and scales.
    SetComputeEnvironment {
        /// The environment.
        environment: Untrusted,
        /// On or off.
        on: bool,
    },
    /// Keep Kubernetes controllers from disrupting a node, and new pods from it.
    HoldNode {
        /// The cluster.
        cluster: Untrusted,
        /// The instance.
        instance: InstanceId,
    },
    /// Let them again.
    LetNodeGo {
        /// The cluster.
        cluster: Untrusted,
        /// The instance.
        instance: InstanceId,
    },
    /// Take the public address away, which ends every connection through it.
    DropAddress {
        /// The instance.
        instance: InstanceId,
        /// The interface.
        interface: InterfaceId,
        /// The address.
        address: PublicAddress,
    },
    /// Give it back; one that AWS had chosen comes back as another.
    GiveAddress {
        /// The instance.
        instance: InstanceId,
        /// The interface.
        interface: InterfaceId,
        /// The address.
        address: PublicAddress,
    },
    /// Deny private addresses in a network ACL, in both directions, ahead of every rule that allows.
    DenyInAcl {
        /// The instance.
        instance: InstanceId,
        /// The network ACL.
        acl: Untrusted,
        /// The addresses.
        addresses: Vec<Ipv4Addr>,
        /// How many entries a direction may have.
        limit: usize,
    },
    /// Take these entries away, but for those that were there before.
    AllowInAcl {
        /// The instance.
        instance: InstanceId,
        /// The network ACL.
        acl: Untrusted,
        /// The addresses.
        addresses: Vec<Ipv4Addr>,
        /// Denials of these addresses that were there before.
        before: Vec<AclEntry>,
    },
    /// Protection against stopping by API.
    SetStopProtection {
        /// The instance.
        instance: InstanceId,
        /// On or off.
        on: bool,
    },
    /// Stop the instance. What it holds in memory and on instance stores is lost.
    Stop {
        /// The instance.
        instance: InstanceId,
    },
    /// Start it.
    Start {
        /// The instance.
        instance: InstanceId,
    },
    /// Copy what is known of the instance, its user data included, to the evidence bucket, once.
    KeepEvidence {
        /// The instance.
        instance: InstanceId,
        /// The case.
        case: String,
    },
    /// Lock the snapshots of the case, so that nobody deletes them for a while.
    LockSnapshots {
        /// The instance.
        instance: InstanceId,
        /// The case.
        case: String,
        /// For how many days.
        days: u16,
    },
    /// Take the instance profile away.
    RemoveProfile {
        /// The instance.
        instance: InstanceId,
        /// The association.
        association: Untrusted,
    },
    /// Give it back.
    GiveProfile {
        /// The instance.
        instance: InstanceId,
        /// The profile's ARN.
        profile: Untrusted,
    },
    /// Mark the volumes of the instance with the case.
    TagVolumes {
        /// The instance.
        instance: InstanceId,
        /// The volumes.
        volumes: Vec<Untrusted>,
        /// The case.
        case: String,
    },
    /// Take that mark away.
    UntagVolumes {
        /// The instance.
        instance: InstanceId,
        /// The volumes.
        volumes: Vec<Untrusted>,
    },
}

impl Change {
    /// The one instance that it is about, if it is about one.
    #[must_use]
    pub fn instance(&self) -> Option<&InstanceId> {
        match self {
            Self::SetTerminationProtection { instance, .. }
            | Self::SetShutdownBehaviour { instance, .. }
            | Self::SetDeleteOnTermination { instance, .. }
            | Self::SetMetadataEndpoint { instance, .. }
            | Self::DenySessions { instance, .. }
            | Self::AllowSessions { instance, .. }
            | Self::Snapshot { instance, .. }
            | Self::Deregister { instance, .. }
            | Self::Register { instance, .. }
            | Self::Tag { instance, .. }
            | Self::Untag { instance, .. }
            | Self::CancelSpotRequest { instance, .. }
            | Self::HoldNode { instance, .. }
            | Self::LetNodeGo { instance, .. }
            | Self::DropAddress { instance, .. }
            | Self::GiveAddress { instance, .. }
            | Self::DenyInAcl { instance, .. }
            | Self::AllowInAcl { instance, .. }
            | Self::SetStopProtection { instance, .. }
            | Self::Stop { instance }
            | Self::Start { instance }
            | Self::RemoveProfile { instance, .. }
            | Self::GiveProfile { instance, .. }
            | Self::KeepEvidence { instance, .. }
            | Self::LockSnapshots { instance, .. }
            | Self::TagVolumes { instance, .. }
            | Self::UntagVolumes { instance, .. } => Some(instance),
            Self::SuspendProcesses { .. }
            | Self::ResumeProcesses { .. }
            | Self::SetNodeGroup { .. }
            | Self::SetFleetCapacity { .. }
            | Self::SetCapacityProvider { .. }
            | Self::SetComputeEnvironment { .. } => None,
        }
    }

    /// What it is about, if several instances may share that: two holds may rely on the same change.
    #[must_use]
    pub fn shared(&self) -> Option<String> {
        match self {
            Self::SuspendProcesses { group, .. } => Some(format!("scaling group {group}")),
            Self::SetNodeGroup { cluster, node_group, .. } => Some(format!("node group {cluster}/{node_group}")),
            Self::SetFleetCapacity { fleet, .. } => Some(format!("fleet {fleet}")),
            Self::SetCapacityProvider { provider, .. } => Some(format!("capacity provider {provider}")),
            Self::SetComputeEnvironment { environment, .. } => Some(format!("compute environment {environment}")),
            _ => None,
        }
    }
}
