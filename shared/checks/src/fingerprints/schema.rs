//! The form of a fingerprint file. Read strictly: an unknown field, a regex that does not compile or a capture that
//! nobody reads is refused with file, line and column. What the files hold is data; what is made of it is `weigh`'s.

use picket_model::landscape::{NamedKind, NodeRole};
use serde::Deserialize;

/// How much a mark speaks for its distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// It is shown, and adds nothing: it names a role, a cluster or a version.
    None,
    /// Many others leave the same mark.
    Weak,
    /// Some others do.
    Medium,
    /// Nobody else does.
    Strong,
}

impl Weight {
    /// Its points: from 60 on it is Kubernetes, from 25 on it is worth a look.
    #[must_use]
    pub fn points(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Weak => 8,
            Self::Medium => 25,
            Self::Strong => 60,
        }
    }
}

/// A distribution with its marks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Its name, the same as the file's.
    pub distribution: String,
    /// What it is, in one line.
    pub says: String,
    /// Other words that labels use for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What it is built on: marks of those speak for this one, once it has evidence of its own.
    #[serde(default)]
    pub over: Vec<String>,
    /// A tool: without another distribution in sight, this is what runs.
    pub presumes: Option<String>,
    /// AWS runs the control plane.
    #[serde(default)]
    pub managed: bool,
    /// Somebody else runs the control plane elsewhere.
    #[serde(default)]
    pub hosted: bool,
    /// Somebody else runs the control plane elsewhere, where no node of it is in sight.
    #[serde(default)]
    pub sometimes_hosted: bool,
    /// On which port its API server answers; 6443 where not told.
    #[serde(default)]
    pub api_ports: Vec<u16>,
    /// Ports that hand out the configuration of nodes, or join them.
    #[serde(default)]
    pub join_ports: Vec<u16>,
    /// Its marks.
    pub marks: Marks,
    /// What its user data tells beyond that.
    #[serde(default)]
    pub reads: Reads,
}

/// What looks like Kubernetes and is not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decoy {
    /// Its name, the same as the file's.
    pub decoy: String,
    /// What it is, and why it is mistaken.
    pub says: String,
    /// Distributions whose marks, strong ones too, it explains by another cause.
    #[serde(default)]
    pub explains: Vec<String>,
    /// Its marks. Each takes its weight from what is not strong.
    pub marks: Marks,
}

/// Marks by where they are read.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Marks {
    /// Tags.
    pub tags: Vec<TagMark>,
    /// Sets of ports that a group opens.
    pub ports: Vec<PortMark>,
    /// Answers to probes.
    pub probes: Vec<ProbeMark>,
    /// User data of instances and launch templates, decoded, without comments.
    pub user_data: Vec<TextMark>,
    /// The `Name` tag of instances.
    pub names: Vec<TextMark>,
    /// Names of key pairs.
    pub keys: Vec<TextMark>,
    /// Names of images.
    pub images: Vec<ImageMark>,
    /// Names of roles and instance profiles.
    pub roles: Vec<TextMark>,
    /// Names of attached policies.
    pub policies: Vec<TextMark>,
    /// Actions that inline policies of a role allow.
    pub actions: Vec<ActionMark>,
    /// Names of Auto Scaling groups.
    pub scaling_groups: Vec<TextMark>,
    /// Names of launch templates.
    pub templates: Vec<TextMark>,
    /// Names of security groups.
    pub group_names: Vec<TextMark>,
    /// Descriptions of security groups.
    pub group_descriptions: Vec<TextMark>,
    /// Descriptions of their rules.
    pub rule_descriptions: Vec<TextMark>,
    /// Descriptions of network interfaces.
    pub interfaces: Vec<TextMark>,
    /// Names of load balancers.
    pub balancers: Vec<TextMark>,
    /// Installed applications, by Systems Manager.
    pub applications: Vec<TextMark>,
    /// User agents in CloudTrail.
    pub agents: Vec<TextMark>,
    /// AWS services that called on behalf of others.
    pub invoked_by: Vec<TextMark>,
    /// URLs of OIDC providers.
    pub oidc: Vec<TextMark>,
    /// Operators of managed instances.
    pub operators: Vec<TextMark>,
    /// Names of DNS records, stacks, buckets, secrets and the like.
    pub things: Vec<ThingMark>,
    /// What follows from what others show.
    pub derived: Vec<DerivedMark>,
}

/// Where a tag stands, which decides what it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagOn {
    /// An instance.
    Instance,
    /// A volume.
    Volume,
    /// A network interface.
    Interface,
    /// A launch template, or what it gives to instances.
    Template,
    /// An Auto Scaling group.
    ScalingGroup,
    /// A load balancer or a target group.
    Balancer,
    /// A security group.
    Group,
    /// A role.
    Role,
    /// An image.
    Image,
    /// A bucket, secret or the like.
    Thing,
    /// A VPC, subnet or route table: many share them.
    Place,
}

/// A tag by its key; the value decides only where the file names one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagMark {
    /// The exact key.
    pub key: Option<String>,
    /// What the key starts with.
    pub prefix: Option<String>,
    /// What the value must be, for keys that others use too.
    pub value: Option<Text>,
    /// What it is worth on an instance, volume, interface, template, scaling group or load balancer.
    pub weight: Weight,
    /// What it is worth elsewhere: on what many share.
    #[serde(default = "weak")]
    pub elsewhere: Weight,
    /// Where the cluster's name is.
    pub cluster: Option<NameIn>,
    /// Where the node's role is, or which one it is.
    pub role: Option<RoleIn>,
    /// Where the version of Kubernetes is.
    pub version: Option<NameIn>,
}

fn weak() -> Weight {
    Weight::Weak
}

/// Which part of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameIn {
    /// Its value.
    Value,
    /// What follows the prefix of its key.
    Suffix,
}

/// A node's role: where to read it, or which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleIn {
    /// The tag's value.
    Value,
    /// What follows the prefix of its key.
    Suffix,
    /// It runs the API server.
    ControlPlane,
    /// It runs etcd alone.
    Etcd,
    /// It runs workloads.
    Worker,
    /// It leads people to the cluster.
    Bastion,
}

impl RoleIn {
    /// The role, if it is told without reading.
    #[must_use]
    pub fn fixed(self) -> Option<NodeRole> {
        match self {
            Self::Value | Self::Suffix => None,
            Self::ControlPlane => Some(NodeRole::ControlPlane),
            Self::Etcd => Some(NodeRole::Etcd),
            Self::Worker => Some(NodeRole::Worker),
            Self::Bastion => Some(NodeRole::Bastion),
        }
    }
}

/// A text with a pattern. The captures `cluster` and `version` are read where they are named.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextMark {
    /// Its name within the file.
    pub name: String,
    /// What it is worth.
    pub weight: Weight,
    /// The pattern.
    pub regex: Text,
    /// A text that holds this is somebody else's.
    pub except: Option<Text>,
    /// The role of what bears it.
    pub role: Option<RoleIn>,
}

/// An image by its name and, where that makes the difference, its owner.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageMark {
    /// Its name within the file.
    pub name: String,
    /// What it is worth.
    pub weight: Weight,
    /// The pattern of the image's name.
    pub regex: Text,
    /// The accounts that publish it. Another owner makes it worth one step less.
    #[serde(default)]
    pub owners: Vec<String>,
}

/// A thing told by its name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThingMark {
    /// Its name within the file.
    pub name: String,
    /// Which kind of thing.
    pub kind: NamedKind,
    /// What it is worth.
    pub weight: Weight,
    /// The pattern.
    pub regex: Text,
    /// What one of its values must be as well, for records of DNS.
    pub values: Option<Text>,
    /// The role of the machine that a record of DNS leads to.
    pub role: Option<RoleIn>,
}

/// What no single thing bears, but what things have to do with each other shows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivedMark {
    /// Its name within the file; `survey` knows it.
    pub name: String,
    /// What it is worth.
    pub weight: Weight,
    /// The role of what bears it.
    pub role: Option<RoleIn>,
}

/// Ports that stand for a distribution when a group opens all of them, each by a rule of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortMark {
    /// Its name within the file.
    pub name: String,
    /// What it is worth.
    pub weight: Weight,
    /// Ranges such as `6443`, `2379-2380` or `udp 8472`: a rule must open it, and not very much more.
    pub all: Vec<Ports>,
    /// At least so many of these as well.
    #[serde(default)]
    pub any: Vec<Ports>,
    /// How many of `any`.
    #[serde(default)]
    pub at_least: usize,
    /// Whether rules must have just these ranges.
    #[serde(default)]
    pub exact: bool,
}

/// Actions that stand for a distribution when a role's own policies allow all of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionMark {
    /// Its name within the file.
    pub name: String,
    /// What it is worth.
    pub weight: Weight,
    /// The actions, such as `ec2:AttachVolume`.
    pub all: Vec<String>,
}

/// An answer to a probe.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeMark {
    /// Its name within the file.
    pub name: String,
    /// What it is worth.
    pub weight: Weight,
    /// On which ports; any where none is named.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// For which path; any where none is named.
    pub path: Option<String>,
    /// With which status; any where none is named.
    #[serde(default)]
    pub status: Vec<u16>,
    /// What the answer holds. The capture `version` is read.
    pub body: Option<Text>,
    /// What one of the names in the certificate is.
    pub certificate: Option<Text>,
    /// The role of who answers so.
    pub role: Option<RoleIn>,
}

/// What user data tells once it is known whose it is. Each pattern's capture `it`, or the whole match where a role is
/// asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reads {
    /// The cluster's name.
    pub cluster: Vec<Text>,
    /// The version of Kubernetes.
    pub version: Vec<Text>,
    /// The address that the node joins: host, with or without scheme and port.
    pub joins: Vec<Text>,
    /// The secret by which nodes join: kept as a digest only, to see that two nodes share it.
    pub token: Vec<Text>,
    /// It is a bastion.
    pub bastion: Vec<Text>,
    /// It is part of the control plane.
    pub control_plane: Vec<Text>,
    /// It runs etcd alone.
    pub etcd: Vec<Text>,
    /// It is a worker.
    pub worker: Vec<Text>,
    /// What one is that joins nobody and tells no role.
    pub alone: Option<RoleIn>,
}

/// A pattern, compiled when it is first used and checked by a test. Multi-line, ASCII classes.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Text(pub String);

impl Text {
    /// Compiles it.
    ///
    /// # Errors
    /// If it is no pattern.
    pub fn compile(&self) -> Result<regex::bytes::Regex, String> {
        regex::bytes::RegexBuilder::new(&self.0)
            .multi_line(true)
            .unicode(false)
            .size_limit(1 << 20)
            .build()
            .map_err(|e| format!("`{}`: {e}", self.0))
    }
}

/// A range of ports of one protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "PortsText")]
pub struct Ports {
    /// UDP; else TCP.
    pub udp: bool,
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PortsText {
    Number(u16),
    Text(String),
}

impl TryFrom<PortsText> for Ports {
    type Error = String;

    fn try_from(text: PortsText) -> Result<Self, String> {
        let text = match text {
            PortsText::Number(port) => return Ok(Self { udp: false, first: port, last: port }),
            PortsText::Text(text) => text,
        };
        let (udp, range) = match text.strip_prefix("udp ") {
            Some(range) => (true, range),
            None => (false, text.strip_prefix("tcp ").unwrap_or(&text)),
        };
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let port = |p: &str| p.parse::<u16>().map_err(|_| format!("`{text}` is not ports, such as `udp 8472`"));
        Ok(Self { udp, first: port(first)?, last: port(last)? })
    }
}
