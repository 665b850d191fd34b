//! What is judged and acted on, as AWS described it at one moment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{GroupId, InstanceId, InterfaceId, Scope, VpcId};
use crate::text::Untrusted;

/// The life of an instance (EC2 `instance-state-name`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Not booted yet: it has no connections.
    Pending,
    /// Booted.
    Running,
    /// On its way down.
    Stopping,
    /// Down, may start again.
    Stopped,
    /// On its way out.
    ShuttingDown,
    /// Gone for good.
    Terminated,
}

impl InstanceState {
    /// Whether nothing is left to contain.
    #[must_use]
    pub fn is_gone(self) -> bool {
        matches!(self, Self::ShuttingDown | Self::Terminated)
    }
}

/// Who manages an interface, which decides whether its groups can be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by", content = "name")]
pub enum InterfaceKind {
    /// The account's own: its groups can be set.
    Own,
    /// An AWS service's (`RequesterManaged`): may be viewed and tagged only.
    Requester(Untrusted),
    /// An operator's (`Operator.Managed`, EKS Auto Mode): the change may be refused.
    Operator(Untrusted),
}

/// A network interface of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its id.
    pub id: InterfaceId,
    /// The instance it is attached to.
    pub instance: Option<InstanceId>,
    /// The VPC it is in; groups and interface must share it.
    pub vpc: VpcId,
    /// Its groups, in the order that AWS gives them.
    pub groups: Vec<GroupId>,
    /// Who manages it.
    pub kind: InterfaceKind,
    /// The public address, if it has one.
    pub public_ip: Option<Untrusted>,
}

/// An EC2 instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Where it lives.
    pub scope: Scope,
    /// The launch it came from: all instances of one `RunInstances` share it.
    pub reservation: Untrusted,
    /// Such as `g5.48xlarge`.
    pub instance_type: Untrusted,
    /// The image.
    pub image: Untrusted,
    /// Its state when it was read.
    pub state: InstanceState,
    /// When it was launched.
    pub launched_at: Timestamp,
    /// Its VPC; none in what is left of EC2-Classic and in terminated instances.
    pub vpc: Option<VpcId>,
    /// Its interfaces. Branch interfaces of pods are not listed here by AWS.
    pub interfaces: Vec<Interface>,
    /// The `Name` tag.
    pub name: Untrusted,
    /// All tags.
    pub tags: BTreeMap<Untrusted, Untrusted>,
    /// Whether the metadata service answers without a session token (IMDSv1).
    pub metadata_v1: Option<bool>,
    /// The instance profile's ARN.
    pub profile: Option<Untrusted>,
}

impl Instance {
    /// The public address of any of its interfaces.
    #[must_use]
    pub fn public_ip(&self) -> Option<&Untrusted> {
        self.interfaces.iter().find_map(|i| i.public_ip.as_ref())
    }

    /// Its groups, each once, in order of appearance.
    #[must_use]
    pub fn groups(&self) -> Vec<GroupId> {
        let mut seen = Vec::new();
        for group in self.interfaces.iter().flat_map(|i| &i.groups) {
            if !seen.contains(group) {
                seen.push(group.clone());
            }
        }
        seen
    }
}

/// An EKS cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its name, unique in its account and Region.
    pub name: Untrusted,
    /// Where it lives.
    pub scope: Scope,
    /// Kubernetes version.
    pub version: Untrusted,
    /// EKS status, such as `ACTIVE`.
    pub status: Untrusted,
    /// Whether the API server has a public endpoint.
    pub public_endpoint: Option<bool>,
    /// Whether it has one inside the VPC.
    pub private_endpoint: Option<bool>,
    /// From where the public endpoint may be reached.
    pub public_cidrs: Vec<Untrusted>,
}

/// A launch that AWS refused: evidence, with nothing to contain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Where it was tried.
    pub scope: Scope,
    /// CloudTrail's `errorCode`, such as `Client.InsufficientInstanceCapacity`.
    pub error: Untrusted,
    /// What was asked for.
    pub instance_type: Option<Untrusted>,
    /// How many, at most.
    pub count: u32,
    /// The call, which names the attempt.
    pub event: Untrusted,
}

/// A thing that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Asset {
    /// An EC2 instance.
    Instance(Instance),
    /// An EKS cluster.
    Cluster(Cluster),
    /// A launch that failed.
    Attempt(Attempt),
}

impl Asset {
    /// Where it lives.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        match self {
            Self::Instance(i) => &i.scope,
            Self::Cluster(c) => &c.scope,
            Self::Attempt(a) => &a.scope,
        }
    }

    /// Its id within its scope: an instance id, `cluster/<name>` or `attempt/<event>`.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Instance(i) => i.id.to_string(),
            Self::Cluster(c) => format!("cluster/{}", c.name),
            Self::Attempt(a) => format!("attempt/{}", a.event),
        }
    }

    /// The instance, if it is one.
    #[must_use]
    pub fn instance(&self) -> Option<&Instance> {
        match self {
            Self::Instance(i) => Some(i),
            _ => None,
        }
    }

    /// What kind of machine it is or was to be.
    #[must_use]
    pub fn instance_type(&self) -> Option<&Untrusted> {
        match self {
            Self::Instance(i) => Some(&i.instance_type),
            Self::Attempt(a) => a.instance_type.as_ref(),
            Self::Cluster(_) => None,
        }
    }
}
