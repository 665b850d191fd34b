//! Security groups, interfaces, load balancers and the places that they stand in.

use serde::{Deserialize, Serialize};

use super::Tags;
use crate::id::{GroupId, InstanceId, VpcId};
use crate::text::Untrusted;

/// A security group with its ingress rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    #[serde(default)]
    pub name: Untrusted,
    /// Its description.
    #[serde(default)]
    pub description: Untrusted,
    /// Its VPC.
    #[serde(default)]
    pub vpc: Option<VpcId>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
    /// Its ingress rules.
    #[serde(default)]
    pub rules: Vec<GroupRule>,
}

/// An ingress rule: a port range, and all that may come in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRule {
    /// `tcp`, `udp`, `icmp`, a protocol number, or `-1` for all.
    pub protocol: String,
    /// The first port; none for all.
    #[serde(default)]
    pub first: Option<u16>,
    /// The last port.
    #[serde(default)]
    pub last: Option<u16>,
    /// Sources in CIDR notation, IPv4 and IPv6.
    #[serde(default)]
    pub cidrs: Vec<String>,
    /// Sources that are groups.
    #[serde(default)]
    pub groups: Vec<GroupId>,
    /// Sources that are prefix lists, `pl-…`.
    #[serde(default)]
    pub prefix_lists: Vec<Untrusted>,
    /// The descriptions of its sources.
    #[serde(default)]
    pub says: Vec<Untrusted>,
}

/// A prefix list, with what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrefixList {
    /// Its id.
    pub id: Untrusted,
    /// What is in it.
    #[serde(default)]
    pub cidrs: Vec<String>,
}

/// A network interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Its id.
    pub id: Untrusted,
    /// Its description.
    #[serde(default)]
    pub description: Untrusted,
    /// Its type, such as `interface`, `branch`, `trunk` or `network_load_balancer`.
    #[serde(default)]
    pub kind: Untrusted,
    /// The service or account that made it (`RequesterId`).
    #[serde(default)]
    pub requester: Option<Untrusted>,
    /// The account that owns it.
    #[serde(default)]
    pub owner: Option<Untrusted>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
    /// The instance that it is attached to.
    #[serde(default)]
    pub instance: Option<InstanceId>,
    /// Its VPC.
    #[serde(default)]
    pub vpc: Option<VpcId>,
    /// Its groups.
    #[serde(default)]
    pub groups: Vec<GroupId>,
    /// Its addresses.
    #[serde(default)]
    pub addresses: Vec<Untrusted>,
}

/// A load balancer with its listeners.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balancer {
    /// Its name.
    pub name: Untrusted,
    /// Its DNS name.
    #[serde(default)]
    pub dns: Untrusted,
    /// Whether it has public addresses.
    #[serde(default)]
    pub public: bool,
    /// Its VPC.
    #[serde(default)]
    pub vpc: Option<VpcId>,
    /// Its groups.
    #[serde(default)]
    pub groups: Vec<GroupId>,
    /// Its tags, and those of its target groups.
    #[serde(default)]
    pub tags: Tags,
    /// What it listens on.
    #[serde(default)]
    pub listeners: Vec<Listener>,
}

/// A listener of a load balancer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// The port that it listens on.
    pub port: u16,
    /// The port of its targets.
    #[serde(default)]
    pub to: Option<u16>,
    /// Its targets: instance ids or addresses.
    #[serde(default)]
    pub targets: Vec<Untrusted>,
}

/// What kind of place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// A VPC.
    Vpc,
    /// A subnet.
    Subnet,
    /// A route table.
    RouteTable,
}

/// A VPC, subnet or route table. Many share it, so its tags make nobody a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// What it is.
    pub kind: PlaceKind,
    /// Its id.
    pub id: Untrusted,
    /// The VPC that it is or is in.
    #[serde(default)]
    pub vpc: Option<VpcId>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
    /// Its address ranges.
    #[serde(default)]
    pub cidrs: Vec<String>,
}
