//! What a landscape comes to: the clusters in it, each with its nodes, its doors and its evidence.

use serde::{Deserialize, Serialize};

use super::Unseen;
use crate::id::{GroupId, InstanceId, Scope, VpcId};
use crate::text::Untrusted;

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clue {
    /// The mark that fits, such as `kops/k8s.io/role/`.
    pub mark: String,
    /// What it adds: strong 60, medium 25, weak 8; less than nothing where it speaks against.
    pub weight: i16,
    /// Where it was read, such as `a tag of i-0abc1234def567890`.
    pub at: String,
    /// What was found, bounded.
    pub found: Untrusted,
}

/// What a node does in its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeRole {
    /// Runs the API server.
    ControlPlane,
    /// Runs etcd only.
    Etcd,
    /// Runs workloads.
    Worker,
    /// Leads people to the cluster; it is no node.
    Bastion,
    /// A node; which kind is not known.
    Unknown,
}

impl std::fmt::Display for NodeRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ControlPlane => "control plane",
            Self::Etcd => "etcd",
            Self::Worker => "worker",
            Self::Bastion => "bastion",
            Self::Unknown => "node",
        })
    }
}

/// A member of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Which instance.
    pub id: InstanceId,
    /// What it does.
    pub role: NodeRole,
    /// The distribution that most speaks for, taken alone; the cluster's may differ.
    pub distribution: String,
    /// The sum of what speaks for it.
    pub confidence: u16,
    /// What speaks for it, heaviest first.
    pub evidence: Vec<Clue>,
}

/// Where the control plane runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlPlane {
    /// AWS runs it, in this account.
    Managed,
    /// It is on nodes that were found.
    Nodes,
    /// It is elsewhere: in another account, another Region or outside AWS.
    Elsewhere,
    /// Not known.
    Unknown,
}

/// A port of a cluster that should not be open to many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// The API server.
    ApiServer,
    /// etcd, for clients and peers.
    Etcd,
    /// The kubelet's API.
    Kubelet,
    /// The kubelet's port without authentication.
    KubeletReadOnly,
    /// What hands out a node's configuration or joins nodes: machine config server, supervisor, Talos.
    Join,
}

impl std::fmt::Display for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ApiServer => "API server",
            Self::Etcd => "etcd",
            Self::Kubelet => "kubelet",
            Self::KubeletReadOnly => "kubelet without authentication",
            Self::Join => "node configuration",
        })
    }
}

/// Who may come to a door.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "who", content = "which")]
pub enum ReachFrom {
    /// Anybody, by this range or by several that add up to everything.
    World(String),
    /// An address range.
    Net(String),
    /// The members of a group of this cluster.
    Cluster(GroupId),
    /// The members of another group.
    Group(GroupId),
    /// A prefix list whose content is not known.
    PrefixList(Untrusted),
}

/// Who may reach a door, by which group's rule. Whether a packet finds its way also depends on routes and addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reach {
    /// The door.
    pub door: Door,
    /// Its port.
    pub port: u16,
    /// Who.
    pub from: ReachFrom,
    /// By what: a group, `sg-…`, a load balancer's name, or `EKS`.
    pub by: Untrusted,
    /// Whether there is a public address behind it.
    pub public: bool,
}

/// A door that answered a probe without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Anonymous {
    /// The door.
    pub door: Door,
    /// Its port.
    pub port: u16,
    /// What was asked for, such as `/healthz`.
    pub path: String,
    /// Whose.
    pub instance: InstanceId,
}

/// A cluster that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Names it within account and Region, the same each time: `eks/prod`, or `k3s/` and what joins its nodes.
    pub id: String,
    /// Where.
    pub scope: Scope,
    /// The distribution, such as `kops`; `kubernetes` if it cannot be told.
    pub distribution: String,
    /// Other distributions and tools that left marks.
    pub also: Vec<String>,
    /// Its name, where one is given.
    pub name: Option<Untrusted>,
    /// The Kubernetes version, where it is told.
    pub version: Option<Untrusted>,
    /// Where the control plane runs.
    pub control_plane: ControlPlane,
    /// The members, control plane first. A cluster without any may sleep, be on Fargate or be elsewhere.
    pub nodes: Vec<Node>,
    /// Instances that lead to it and are no nodes.
    pub bastions: Vec<InstanceId>,
    /// Its VPCs.
    pub vpcs: Vec<VpcId>,
    /// Who may reach its doors.
    pub exposure: Vec<Reach>,
    /// Which doors answered a probe without credentials; none also where nothing was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anonymous: Vec<Anonymous>,
    /// The ARN of the principal that made it.
    pub owner: Option<Untrusted>,
    /// The sum of the weights of different marks; from 60 on it is a cluster.
    pub confidence: u16,
    /// The evidence, heaviest first, each mark once.
    pub evidence: Vec<Clue>,
    /// Why these nodes are one cluster.
    pub joined_by: Vec<String>,
    /// What could not be known about it, and why. What is not known is not safe.
    pub unknown: Vec<String>,
}

/// What was made of a landscape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// Where.
    pub scope: Scope,
    /// How many instances were looked at.
    pub instances: usize,
    /// The clusters.
    pub clusters: Vec<Found>,
    /// Instances with some evidence, too little to say: read their user data, probe them.
    pub suspects: Vec<Node>,
    /// What could not be seen.
    pub unseen: Vec<Unseen>,
}
