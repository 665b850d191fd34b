//! Instances, and what they are made from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;
use crate::asset::{Instance, InstanceState};
use crate::id::{GroupId, InstanceId, VpcId};
use crate::text::Untrusted;

/// An instance with what is needed to tell whether it is a node, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Its id.
    pub id: InstanceId,
    /// All tags. `aws:autoscaling:groupName` and `aws:ec2launchtemplate:id` lead to its group and template.
    #[serde(default)]
    pub tags: Tags,
    /// Its state; none if not read.
    #[serde(default)]
    pub state: Option<InstanceState>,
    /// Such as `m6i.large`.
    #[serde(default)]
    pub instance_type: Option<Untrusted>,
    /// When it was launched.
    #[serde(default)]
    pub launched_at: Option<Timestamp>,
    /// Its VPC.
    #[serde(default)]
    pub vpc: Option<VpcId>,
    /// Its subnet.
    #[serde(default)]
    pub subnet: Option<Untrusted>,
    /// The groups of all its interfaces.
    #[serde(default)]
    pub groups: Vec<GroupId>,
    /// Private addresses and DNS names, IPv4 and IPv6.
    #[serde(default)]
    pub addresses: Vec<Untrusted>,
    /// Public addresses and DNS names; an IPv6 address is one of these.
    #[serde(default)]
    pub public_addresses: Vec<Untrusted>,
    /// The image's id.
    #[serde(default)]
    pub image: Option<Untrusted>,
    /// The instance profile's ARN.
    #[serde(default)]
    pub profile: Option<Untrusted>,
    /// The key pair's name.
    #[serde(default)]
    pub key: Option<Untrusted>,
    /// `windows`, where AWS says so.
    #[serde(default)]
    pub platform: Option<Untrusted>,
    /// Who manages it on behalf of the account (`Operator.Principal`), such as `eks.amazonaws.com`.
    #[serde(default)]
    pub operator: Option<Untrusted>,
    /// What Systems Manager inventory found installed: name and version, such as `kubelet 1.31.2`.
    #[serde(default)]
    pub applications: Vec<Untrusted>,
    /// The ARN of the principal that launched it, where CloudTrail tells.
    #[serde(default)]
    pub launched_by: Option<Untrusted>,
    /// User data as `DescribeInstanceAttribute` answers it, in base64; plain text is understood too. None if there is
    /// none; where it could not be read, say so by an `Unseen`. It may hold secrets and is never written out.
    #[serde(default, skip_serializing)]
    pub user_data: Option<String>,
}

impl Machine {
    /// A machine of which nothing but its id is known.
    #[must_use]
    pub fn new(id: InstanceId) -> Self {
        Self {
            id,
            tags: Tags::new(),
            state: None,
            instance_type: None,
            launched_at: None,
            vpc: None,
            subnet: None,
            groups: Vec::new(),
            addresses: Vec::new(),
            public_addresses: Vec::new(),
            image: None,
            profile: None,
            key: None,
            platform: None,
            operator: None,
            applications: Vec::new(),
            launched_by: None,
            user_data: None,
        }
    }
}

impl From<&Instance> for Machine {
    fn from(instance: &Instance) -> Self {
        Self {
            tags: instance.tags.clone(),
            state: Some(instance.state),
            instance_type: Some(instance.instance_type.clone()),
            launched_at: Some(instance.launched_at),
            vpc: instance.vpc.clone(),
            groups: instance.groups(),
            public_addresses: instance.public_ip().cloned().into_iter().collect(),
            image: Some(instance.image.clone()),
            profile: instance.profile.clone(),
            ..Self::new(instance.id.clone())
        }
    }
}

/// A machine image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Its id.
    pub id: Untrusted,
    /// Its name, such as `amazon-eks-node-al2023-x86_64-standard-1.31-v20250103`.
    #[serde(default)]
    pub name: Untrusted,
    /// The account that owns it.
    #[serde(default)]
    pub owner: Option<Untrusted>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

/// A launch template, its default and latest versions as one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its id, `lt-…`.
    pub id: Untrusted,
    /// Its name.
    #[serde(default)]
    pub name: Untrusted,
    /// Its own tags.
    #[serde(default)]
    pub tags: Tags,
    /// The tags that it gives to instances and volumes.
    #[serde(default)]
    pub gives: Tags,
    /// The image's id.
    #[serde(default)]
    pub image: Option<Untrusted>,
    /// The instance profile's name or ARN.
    #[serde(default)]
    pub profile: Option<Untrusted>,
    /// The key pair's name.
    #[serde(default)]
    pub key: Option<Untrusted>,
    /// Its groups.
    #[serde(default)]
    pub groups: Vec<GroupId>,
    /// User data in base64, or plain. Never written out.
    #[serde(default, skip_serializing)]
    pub user_data: Option<String>,
}

/// An Auto Scaling group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScalingTier {
    /// Its name.
    pub name: Untrusted,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
    /// Its launch template's id.
    #[serde(default)]
    pub template: Option<Untrusted>,
    /// Its members.
    #[serde(default)]
    pub instances: Vec<InstanceId>,
    /// How many members it wants.
    #[serde(default)]
    pub desired: u32,
}

/// A role, with what it may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its name.
    pub name: Untrusted,
    /// Names of the instance profiles that hold it; its own name is one of these without being listed.
    #[serde(default)]
    pub profiles: Vec<Untrusted>,
    /// Names of attached policies.
    #[serde(default)]
    pub policies: Vec<Untrusted>,
    /// Actions that its inline policies allow, such as `ec2:AttachVolume`.
    #[serde(default)]
    pub actions: Vec<Untrusted>,
    /// Services and identity providers that may take it.
    #[serde(default)]
    pub trusts: Vec<Untrusted>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Its id.
    pub id: Untrusted,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
    /// The instance that it is attached to.
    #[serde(default)]
    pub instance: Option<InstanceId>,
}
