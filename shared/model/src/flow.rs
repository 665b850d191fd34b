//! How the connections of an interface leave it, as far as that decides what ends them.
//! Sources: EC2 user guide, "Connection tracking"; VPC user guide, network ACLs and NAT gateways.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::id::{InstanceId, InterfaceId};
use crate::text::Untrusted;

/// A public IPv4 address of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicAddress {
    /// The address.
    pub public: Ipv4Addr,
    /// The private address that it stands for.
    pub private: Ipv4Addr,
    /// Where it is an Elastic IP; one that AWS chose cannot be had again.
    pub elastic: Option<Elastic>,
}

impl std::fmt::Display for PublicAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.elastic {
            Some(elastic) => write!(f, "{} ({})", self.public, elastic.allocation),
            None => write!(f, "{}", self.public),
        }
    }
}

/// An Elastic IP as it is associated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elastic {
    /// What it is, whoever uses it: `eipalloc-...`.
    pub allocation: Untrusted,
    /// Its use by this interface: `eipassoc-...`. Another one after it was given back.
    pub association: Untrusted,
}

/// Whether connections are remembered: a remembered one outlives a change of rules or groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tracking {
    /// The rules let everything in and out, so that none is remembered.
    Untracked,
    /// They are.
    Tracked,
    /// The rules could not be read.
    Unknown,
}

/// One entry of a network ACL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AclEntry {
    /// Its number: lower ones count first. 32767 is AWS's own last one.
    pub number: u16,
    /// Whether it is for what goes out.
    pub egress: bool,
    /// Whether it allows.
    pub allows: bool,
    /// The addresses on the other side.
    pub cidr: Untrusted,
    /// The protocol; `-1` for all.
    pub protocol: String,
}

impl AclEntry {
    /// Whether it denies everything of one address, as ours do.
    #[must_use]
    pub fn denies(&self, address: Ipv4Addr) -> bool {
        !self.allows && self.protocol == "-1" && self.cidr.as_str() == format!("{address}/32")
    }
}

/// A network ACL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acl {
    /// Its id.
    pub id: Untrusted,
    /// Whether this account owns it: in a shared VPC, only its owner may change it.
    pub ours: bool,
    /// Its entries.
    pub entries: Vec<AclEntry>,
}

/// A way out of a subnet, by its route table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "to")]
pub enum Way {
    /// To an internet gateway: needs a public address, or IPv6.
    Internet,
    /// To a NAT gateway; every connection through it is remembered, whatever the rules are.
    Nat {
        /// The gateway.
        gateway: Untrusted,
        /// The network ACL of the gateway's subnet; none where the instance is in the same subnet, so that no ACL lies
        /// between them.
        acl: Option<Acl>,
    },
    /// To something else that keeps connections by itself: an egress-only gateway, a transit gateway, a peer, a firewall.
    Other {
        /// What the route names.
        target: Untrusted,
    },
}

/// What decides how the connections of one interface are ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowFacts {
    /// The interface.
    pub interface: InterfaceId,
    /// Its instance.
    pub instance: InstanceId,
    /// Its private IPv4 addresses, secondary ones included.
    pub addresses: Vec<Ipv4Addr>,
    /// Whether whole prefixes are delegated to it, as to a Kubernetes node.
    pub prefixes: bool,
    /// Whether it has IPv6.
    pub ipv6: bool,
    /// Its public addresses.
    pub public: Vec<PublicAddress>,
    /// The ways out of its subnet.
    pub ways: Vec<Way>,
    /// Whether its connections are remembered, by the rules of the groups that it was in.
    pub tracking: Tracking,
    /// After how many idle seconds a remembered TCP connection is forgotten, where that was set.
    pub idle: Option<u32>,
    /// What could not be read, and why.
    pub unknown: Vec<String>,
}
