//! What woke us. A trigger is a hint: it says where to look, never what is true.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::asset::Instance;
use crate::id::{GroupId, InstanceId, Scope};
use crate::principal::Principal;
use crate::text::Untrusted;

/// Everything that can wake Picket, by what it means rather than by how it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// `RunInstances` in CloudTrail.
    RunInstances,
    /// `StartInstances`.
    StartInstances,
    /// `CreateFleet`, `RequestSpotFleet`, `RequestSpotInstances`.
    CreateFleet,
    /// `CreateAutoScalingGroup`, `UpdateAutoScalingGroup`.
    ChangeAutoScalingGroup,
    /// `CreateLaunchTemplate`, `CreateLaunchTemplateVersion`, `ModifyLaunchTemplate`.
    CreateLaunchTemplate,
    /// `AttachNetworkInterface`, `CreateNetworkInterface`.
    AttachInterface,
    /// `CreateLoadBalancer`, `CreateTargetGroup`.
    CreateLoadBalancer,
    /// `CreateSecurityGroup`.
    CreateGroup,
    /// `CreateTags`.
    TagResources,
    /// `CreateOpenIDConnectProvider`: AWS is to trust a cluster's tokens.
    TrustCluster,
    /// Any change that a part of Kubernetes makes, by what the caller calls itself.
    KubernetesCall,
    /// `ModifyInstanceAttribute`.
    ModifyInstance,
    /// `AuthorizeSecurityGroupIngress`/`Egress`, `ModifySecurityGroupRules`.
    ChangeGroupRules,
    /// EKS `CreateCluster`.
    CreateCluster,
    /// EKS node groups and Fargate profiles, made, changed or deleted.
    ChangeNodes,
    /// EKS `UpdateClusterConfig`, `UpdateClusterVersion`, add-ons, identity providers.
    UpdateCluster,
    /// EKS access entries, their policies, and roles for pods.
    GrantClusterAccess,
    /// EKS `DeleteCluster`.
    DeleteCluster,
    /// `EC2 Instance State-change Notification`.
    InstanceState,
    /// `EC2 Instance Launch Successful` of an Auto Scaling group.
    AutoScalingLaunch,
    /// A GuardDuty finding.
    GuardDuty,
    /// A finding imported into Security Hub.
    SecurityHub,
    /// A person chose a Security Hub custom action.
    CustomAction,
    /// The clock.
    Schedule,
    /// A person, or the sweep, asked to look again.
    Manual,
    /// Our own event, sent to see whether events arrive.
    Canary,
}

impl fmt::Display for TriggerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_value(self).ok();
        f.write_str(text.as_ref().and_then(|t| t.as_str()).unwrap_or("trigger"))
    }
}

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "of")]
pub enum Subject {
    /// These instances.
    Instances(Vec<InstanceId>),
    /// All instances of the launch (`RunInstances` cut its answer short): by client token.
    Launch(Untrusted),
    /// The instances that use this group.
    Group(GroupId),
    /// The instances of this Auto Scaling group.
    AutoScalingGroup(Untrusted),
    /// The instances of this launch template.
    LaunchTemplate(Untrusted),
    /// The instances of this fleet.
    Fleet(Untrusted),
    /// An EKS cluster.
    Cluster(Untrusted),
    /// A launch that AWS refused.
    Attempt {
        /// CloudTrail's `errorCode`.
        error: Untrusted,
        /// The type asked for.
        instance_type: Option<Untrusted>,
        /// How many, at most.
        count: u32,
    },
    /// A place whose words may speak of a Kubernetes cluster, such as a group's name, and instances that they are about.
    Sign {
        /// Names, descriptions, tag keys.
        words: Vec<Untrusted>,
        /// The instances, if it names some.
        instances: Vec<InstanceId>,
    },
    /// Nothing: only that it arrived is to be marked, under this name.
    Canary(Untrusted),
    /// Everything.
    Everything,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instances(ids) if ids.len() == 1 => write!(f, "{}", ids[0]),
            Self::Instances(ids) => write!(f, "{} instances", ids.len()),
            Self::Launch(token) => write!(f, "the launch with client token {token}"),
            Self::Group(id) => write!(f, "the instances in {id}"),
            Self::AutoScalingGroup(name) => write!(f, "Auto Scaling group {name}"),
            Self::LaunchTemplate(id) => write!(f, "launch template {id}"),
            Self::Fleet(id) => write!(f, "fleet {id}"),
            Self::Cluster(name) => write!(f, "EKS cluster {name}"),
            Self::Attempt { error, .. } => write!(f, "a launch that failed with {error}"),
            Self::Sign { words, .. } => write!(f, "a sign: {}", words.first().map_or("", Untrusted::as_str)),
            Self::Canary(name) => write!(f, "canary {name}"),
            Self::Everything => f.write_str("everything"),
        }
    }
}

/// What the trigger itself says about its subject, beyond where to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Signal {
    /// A GuardDuty (or imported) finding type, such as `CryptoCurrency:EC2/BitcoinTool.B`, and its severity from 1 to 10.
    Finding {
        /// The type.
        finding: Untrusted,
        /// Severity times ten, so that it compares exactly.
        severity_tenths: u16,
    },
    /// A person asked for quarantine by a custom action of this name.
    Requested {
        /// The action's name.
        action: Untrusted,
    },
}

/// What a trigger carries about instances that AWS may not show yet: starting points for reads, never facts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// The instances as the event describes them.
    pub instances: Vec<Instance>,
    /// The groups named in it.
    pub groups: Vec<GroupId>,
}

/// One thing that woke us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// What it is.
    pub kind: TriggerKind,
    /// Where it happened.
    pub scope: Scope,
    /// When, by the clock of its source.
    pub at: Timestamp,
    /// The source's id of the event, for logs; nothing is keyed on it.
    pub event: Untrusted,
    /// Where to look.
    pub subject: Subject,
    /// Who, if it says so.
    pub principal: Option<Principal>,
    /// What it says besides.
    pub signal: Option<Signal>,
    /// Starting points for reads.
    #[serde(default)]
    pub hint: Hint,
}

impl Trigger {
    /// The hour, not an event, says to look there.
    #[must_use]
    pub fn scheduled(scope: Scope, subject: Subject, at: Timestamp) -> Self {
        let (principal, signal, hint) = (None, None, Hint::default());
        Self {
            kind: TriggerKind::Schedule,
            scope,
            at,
            event: Untrusted::new("sweep"),
            subject,
            principal,
            signal,
            hint,
        }
    }
}

/// Why an event is none of our business. Each is counted by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drop {
    /// Its source or name is none that we watch.
    NotWatched,
    /// A GuardDuty sample finding.
    SampleFinding,
    /// The finding was archived.
    ArchivedFinding,
    /// The finding names nothing that we can look at.
    NoAssetInFinding,
    /// A dry run or failed call that an AWS service made in its normal work.
    ServiceProbe,
    /// A call that failed and tells nothing about a launch.
    FailedCall,
    /// A state that ends an instance, or that a launch will follow.
    StateOfNoInterest,
    /// An attribute of no interest was changed.
    AttributeOfNoInterest,
    /// Nothing in it speaks of Kubernetes.
    NoSignOfKubernetes,
}

impl fmt::Display for Drop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotWatched => "not watched",
            Self::SampleFinding => "sample finding",
            Self::ArchivedFinding => "archived finding",
            Self::NoAssetInFinding => "finding without an asset we watch",
            Self::ServiceProbe => "probe by an AWS service",
            Self::FailedCall => "failed call",
            Self::StateOfNoInterest => "state of no interest",
            Self::AttributeOfNoInterest => "attribute of no interest",
            Self::NoSignOfKubernetes => "no sign of Kubernetes",
        })
    }
}

/// What an event turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// Ours to look into.
    Trigger(Box<Trigger>),
    /// None of ours.
    Drop(Drop),
}
