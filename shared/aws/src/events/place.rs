//! What the resources of a finding point to: ARNs, ids and names, turned into one subject.

use picket_model::{InstanceId, Scope, Subject, Untrusted};

use super::MOST_INSTANCES;

/// One thing that a finding names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// An EC2 instance.
    Instance(InstanceId),
    /// An EKS cluster, by name.
    Cluster(Untrusted),
    /// An Auto Scaling group, by name.
    AutoScalingGroup(Untrusted),
    /// A launch template, by id.
    LaunchTemplate(Untrusted),
}

/// `arn:aws:ec2:us-east-1:123456789012:instance/i-0abc1234def567890`, in parts.
pub(super) struct Arn<'a> {
    pub region: &'a str,
    pub account: &'a str,
    /// All after the fifth colon.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Its parts, if it is one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next() != Some("arn") {
            return None;
        }
        let (_partition, _service) = (parts.next()?, parts.next()?);
        Some(Self { region: parts.next()?, account: parts.next()?, resource: parts.next()? })
    }
}

/// The name at the end of an ARN, or the text itself if it is none: `instance/i-0abc` gives `i-0abc`.
pub(super) fn last_name(text: &str) -> &str {
    let resource = Arn::parse(text).map_or(text, |arn| arn.resource);
    resource.rsplit('/').next().unwrap_or(resource)
}

/// What a finding of several resources is about: its instances, else the first of the others. An instance is what can
/// be cut off; a cluster that stands beside it in the same finding only says where it runs.
pub(super) fn most_telling(places: Vec<Place>) -> Vec<Place> {
    let (mut instances, others): (Vec<_>, Vec<_>) = places.into_iter().partition(|p| matches!(p, Place::Instance(_)));
    if instances.is_empty() {
        instances.extend(others.into_iter().next());
    }
    instances
}

/// One subject for all places: instances together, or one thing of another kind.
pub(super) fn subject(places: Vec<Place>) -> Option<Subject> {
    let mut ids = Vec::new();
    for place in &places {
        match place {
            Place::Instance(id) if ids.len() < MOST_INSTANCES && !ids.contains(id) => ids.push(id.clone()),
            _ => {}
        }
    }
    if !ids.is_empty() {
        return Some(Subject::Instances(ids));
    }
    places.into_iter().find_map(|place| match place {
        Place::Instance(_) => None,
        Place::Cluster(name) => Some(Subject::Cluster(name)),
        Place::AutoScalingGroup(name) => Some(Subject::AutoScalingGroup(name)),
        Place::LaunchTemplate(id) => Some(Subject::LaunchTemplate(id)),
    })
}

/// Whether one trigger can hold them: of one scope, and all instances or all the same.
pub(super) fn fit_together(places: &[(Scope, Place)]) -> bool {
    let all_instances = places.iter().all(|(_, p)| matches!(p, Place::Instance(_)));
    let Some((scope, first)) = places.first() else { return true };
    places.iter().all(|(s, p)| s == scope && (all_instances || p == first))
}
