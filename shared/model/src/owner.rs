//! What owns an instance and would replace, destroy or multiply it: what is read of it before it is frozen.

use serde::{Deserialize, Serialize};

use crate::id::InstanceId;
use crate::text::Untrusted;

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

/// An EKS managed node group. Its instances are those of its Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeGroup {
    /// The EKS cluster.
    pub cluster: Untrusted,
    /// Its name.
    pub name: Untrusted,
    /// It may not become smaller.
    pub min: i32,
    /// It may not become larger.
    pub max: i32,
    /// How many nodes it wants.
    pub desired: i32,
    /// Whether EKS replaces sick nodes by itself.
    pub repairs: bool,
    /// Its members.
    pub members: Vec<InstanceId>,
}

/// An EC2 Fleet or Spot Fleet that keeps up its capacity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// Its id: `fleet-...` or `sfr-...`.
    pub id: Untrusted,
    /// How much it wants.
    pub capacity: Capacity,
    /// Its members.
    pub members: Vec<InstanceId>,
}

/// How much a fleet wants, and what becomes of what is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// In all.
    pub total: i32,
    /// Of these, on demand, where that is set.
    pub on_demand: Option<i32>,
    /// Of these, Spot, where that is set.
    pub spot: Option<i32>,
    /// Whether what is too much is terminated.
    pub terminates: bool,
}

/// Something that owns an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "owner")]
pub enum Owner {
    /// An Auto Scaling group.
    ScalingGroup(ScalingGroup),
    /// An EKS managed node group.
    NodeGroup(NodeGroup),
    /// A fleet.
    Fleet(Fleet),
    /// An ECS capacity provider that sizes the instance's Auto Scaling group.
    CapacityProvider {
        /// Its name.
        name: Untrusted,
        /// Members of that group.
        members: Vec<InstanceId>,
    },
    /// An AWS Batch compute environment that sizes the instance's Auto Scaling group.
    ComputeEnvironment {
        /// Its name.
        name: Untrusted,
        /// Members of that group.
        members: Vec<InstanceId>,
    },
    /// A Kubernetes controller, such as Karpenter, which is reached through the cluster alone.
    Node {
        /// The cluster.
        cluster: Untrusted,
        /// The controller's name.
        by: String,
    },
}

/// What owns an instance, and what of that could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owners {
    /// What was found.
    pub found: Vec<Owner>,
    /// What could not be read, and why.
    pub unknown: Vec<String>,
}
