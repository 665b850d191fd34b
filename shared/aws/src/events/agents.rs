//! Callers that are parts of a Kubernetes cluster or make one, by what they call themselves in `userAgent`. It can be
//! forged, so it only says where to look. The session of a role is usually named after the instance that it serves:
//! such a call names a node that bears no tag at all.

use picket_model::{Hint, InstanceId, Subject, Untrusted};

use super::cloudtrail::{Look, Record};
use super::fields::Fields;
use super::malformed::Malformed;

/// What the user agent holds, and what it is. The rule `KubernetesCallers` of infra/triggers.yaml lets the same through.
pub(super) const AGENTS: &[(&str, &str)] = &[
    ("amazon-vpc-cni-k8s", "the VPC CNI"),
    ("aws-ebs-csi-driver", "the EBS CSI driver"),
    ("aws.cluster.x-k8s.io", "Cluster API"),
    ("cluster-autoscaler/", "the cluster autoscaler"),
    ("eksctl/", "eksctl"),
    ("elbv2.k8s.aws/", "the load-balancer controller"),
    ("karpenter.sh", "Karpenter"),
    ("kops/", "kops"),
    ("kubernetes/v", "the cloud controller of Kubernetes"),
];

/// Which part of Kubernetes a user agent is.
pub(super) fn component(user_agent: &str) -> Option<&'static str> {
    AGENTS.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, what)| *what)
}

/// The instance that a role's session is named after: `assumed-role/nodes/i-0abc1234def567890`.
pub(super) fn session_instance(record: &Fields<'_>) -> Option<InstanceId> {
    let identity = record.within("userIdentity");
    let arn = identity.text("arn").filter(|arn| arn.contains(":assumed-role/")).and_then(|arn| arn.rsplit('/').next());
    let id = || identity.text("principalId").and_then(|id| id.rsplit(':').next());
    arn.and_then(|name| name.parse().ok()).or_else(|| id()?.parse().ok())
}

/// A change that is watched only because of who makes it: the caller's own instance, or a sign.
pub(super) fn by_kubernetes(record: &Record<'_>) -> Result<Look, Malformed> {
    let named = record.request().id("instanceId");
    if let Some(node) = session_instance(&record.fields).or(named) {
        return Ok(Look::At(Subject::Instances(vec![node]), Hint::default()));
    }
    let words = vec![record.fields.untrusted("userAgent").unwrap_or_default()];
    Ok(Look::At(Subject::Sign { words, instances: Vec::new() }, Hint::default()))
}

/// The names at these paths and the keys of the tags at `tags`, cleaned.
pub(super) fn words(part: &Fields<'_>, names: &[&str], tags: &[&str]) -> Vec<Untrusted> {
    let named = names.iter().filter_map(|path| part.untrusted(path));
    let keys = tags.iter().flat_map(|path| part.list(path)).filter_map(|tag| tag.untrusted("key"));
    named.chain(keys).take(100).collect()
}
