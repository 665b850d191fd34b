//! EC2 calls by which a machine or a network piece becomes part of something: interfaces, profiles, groups, tags.
//! What speaks of Kubernetes is not judged here; the words travel as a sign.

use picket_model::{Drop, Hint, InstanceId, Subject, Untrusted};

use super::MOST_INSTANCES;
use super::agents::{component, session_instance, words};
use super::cloudtrail::{Look, Record};
use super::ec2::{at, unwrapped};
use super::malformed::Malformed;

/// The VPC CNI's mark on the interfaces that it makes.
const NODE_TAG: &str = "node.k8s.amazonaws.com/instance_id";
/// What it calls them; the instance follows.
const CNI_NAME: &str = "aws-K8S-";
/// What EKS calls the interfaces of a control plane; the cluster follows, and it may be another account's.
const EKS_NAME: &str = "Amazon EKS ";

/// `AssociateIamInstanceProfile`.
pub(super) fn profile(record: &Record<'_>) -> Result<Look, Malformed> {
    let request = unwrapped(record.request(), "AssociateIamInstanceProfileRequest");
    at(Subject::Instances(vec![request.need_id("instanceId")?]))
}

/// `AttachNetworkInterface`.
pub(super) fn attach_interface(record: &Record<'_>) -> Result<Look, Malformed> {
    at(Subject::Instances(vec![record.request().need_id("instanceId")?]))
}

/// `CreateReplaceRootVolumeTask`: a running machine gets another system.
pub(super) fn replace_root(record: &Record<'_>) -> Result<Look, Malformed> {
    let request = unwrapped(record.request(), "CreateReplaceRootVolumeTaskRequest");
    at(Subject::Instances(vec![request.need_id("instanceId")?]))
}

/// `CreateNetworkInterface`: by a node's CNI, or by EKS for a control plane. All others are left.
pub(super) fn create_interface(record: &Record<'_>) -> Result<Look, Malformed> {
    let (request, reply) = (record.request(), record.reply().within("networkInterface"));
    let description = request.text("description").or_else(|| reply.text("description")).unwrap_or_default();
    let named = description.strip_prefix(CNI_NAME).and_then(|id| id.parse().ok());
    let tags = reply.list("tagSet");
    let tagged = tags.iter().find(|t| t.text("key") == Some(NODE_TAG)).and_then(|t| t.id("value"));
    let by_cni = record.fields.text("userAgent").and_then(component).is_some();
    let node: Option<InstanceId> = tagged.or(named).or_else(|| session_instance(&record.fields).filter(|_| by_cni));
    match node {
        Some(node) => at(Subject::Instances(vec![node])),
        None if description.starts_with(EKS_NAME) || by_cni => {
            let words = vec![Untrusted::new(description), record.fields.untrusted("userAgent").unwrap_or_default()];
            at(Subject::Sign { words, instances: Vec::new() })
        }
        None => Ok(Look::Nowhere(Drop::NoSignOfKubernetes)),
    }
}

/// `CreateSecurityGroup`: its name, its description, and the keys of its tags.
pub(super) fn create_group(record: &Record<'_>) -> Result<Look, Malformed> {
    let request = record.request();
    let mut all = words(&request, &["groupName", "groupDescription", "description"], &["tagSet"]);
    all.extend(request.list("tagSpecificationSet").iter().flat_map(|set| words(set, &[], &["tags"])));
    at(Subject::Sign { words: all, instances: Vec::new() })
}

/// `CreateTags`: the keys, and the instances that get them.
pub(super) fn create_tags(record: &Record<'_>) -> Result<Look, Malformed> {
    let request = record.request();
    let resources = request.list("resourcesSet");
    let named = resources.iter().filter_map(|r| r.text("resourceId").or_else(|| r.as_text()));
    let instances = named.filter_map(|id| id.parse().ok()).take(MOST_INSTANCES).collect();
    at(Subject::Sign { words: words(&request, &[], &["tagSet"]), instances })
}

/// `ModifyFleet`: how many it is to have.
pub(super) fn modify_fleet(record: &Record<'_>) -> Result<Look, Malformed> {
    let request = unwrapped(record.request(), "ModifyFleetRequest");
    at(Subject::Fleet(Untrusted::new(request.need_text("fleetId", "the id of the fleet")?)))
}

/// `ModifySpotFleetRequest`: how many it is to have.
pub(super) fn modify_spot_fleet(record: &Record<'_>) -> Result<Look, Malformed> {
    let request = unwrapped(record.request(), "ModifySpotFleetRequestRequest");
    let id = request.need_text("spotFleetRequestId", "the id of the Spot fleet request")?;
    Ok(Look::At(Subject::Fleet(Untrusted::new(id)), Hint::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_cni_and_of_eks_are_as_they_are_documented() {
        assert_eq!("aws-K8S-i-0abc1234def567890".strip_prefix(CNI_NAME), Some("i-0abc1234def567890"));
        assert!("Amazon EKS prod".starts_with(EKS_NAME));
    }
}
