//! What EC2 knows and changes of an instance beside its groups: attributes, metadata options, snapshots, our tag.

use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, EbsInstanceBlockDeviceSpecification, Filter, Instance,
    InstanceAttributeName, InstanceBlockDeviceMappingSpecification, InstanceLifecycleType,
    InstanceMetadataEndpointState, InstanceSpecification, InstanceStateName, ResourceType, SnapshotState, Tag,
    TagSpecification,
};
use picket_model::{InstanceId, Scope};
use picket_pipeline::ports::{Answer, Kind, PortError};

use super::{AwsLevers, CASE, INSTANCE, failed};

/// What `DescribeInstances` tells. The default is for an instance of which nothing may be read: no volume that goes
/// with it, no metadata service, no role, so that nothing is planned for them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Described {
    pub deleted_with_it: Vec<String>,
    pub metadata_endpoint: bool,
    pub spot: bool,
    /// Name of its instance profile.
    pub profile: Option<String>,
    pub vpc: Option<String>,
    gone: bool,
}

impl AwsLevers<'_> {
    /// `DescribeInstances`; `ec2:DescribeInstances`.
    pub(super) async fn described(&self, scope: &Scope, instance: &InstanceId) -> Answer<Described> {
        let doing = "reading instance";
        let call = self.clients.ec2(&scope.region).describe_instances().include_managed_resources(true);
        let answer = call.instance_ids(instance.as_str()).send().await;
        let answer = answer.map_err(|e| failed(doing, instance, &e))?;
        let found = answer.reservations().iter().flat_map(|r| r.instances()).next().map(described);
        found.ok_or_else(|| PortError::new(doing, instance, Kind::NotFound, "it is not there"))
    }

    /// `DescribeInstances`; `ec2:DescribeInstances`. Whether it is terminated or not there any more.
    pub(super) async fn is_gone(&self, scope: &Scope, instance: &InstanceId) -> Answer<bool> {
        match self.described(scope, instance).await {
            Ok(found) => Ok(found.gone),
            Err(error) if error.kind == Kind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// `DescribeInstanceAttribute` of `disableApiTermination`; `ec2:DescribeInstanceAttribute`.
    pub(super) async fn termination_protection(&self, scope: &Scope, instance: &InstanceId) -> Answer<bool> {
        let call = self.clients.ec2(&scope.region).describe_instance_attribute().instance_id(instance.as_str());
        let answer = call.attribute(InstanceAttributeName::DisableApiTermination).send().await;
        let answer = answer.map_err(|e| failed("reading the termination protection of", instance, &e))?;
        Ok(answer.disable_api_termination().and_then(AttributeBooleanValue::value).unwrap_or(false))
    }

    /// `DescribeInstanceAttribute` of `instanceInitiatedShutdownBehavior`; `ec2:DescribeInstanceAttribute`.
    pub(super) async fn shutdown_behaviour(&self, scope: &Scope, instance: &InstanceId) -> Answer<String> {
        let call = self.clients.ec2(&scope.region).describe_instance_attribute().instance_id(instance.as_str());
        let answer = call.attribute(InstanceAttributeName::InstanceInitiatedShutdownBehavior).send().await;
        let answer = answer.map_err(|e| failed("reading the shutdown behaviour of", instance, &e))?;
        let behaviour = answer.instance_initiated_shutdown_behavior().and_then(AttributeValue::value);
        Ok(behaviour.unwrap_or("stop").to_owned())
    }

    /// `ModifyInstanceAttribute` of `DisableApiTermination`; `ec2:ModifyInstanceAttribute`. AWS refuses it for Spot.
    pub(super) async fn protect(&self, scope: &Scope, instance: &InstanceId, on: bool) -> Answer<()> {
        let call = self.clients.ec2(&scope.region).modify_instance_attribute().instance_id(instance.as_str());
        let sent = call.disable_api_termination(AttributeBooleanValue::builder().value(on).build()).send().await;
        sent.map(drop).map_err(|e| failed("setting the termination protection of", instance, &e))
    }

    /// `ModifyInstanceAttribute` of `InstanceInitiatedShutdownBehavior`; `ec2:ModifyInstanceAttribute`.
    pub(super) async fn on_shutdown(&self, scope: &Scope, instance: &InstanceId, behaviour: &str) -> Answer<()> {
        let call = self.clients.ec2(&scope.region).modify_instance_attribute().instance_id(instance.as_str());
        let value = AttributeValue::builder().value(behaviour).build();
        let sent = call.instance_initiated_shutdown_behavior(value).send().await;
        sent.map(drop).map_err(|e| failed("setting the shutdown behaviour of", instance, &e))
    }

    /// `ModifyInstanceAttribute` of one block device mapping; `ec2:ModifyInstanceAttribute`. A device that was detached
    /// meanwhile is not deleted with the instance.
    pub(super) async fn delete_on_termination(
        &self,
        scope: &Scope,
        instance: &InstanceId,
        device: &str,
        on: bool,
    ) -> Answer<()> {
        let call = self.clients.ec2(&scope.region).modify_instance_attribute().instance_id(instance.as_str());
        let sent = call.block_device_mappings(mapping(device, on)).send().await;
        match sent.map_err(|e| failed("setting what becomes of the volumes of", instance, &e)) {
            Err(error) if is_detached(&error) => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// `ModifyInstanceMetadataOptions` of `HttpEndpoint` alone; `ec2:ModifyInstanceMetadataOptions`.
    pub(super) async fn metadata_endpoint(&self, scope: &Scope, instance: &InstanceId, on: bool) -> Answer<()> {
        let endpoint =
            if on { InstanceMetadataEndpointState::Enabled } else { InstanceMetadataEndpointState::Disabled };
        let call = self.clients.ec2(&scope.region).modify_instance_metadata_options().instance_id(instance.as_str());
        let sent = call.http_endpoint(endpoint).send().await;
        sent.map(drop).map_err(|e| failed("setting the metadata service of", instance, &e))
    }

    /// `DescribeSnapshots` by tags, then `CreateSnapshots`; `ec2:DescribeSnapshots`, `ec2:CreateSnapshots`, and
    /// `ec2:CreateTags` while making them. Snapshots of this case and instance that exist are enough; the list may lag
    /// behind, and a second set costs money, not evidence.
    pub(super) async fn snapshot(&self, scope: &Scope, instance: &InstanceId, case: &str) -> Answer<()> {
        let client = self.clients.ec2(&scope.region);
        let of = |key: &str, value: &str| Filter::builder().name(format!("tag:{key}")).values(value).build();
        let call = client.describe_snapshots().owner_ids("self").filters(of(CASE, case));
        let mut pages = call.filters(of(INSTANCE, instance.as_str())).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| failed("reading the snapshots of", instance, &e))?;
            if page.snapshots().iter().any(|s| s.state() != Some(&SnapshotState::Error)) {
                return Ok(());
            }
        }
        let whole = InstanceSpecification::builder().instance_id(instance.as_str()).exclude_boot_volume(false).build();
        let call = client.create_snapshots().instance_specification(whole).tag_specifications(evidence(instance, case));
        let sent = call.description(format!("Picket: evidence of {instance}, case {case}")).send().await;
        sent.map(drop).map_err(|e| failed("making snapshots of", instance, &e))
    }

    /// `CreateTags` of `picket:case`; `ec2:CreateTags`.
    pub(super) async fn tag(&self, scope: &Scope, instance: &InstanceId, key: &str, value: &str) -> Answer<()> {
        only_ours(instance, key)?;
        let call = self.clients.ec2(&scope.region).create_tags().resources(instance.as_str());
        let sent = call.tags(Tag::builder().key(CASE).value(value).build()).send().await;
        sent.map(drop).map_err(|e| failed("tagging", instance, &e))
    }

    /// `DeleteTags` of `picket:case`, whatever its value; `ec2:DeleteTags`.
    pub(super) async fn untag(&self, scope: &Scope, instance: &InstanceId, key: &str) -> Answer<()> {
        only_ours(instance, key)?;
        let call = self.clients.ec2(&scope.region).delete_tags().resources(instance.as_str());
        let sent = call.tags(Tag::builder().key(CASE).build()).send().await;
        sent.map(drop).map_err(|e| failed("untagging", instance, &e))
    }
}

fn described(from: &Instance) -> Described {
    let goes = |m: &&aws_sdk_ec2::types::InstanceBlockDeviceMapping| {
        m.ebs().and_then(|e| e.delete_on_termination()).unwrap_or(false)
    };
    let endpoint = from.metadata_options().and_then(|o| o.http_endpoint());
    let state = from.state().and_then(|s| s.name());
    let profile = from.iam_instance_profile().and_then(|p| p.arn()).and_then(|a| a.rsplit('/').next());
    Described {
        deleted_with_it: from
            .block_device_mappings()
            .iter()
            .filter(goes)
            .filter_map(|m| m.device_name())
            .map(ToOwned::to_owned)
            .collect(),
        metadata_endpoint: endpoint != Some(&InstanceMetadataEndpointState::Disabled),
        spot: from.instance_lifecycle() == Some(&InstanceLifecycleType::Spot),
        profile: profile.map(ToOwned::to_owned),
        vpc: from.vpc_id().map(ToOwned::to_owned),
        gone: matches!(state, Some(InstanceStateName::Terminated | InstanceStateName::ShuttingDown)),
    }
}

fn mapping(device: &str, on: bool) -> InstanceBlockDeviceMappingSpecification {
    let ebs = EbsInstanceBlockDeviceSpecification::builder().delete_on_termination(on).build();
    InstanceBlockDeviceMappingSpecification::builder().device_name(device).ebs(ebs).build()
}

fn evidence(instance: &InstanceId, case: &str) -> TagSpecification {
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let tags = TagSpecification::builder().resource_type(ResourceType::Snapshot).tags(tag(CASE, case));
    tags.tags(tag(INSTANCE, instance.as_str())).build()
}

fn is_detached(error: &PortError) -> bool {
    error.kind == Kind::Conflict && error.why.as_str().contains("No device is currently mapped")
}

fn only_ours(instance: &InstanceId, key: &str) -> Answer<()> {
    if key == CASE {
        return Ok(());
    }
    Err(PortError::new("tagging", instance, Kind::Other, &format!("{CASE} is the only key that we set, not {key}")))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{
        EbsInstanceBlockDevice, IamInstanceProfile, InstanceBlockDeviceMapping, InstanceMetadataOptionsResponse,
    };

    use super::*;

    fn id() -> InstanceId {
        InstanceId::parse("i-00000001").unwrap()
    }

    fn device(name: &str, on: bool) -> InstanceBlockDeviceMapping {
        let ebs = EbsInstanceBlockDevice::builder().delete_on_termination(on).build();
        InstanceBlockDeviceMapping::builder().device_name(name).ebs(ebs).build()
    }

    #[test]
    fn an_instance_is_read_as_far_as_its_measures_need() {
        let profile = IamInstanceProfile::builder().arn("arn:aws:iam::123456789012:instance-profile/a/b/node").build();
        let from = Instance::builder()
            .block_device_mappings(device("/dev/xvda", true))
            .block_device_mappings(device("/dev/sdf", false))
            .iam_instance_profile(profile)
            .instance_lifecycle(InstanceLifecycleType::Spot)
            .vpc_id("vpc-1")
            .build();
        let found = described(&from);
        assert_eq!(found.deleted_with_it, ["/dev/xvda"]);
        assert_eq!(found.profile.as_deref(), Some("node"));
        assert!(found.metadata_endpoint && found.spot && !found.gone);
    }

    #[test]
    fn a_metadata_service_that_is_off_is_left_alone() {
        let off = InstanceMetadataOptionsResponse::builder().http_endpoint(InstanceMetadataEndpointState::Disabled);
        assert!(!described(&Instance::builder().metadata_options(off.build()).build()).metadata_endpoint);
    }

    #[test]
    fn one_device_is_changed_and_only_in_what_becomes_of_it() {
        let made = mapping("/dev/xvda", false);
        assert_eq!(made.device_name(), Some("/dev/xvda"));
        let ebs = made.ebs().unwrap();
        assert_eq!((ebs.delete_on_termination(), ebs.volume_id()), (Some(false), None));
    }

    #[test]
    fn snapshots_say_of_which_case_and_instance_they_are() {
        let made = evidence(&id(), "c-1");
        assert_eq!(made.resource_type(), Some(&ResourceType::Snapshot));
        let tags: Vec<_> = made.tags().iter().map(|t| (t.key().unwrap(), t.value().unwrap())).collect();
        assert_eq!(tags, [("picket:case", "c-1"), ("picket:instance", "i-00000001")]);
    }

    #[test]
    fn no_other_tag_is_ever_set() {
        only_ours(&id(), "picket:case").unwrap();
        only_ours(&id(), "picket:quarantine").unwrap_err();
    }

    #[test]
    fn a_detached_device_is_told_from_a_wrong_one() {
        let error = |why| PortError::new("setting", "i-1", Kind::Conflict, why);
        let detached = "InvalidInstanceAttributeValue: No device is currently mapped at /dev/sdf";
        assert!(is_detached(&error(detached)));
        assert!(!is_detached(&error("IncorrectInstanceState: it is terminated")));
    }
}
