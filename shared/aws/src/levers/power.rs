//! Stopping and starting; Spot requests; what else protects or marks what belongs to an instance.

use aws_sdk_ec2::types::{
    AttributeBooleanValue, Filter, InstanceAttributeName, LockMode, SnapshotState, SpotInstanceState, SpotInstanceType,
    Tag,
};
use picket_model::{InstanceId, Scope, Untrusted};
use picket_pipeline::ports::{Answer, Kind};

use super::{AwsLevers, CASE, INSTANCE, failed};

impl AwsLevers<'_> {
    /// `DescribeInstanceAttribute` of a flag; `ec2:DescribeInstanceAttribute`.
    pub(super) async fn attribute(
        &self,
        scope: &Scope,
        instance: &InstanceId,
        name: InstanceAttributeName,
    ) -> Answer<bool> {
        let call = self.clients.ec2(&scope.region).describe_instance_attribute().instance_id(instance.as_str());
        let answer =
            call.attribute(name).send().await.map_err(|e| failed("reading the protection of", instance, &e))?;
        let flag = answer.disable_api_stop().or_else(|| answer.disable_api_termination());
        Ok(flag.and_then(AttributeBooleanValue::value).unwrap_or(false))
    }

    /// `ModifyInstanceAttribute` of `DisableApiStop`; `ec2:ModifyInstanceAttribute`.
    pub(super) async fn protect_from_stop(&self, scope: &Scope, instance: &InstanceId, on: bool) -> Answer<()> {
        let call = self.clients.ec2(&scope.region).modify_instance_attribute().instance_id(instance.as_str());
        let sent = call.disable_api_stop(AttributeBooleanValue::builder().value(on).build()).send().await;
        sent.map(drop).map_err(|e| failed("setting the stop protection of", instance, &e))
    }

    /// `DescribeIamInstanceProfileAssociations`; `ec2:DescribeIamInstanceProfileAssociations`. The association's id and the
    /// profile's ARN.
    pub(super) async fn profile_of(
        &self,
        scope: &Scope,
        instance: &InstanceId,
    ) -> Answer<Option<(Untrusted, Untrusted)>> {
        let of = Filter::builder().name("instance-id").values(instance.as_str()).build();
        let call = self.clients.ec2(&scope.region).describe_iam_instance_profile_associations().filters(of);
        let answer = call.send().await.map_err(|e| failed("reading the instance profile of", instance, &e))?;
        let found = answer.iam_instance_profile_associations().iter().find_map(|a| {
            Some((Untrusted::new(a.association_id()?), Untrusted::new(a.iam_instance_profile()?.arn()?)))
        });
        Ok(found)
    }

    /// `DisassociateIamInstanceProfile`; `ec2:DisassociateIamInstanceProfile`. An association that is gone is done.
    pub(super) async fn remove_profile(&self, scope: &Scope, instance: &InstanceId, id: &Untrusted) -> Answer<()> {
        let call = self.clients.ec2(&scope.region).disassociate_iam_instance_profile().association_id(id.as_str());
        match call.send().await.map(drop).map_err(|e| failed("taking the instance profile off", instance, &e)) {
            Err(error) if error.kind == Kind::NotFound => Ok(()),
            answer => answer,
        }
    }

    /// `AssociateIamInstanceProfile`; `ec2:AssociateIamInstanceProfile`, `iam:PassRole`. One that is there is done.
    pub(super) async fn give_profile(&self, scope: &Scope, instance: &InstanceId, arn: &Untrusted) -> Answer<()> {
        let profile = aws_sdk_ec2::types::IamInstanceProfileSpecification::builder().arn(arn.as_str()).build();
        let call = self.clients.ec2(&scope.region).associate_iam_instance_profile();
        let sent = call.instance_id(instance.as_str()).iam_instance_profile(profile).send().await;
        match sent.map(drop).map_err(|e| failed("giving the instance profile back to", instance, &e)) {
            Err(error) if error.why.as_str().contains("existing association") => Ok(()),
            answer => answer,
        }
    }

    /// `StopInstances`; `ec2:StopInstances`. Stopping what is stopped changes nothing.
    pub(super) async fn stop(&self, scope: &Scope, instance: &InstanceId) -> Answer<()> {
        let sent = self.clients.ec2(&scope.region).stop_instances().instance_ids(instance.as_str()).send().await;
        sent.map(drop).map_err(|e| failed("stopping", instance, &e))
    }

    /// `StartInstances`; `ec2:StartInstances`. Starting what runs changes nothing.
    pub(super) async fn start(&self, scope: &Scope, instance: &InstanceId) -> Answer<()> {
        let sent = self.clients.ec2(&scope.region).start_instances().instance_ids(instance.as_str()).send().await;
        sent.map(drop).map_err(|e| failed("starting", instance, &e))
    }

    /// `DescribeSpotInstanceRequests`; `ec2:DescribeSpotInstanceRequests`. The request, if it would launch again.
    pub(super) async fn persistent_request(&self, scope: &Scope, instance: &InstanceId) -> Answer<Option<Untrusted>> {
        let of = Filter::builder().name("instance-id").values(instance.as_str()).build();
        let answer = self.clients.ec2(&scope.region).describe_spot_instance_requests().filters(of).send().await;
        let answer = answer.map_err(|e| failed("reading the Spot request of", instance, &e))?;
        let open = [SpotInstanceState::Open, SpotInstanceState::Active, SpotInstanceState::Disabled];
        let found = answer
            .spot_instance_requests()
            .iter()
            .find(|r| r.r#type() == Some(&SpotInstanceType::Persistent) && r.state().is_some_and(|s| open.contains(s)));
        Ok(found.and_then(|r| r.spot_instance_request_id()).map(Untrusted::new))
    }

    /// `CancelSpotInstanceRequests`; `ec2:CancelSpotInstanceRequests`. The instance goes on.
    pub(super) async fn cancel_spot(&self, scope: &Scope, request: &Untrusted) -> Answer<()> {
        let call = self.clients.ec2(&scope.region).cancel_spot_instance_requests();
        let sent = call.spot_instance_request_ids(request.as_str()).send().await;
        sent.map(drop).map_err(|e| failed("cancelling", request, &e))
    }

    /// `DescribeSnapshots`, `LockSnapshot`; the permissions are named alike. Governance mode: whoever may, can unlock.
    pub(super) async fn lock_snapshots(
        &self,
        scope: &Scope,
        instance: &InstanceId,
        case: &str,
        days: u16,
    ) -> Answer<()> {
        let client = self.clients.ec2(&scope.region);
        let of = |key: &str, value: &str| Filter::builder().name(format!("tag:{key}")).values(value).build();
        let call = client.describe_snapshots().owner_ids("self").filters(of(CASE, case));
        let pages = call.filters(of(INSTANCE, instance.as_str())).into_paginator().items().send();
        let found = pages.collect::<Result<Vec<_>, _>>().await;
        let found = found.map_err(|e| failed("reading the snapshots of", instance, &e))?;
        let good = found.iter().filter(|s| s.state() != Some(&SnapshotState::Error));
        for id in good.filter_map(|s| s.snapshot_id()) {
            let call = client.lock_snapshot().snapshot_id(id).lock_mode(LockMode::Governance);
            let sent = call.lock_duration(i32::from(days)).send().await;
            sent.map_err(|e| failed("locking snapshot", id, &e))?;
        }
        Ok(())
    }

    /// `CreateTags` of `picket:case` on volumes; `ec2:CreateTags`.
    pub(super) async fn tag_volumes(&self, scope: &Scope, volumes: &[Untrusted], case: &str) -> Answer<()> {
        let call = self.clients.ec2(&scope.region).create_tags();
        let call = call.set_resources(Some(volumes.iter().map(ToString::to_string).collect()));
        let sent = call.tags(Tag::builder().key(CASE).value(case).build()).send().await;
        sent.map(drop).map_err(|e| failed("tagging volumes for", case, &e))
    }

    /// `DeleteTags` of `picket:case` on volumes; `ec2:DeleteTags`. Volumes that are gone are as untagged as can be: each
    /// is asked by itself, so that one does not cost the others.
    pub(super) async fn untag_volumes(&self, scope: &Scope, volumes: &[Untrusted]) -> Answer<()> {
        for volume in volumes {
            let call = self.clients.ec2(&scope.region).delete_tags().resources(volume.as_str());
            let sent = call.tags(Tag::builder().key(CASE).build()).send().await;
            match sent.map(drop).map_err(|e| failed("untagging volume", volume, &e)) {
                Err(error) if error.kind != Kind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
