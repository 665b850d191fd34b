//! What a scan needs of the world: reads of one account, Region by Region, each of them named after the permission that
//! it takes. `picket scan --print-policy` is made from the same list, so that it grants all that is read and no more.

use async_trait::async_trait;
use picket_model::landscape::{Machine, Sight};
use picket_model::{Instance, InstanceId, Scope, Untrusted};

use crate::ports::{Answer, Kind, PortError};

/// A read that a scan makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// The permission, as IAM names it.
    pub action: &'static str,
    /// What cannot be seen without it.
    pub shows: &'static str,
}

/// All reads of one account, alphabetical by permission. The readers name these and no others.
#[rustfmt::skip]
pub const READS: &[Read] = &[
    Read { action: "autoscaling:DescribeAutoScalingGroups", shows: "Auto Scaling groups and their tags" },
    Read { action: "cloudtrail:LookupEvents", shows: "who made a cluster, and which parts of Kubernetes call AWS" },
    Read { action: "ec2:DescribeImages", shows: "the names and owners of images" },
    Read { action: "ec2:DescribeInstanceAttribute", shows: "the user data of instances" },
    Read { action: "ec2:DescribeInstances", shows: "instances" },
    Read { action: "ec2:DescribeLaunchTemplateVersions", shows: "the user data of launch templates" },
    Read { action: "ec2:DescribeLaunchTemplates", shows: "launch templates and their tags" },
    Read { action: "ec2:DescribeNetworkInterfaces", shows: "interfaces, those of EKS control planes included" },
    Read { action: "ec2:DescribeRegions", shows: "which Regions are enabled" },
    Read { action: "ec2:DescribeSecurityGroups", shows: "security groups and their rules: who can reach a cluster" },
    Read { action: "ec2:DescribeSubnets", shows: "the tags of subnets" },
    Read { action: "ec2:DescribeVolumes", shows: "the tags of volumes" },
    Read { action: "ec2:GetManagedPrefixListEntries", shows: "what is in prefix lists" },
    Read { action: "eks:DescribeCluster", shows: "the endpoints and versions of EKS clusters" },
    Read { action: "eks:ListClusters", shows: "EKS clusters" },
    Read { action: "eks:ListFargateProfiles", shows: "Fargate profiles" },
    Read { action: "eks:ListNodegroups", shows: "node groups" },
    Read { action: "elasticloadbalancing:DescribeListeners", shows: "the ports of load balancers" },
    Read { action: "elasticloadbalancing:DescribeLoadBalancers", shows: "load balancers" },
    Read { action: "elasticloadbalancing:DescribeTags", shows: "the tags of load balancers" },
    Read { action: "elasticloadbalancing:DescribeTargetGroups", shows: "what load balancers lead to" },
    Read { action: "elasticloadbalancing:DescribeTargetHealth", shows: "which machines are behind a load balancer" },
    Read { action: "events:ListRules", shows: "the names of EventBridge rules" },
    Read { action: "iam:GetInstanceProfile", shows: "the roles of instances" },
    Read { action: "iam:ListAttachedRolePolicies", shows: "the policies of the roles of instances" },
    Read { action: "iam:ListOpenIDConnectProviders", shows: "providers of identities for pods" },
    Read { action: "route53:ListHostedZones", shows: "zones of DNS" },
    Read { action: "route53:ListResourceRecordSets", shows: "DNS records, such as those of API servers" },
    Read { action: "s3:ListAllMyBuckets", shows: "the names of buckets" },
    Read { action: "secretsmanager:ListSecrets", shows: "the names of secrets that tools of Kubernetes leave" },
    Read { action: "sqs:ListQueues", shows: "the names of queues" },
    Read { action: "ssm:DescribeParameters", shows: "the names of parameters that tools of Kubernetes leave" },
    Read { action: "ssm:GetInventory", shows: "which programs Systems Manager found on machines" },
    Read { action: "tag:GetResources", shows: "the tags of buckets" },
];

/// Reads that only a scan of a whole organization makes, in the account that it starts from.
pub const READS_OF_ORGANIZATION: &[Read] = &[
    Read { action: "organizations:ListAccounts", shows: "the accounts of the organization" },
    Read { action: "sts:AssumeRole", shows: "the other accounts" },
];

/// A kind of thing that is read by itself, and may be missing by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Who calls AWS.
    Agents,
    /// Load balancers.
    Balancers,
    /// Buckets.
    Buckets,
    /// Load balancers of the first generation.
    ClassicBalancers,
    /// What EKS tells.
    Clusters,
    /// Security groups.
    Groups,
    /// Network interfaces.
    Links,
    /// Providers of identities.
    Oidc,
    /// Names of parameters.
    Parameters,
    /// Subnets.
    Places,
    /// Names of queues.
    Queues,
    /// Records of DNS.
    Records,
    /// Names of rules of EventBridge.
    Rules,
    /// Auto Scaling groups.
    ScalingTiers,
    /// Names of secrets.
    Secrets,
    /// Launch templates.
    Templates,
    /// Volumes.
    Volumes,
}

impl Part {
    /// All of them, in the order in which they are begun: what tells most comes first.
    pub const ALL: &'static [Self] = &[
        Self::Clusters,
        Self::ScalingTiers,
        Self::Templates,
        Self::Groups,
        Self::Balancers,
        Self::ClassicBalancers,
        Self::Links,
        Self::Oidc,
        Self::Volumes,
        Self::Places,
        Self::Rules,
        Self::Queues,
        Self::Buckets,
        Self::Secrets,
        Self::Parameters,
        Self::Records,
        Self::Agents,
    ];

    /// What it is called.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Agents => "the callers of AWS",
            Self::Balancers => "load balancers",
            Self::Buckets => "buckets",
            Self::ClassicBalancers => "classic load balancers",
            Self::Clusters => "EKS clusters",
            Self::Groups => "security groups",
            Self::Links => "network interfaces",
            Self::Oidc => "providers of identities",
            Self::Parameters => "names of parameters",
            Self::Places => "subnets",
            Self::Queues => "names of queues",
            Self::Rules => "names of rules",
            Self::Records => "DNS records",
            Self::Secrets => "names of secrets",
            Self::ScalingTiers => "Auto Scaling groups",
            Self::Templates => "launch templates",
            Self::Volumes => "volumes",
        }
    }
}

/// An instance, in full and as the judgement takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spotted {
    /// In full.
    pub instance: Instance,
    /// For the judgement.
    pub machine: Machine,
}

/// Something of which it is asked who made it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// A cluster of EKS, by its name.
    Cluster(Untrusted),
    /// An instance.
    Instance(InstanceId),
    /// An Auto Scaling group, by its name.
    ScalingTier(Untrusted),
}

/// A page of instances, and what the next page begins with.
pub type Page = (Vec<Spotted>, Option<String>);

/// Takes what is seen, one by one, as it comes.
pub type See<'a> = &'a (dyn Fn(Sight) + Send + Sync);

/// Reads one account. Every failed read is an error of its own, and costs nothing else.
#[async_trait]
pub trait Lookout: Send + Sync {
    /// A page of the instances that are not gone.
    async fn machines(&self, scope: &Scope, after: Option<&str>) -> Answer<Page>;
    /// The user data of an instance, as AWS holds it.
    async fn user_data(&self, scope: &Scope, of: &InstanceId) -> Answer<Option<String>>;
    /// All of one kind.
    async fn sights(&self, scope: &Scope, part: Part, see: See<'_>) -> Answer<()>;
    /// These images.
    async fn images(&self, scope: &Scope, ids: &[Untrusted], see: See<'_>) -> Answer<()>;
    /// The roles of these instance profiles, given by ARN.
    async fn roles(&self, scope: &Scope, profiles: &[Untrusted], see: See<'_>) -> Answer<()>;
    /// What is in these prefix lists.
    async fn prefix_lists(&self, scope: &Scope, ids: &[Untrusted], see: See<'_>) -> Answer<()>;
    /// The programs that tell of Kubernetes, and on which machines they were found.
    async fn programs(&self, scope: &Scope) -> Answer<Vec<(InstanceId, Untrusted)>>;
    /// Who launched instances lately, by a few pages of CloudTrail's history: the ARNs.
    async fn launchers(&self, scope: &Scope) -> Answer<Vec<(InstanceId, Untrusted)>>;
    /// Who made a thing, by CloudTrail's history of 90 days: the ARN.
    async fn maker(&self, scope: &Scope, of: &Origin) -> Answer<Option<Untrusted>>;
    /// How many calls were made so far in this Region.
    fn calls(&self, scope: &Scope) -> usize;
}

/// Why something cannot be seen, in words that say what to grant.
#[must_use]
pub fn reason(error: &PortError) -> String {
    if error.kind != Kind::Denied {
        return error.why.to_string();
    }
    let action = denied_action(error).unwrap_or_else(|| error.what.clone());
    let by = match error.why.as_str() {
        why if why.contains("service control policy") => " by a policy of the organization",
        why if why.contains("explicit deny") => " by an explicit deny",
        _ => "",
    };
    format!("{action} was denied{by}")
}

/// The permission that a refusal names: `… is not authorized to perform: ec2:DescribeVolumes on resource …`.
fn denied_action(error: &PortError) -> Option<String> {
    let rest = error.why.as_str().split("perform: ").nth(1)?;
    let action: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-')).collect();
    action.contains(':').then_some(action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_read_is_listed_once_in_order_and_changes_nothing() {
        let actions: Vec<_> = READS.iter().map(|r| r.action).collect();
        let mut sorted = actions.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(actions, sorted);
        for action in actions {
            let verb = action.split(':').nth(1).unwrap();
            assert!(["Describe", "Get", "List", "Lookup"].iter().any(|v| verb.starts_with(v)), "{action}");
        }
    }

    #[test]
    fn the_role_in_other_accounts_is_granted_the_same_reads() {
        let template = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/member.yaml"));
        let lines = template.lines().map(str::trim).skip_while(|line| *line != "Action:").skip(1);
        let granted: Vec<_> = lines.map_while(|line| line.strip_prefix("- ")).collect();
        assert_eq!(granted, READS.iter().map(|r| r.action).collect::<Vec<_>>());
    }

    #[test]
    fn a_refusal_says_which_permission_to_grant() {
        let refused = |why: &str| reason(&PortError::new("reading by", "ec2:DescribeVolumes", Kind::Denied, why));
        let long = "UnauthorizedOperation: You are not authorized to perform this operation. User: x is not authorized to \
                    perform: ec2:DescribeVolumes with an explicit deny in a service control policy";
        assert_eq!(refused(long), "ec2:DescribeVolumes was denied by a policy of the organization");
        assert_eq!(refused("AccessDenied: no"), "ec2:DescribeVolumes was denied");
        let slow = PortError::new("reading by", "ec2:DescribeVolumes", Kind::Transient, "AWS did not answer in time");
        assert_eq!(reason(&slow), "AWS did not answer in time");
    }
}
