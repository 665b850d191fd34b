//! Facts, each with where it was read, or the reason why it is not known. Unknown is never a pass.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::asset::Asset;
use crate::id::GroupId;
use crate::text::Untrusted;
use crate::trigger::Trigger;

/// A fact, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact<T> {
    /// It was read.
    Known {
        /// What was read.
        value: T,
        /// The call or record that it came from.
        source: String,
    },
    /// It was not.
    Unknown {
        /// Why, in words for a person.
        reason: String,
    },
}

impl<T> Fact<T> {
    /// A fact from `source`.
    pub fn known(value: T, source: impl Into<String>) -> Self {
        Self::Known { value, source: source.into() }
    }

    /// No fact, because of `reason`.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown { reason: reason.into() }
    }

    /// The value, if known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            Self::Unknown { .. } => None,
        }
    }
}

/// What the user data of an instance shows. The text itself may hold secrets and is not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserData {
    /// Bytes as AWS holds them, after base64.
    pub bytes: usize,
    /// SHA-256 of those bytes, in hexadecimal; empty when there is none.
    pub sha256: String,
    /// Names of the miner markers found, with the words around each.
    pub miners: Vec<Marker>,
    /// Names of the Kubernetes markers found.
    pub kubernetes: Vec<Marker>,
    /// Whether some of it could not be decoded within the bounds, and why.
    pub undecoded: Option<String>,
}

/// A pattern that was found, and the text that it matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// The pattern's name.
    pub name: String,
    /// Its weight: a strong Kubernetes marker has 60, a medium one 25.
    pub weight: u8,
    /// What it matched, bounded and cleaned.
    pub found: Untrusted,
}

/// One source of one ingress rule, as AWS holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The group.
    pub group: GroupId,
    /// `tcp`, `udp`, `icmp`, a protocol number, or `-1` for all.
    pub protocol: String,
    /// The first port; none for all.
    pub first: Option<u16>,
    /// The last port.
    pub last: Option<u16>,
    /// The source, in CIDR notation.
    pub cidr: String,
}

/// How far a port range is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// The group whose rule it is.
    pub group: GroupId,
    /// Where from, such as `0.0.0.0/0`.
    pub from: String,
    /// Which ports.
    pub openness: Openness,
}

/// The ports of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Openness {
    /// All protocols, or all ports of TCP or UDP.
    Everything,
    /// From one port to another.
    Ports {
        /// The first.
        first: u16,
        /// The last.
        last: u16,
    },
}

impl Openness {
    /// Whether `port` is among them.
    #[must_use]
    pub fn covers(self, port: u16) -> bool {
        match self {
            Self::Everything => true,
            Self::Ports { first, last } => (first..=last).contains(&port),
        }
    }
}

impl std::fmt::Display for Openness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Everything => f.write_str("all ports"),
            Self::Ports { first, last } if first == last => write!(f, "port {first}"),
            Self::Ports { first, last } => write!(f, "ports {first}-{last}"),
        }
    }
}

/// An asset with what was read about it, at one time, because of one trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// What is observed.
    pub asset: Asset,
    /// Why we looked.
    pub trigger: Trigger,
    /// When we looked.
    pub read_at: Timestamp,
    /// The user data.
    pub user_data: Fact<UserData>,
    /// What the world may reach, by the rules of its groups.
    pub world_open: Fact<Vec<Exposure>>,
    /// Since when Picket has watched this account.
    pub watching_since: Fact<Timestamp>,
    /// When this account first saw the principal.
    pub principal_since: Fact<Timestamp>,
    /// When this account first used the Region.
    pub region_since: Fact<Timestamp>,
    /// When this account first used the image.
    pub image_since: Fact<Timestamp>,
    /// When this account first used the instance type.
    #[serde(default = "not_asked")]
    pub type_since: Fact<Timestamp>,
    /// AWS's quarantine policy for leaked keys on the calling user, if attached.
    pub leaked_key_policy: Fact<Option<Untrusted>>,
    /// What kind of cluster it is a node of, by its fingerprints.
    pub node_of: Option<NodeOf>,
}

impl Observation {
    /// An observation of `asset` in which nothing but the asset is known yet.
    #[must_use]
    pub fn new(asset: Asset, trigger: Trigger, read_at: Timestamp) -> Self {
        let not_read = || "not read".to_owned();
        Self {
            asset,
            trigger,
            read_at,
            user_data: Fact::unknown(not_read()),
            world_open: Fact::unknown(not_read()),
            watching_since: Fact::unknown(not_read()),
            principal_since: Fact::unknown(not_read()),
            region_since: Fact::unknown(not_read()),
            image_since: Fact::unknown(not_read()),
            type_since: Fact::unknown(not_read()),
            leaked_key_policy: Fact::unknown(not_read()),
            node_of: None,
        }
    }
}

/// Of observations that were written before the fact was known.
fn not_asked() -> Fact<Timestamp> {
    Fact::unknown("not asked")
}

/// The cluster that an instance belongs to, as far as its marks tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeOf {
    /// Such as `eks` or `kops`.
    pub distribution: String,
    /// The cluster's name, where a tag gives it.
    pub cluster: Option<Untrusted>,
    /// The sum of the weights of all marks; from 60 on it is a node.
    pub confidence: u16,
    /// The marks.
    pub evidence: Vec<String>,
}
