//! What tells of a cluster without being part of it: the EKS API, CloudTrail, names, identity providers, probes.

use serde::{Deserialize, Serialize};

use super::Tags;
use crate::id::{GroupId, InstanceId, VpcId};
use crate::text::Untrusted;

/// A cluster that the EKS API tells of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Its name.
    pub name: Untrusted,
    /// Its Kubernetes version.
    #[serde(default)]
    pub version: Option<Untrusted>,
    /// The URL of its API server.
    #[serde(default)]
    pub endpoint: Option<Untrusted>,
    /// Its VPC.
    #[serde(default)]
    pub vpc: Option<VpcId>,
    /// The cluster's group and the additional ones.
    #[serde(default)]
    pub groups: Vec<GroupId>,
    /// Whether the API server answers on a public address.
    #[serde(default)]
    pub public: Option<bool>,
    /// Who may reach that.
    #[serde(default)]
    pub public_cidrs: Vec<String>,
    /// Whether EKS Auto Mode is on.
    #[serde(default)]
    pub auto_mode: Option<bool>,
    /// Names of node groups.
    #[serde(default)]
    pub node_groups: Vec<Untrusted>,
    /// Names of Fargate profiles.
    #[serde(default)]
    pub fargate_profiles: Vec<Untrusted>,
    /// The issuer of its service accounts' tokens.
    #[serde(default)]
    pub oidc: Option<Untrusted>,
    /// The ARN of the principal that made it.
    #[serde(default)]
    pub created_by: Option<Untrusted>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

/// Who calls AWS, as CloudTrail saw it: one line for each pair of user agent and caller is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// The user agent. Callers choose it.
    #[serde(default)]
    pub user_agent: Untrusted,
    /// The ARN of the caller, such as `arn:aws:sts::…:assumed-role/nodes/i-0abc1234def567890`.
    #[serde(default)]
    pub caller: Untrusted,
    /// The AWS service on whose behalf, such as `eks-nodegroup.amazonaws.com`.
    #[serde(default)]
    pub invoked_by: Option<Untrusted>,
    /// Calls that it made.
    #[serde(default)]
    pub events: Vec<Untrusted>,
}

/// What is told by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamedKind {
    /// An S3 bucket, or a key in one.
    Bucket,
    /// A record of Route 53.
    Dns,
    /// A parameter of Systems Manager.
    Parameter,
    /// A queue of SQS.
    Queue,
    /// A rule of EventBridge.
    Rule,
    /// A secret of Secrets Manager.
    Secret,
    /// A stack of CloudFormation.
    Stack,
}

/// A thing that is told by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// What it is.
    pub kind: NamedKind,
    /// Its name.
    pub name: Untrusted,
    /// The values of a DNS record: addresses or other names.
    #[serde(default)]
    pub values: Vec<Untrusted>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

/// An OIDC provider of IAM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// Its URL, with or without `https://`.
    pub url: Untrusted,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

/// What an address answered to a read-only probe without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The address that was asked.
    pub address: Untrusted,
    /// The instance that has this address, where known.
    #[serde(default)]
    pub instance: Option<InstanceId>,
    /// The port.
    pub port: u16,
    /// What was asked for, such as `/version`.
    #[serde(default)]
    pub path: String,
    /// The HTTP status.
    #[serde(default)]
    pub status: Option<u16>,
    /// The start of the answer.
    #[serde(default)]
    pub body: Untrusted,
    /// Names in the server's certificate.
    #[serde(default)]
    pub names: Vec<Untrusted>,
}

/// What could not be seen, so that silence is not taken for absence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unseen {
    /// What, such as `the user data of i-0abc1234def567890`.
    pub what: String,
    /// The instance that it is about.
    #[serde(default)]
    pub instance: Option<InstanceId>,
    /// Why, and which permission would help.
    pub reason: String,
}
