//! Load balancers: which target groups an instance is registered in, out of them, and back.

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::config::{Builder, Region};
use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetGroup, TargetHealthDescription, TargetHealthReasonEnum, TargetTypeEnum,
};
use futures::{StreamExt, TryStreamExt, stream};
use picket_model::{InstanceId, Scope, Untrusted};
use picket_pipeline::ports::{Answer, Kind};

use super::{AwsLevers, failed};

/// How many target groups are asked at once.
const AT_ONCE: usize = 8;

impl AwsLevers<'_> {
    fn balancing(&self, scope: &Scope) -> Client {
        let region = Region::new(scope.region.to_string());
        Client::from_conf(Builder::from(self.clients.config()).region(region).build())
    }

    /// `DescribeTargetGroups`, then `DescribeTargetHealth` of those in the instance's VPC that take instances;
    /// `elasticloadbalancing:DescribeTargetGroups`, `elasticloadbalancing:DescribeTargetHealth`. AWS cannot be asked the
    /// other way round. An instance without a VPC, or whose VPC may not be read, is in none.
    pub(super) async fn target_groups_of(
        &self,
        scope: &Scope,
        instance: &InstanceId,
        vpc: Option<&str>,
    ) -> Answer<Vec<(Untrusted, i32)>> {
        let Some(vpc) = vpc else { return Ok(Vec::new()) };
        let client = self.balancing(scope);
        let mut candidates = Vec::new();
        let mut pages = client.describe_target_groups().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| failed("listing the target groups of", scope, &e))?;
            candidates.extend(page.target_groups().iter().filter_map(|g| takes_instances_of(vpc, g)));
        }
        let asked = candidates.into_iter().map(|group| registered(&client, group, instance));
        let mut found: Vec<_> = stream::iter(asked).buffer_unordered(AT_ONCE).try_concat().await?;
        found.sort();
        Ok(found)
    }

    /// `DeregisterTargets`; `elasticloadbalancing:DeregisterTargets`. A target that is not registered, and one of a
    /// group that is gone, is out.
    pub(super) async fn deregister(
        &self,
        scope: &Scope,
        group: &Untrusted,
        instance: &InstanceId,
        port: i32,
    ) -> Answer<()> {
        let call = self.balancing(scope).deregister_targets().target_group_arn(group.as_str());
        let sent = call.targets(target(instance, port)).send().await;
        match sent.map_err(|e| failed("taking an instance out of", group, &e)) {
            Err(error) if matches!(error.kind, Kind::NotFound | Kind::Conflict) => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// `RegisterTargets`; `elasticloadbalancing:RegisterTargets`. AWS refuses an instance that does not run.
    pub(super) async fn register(
        &self,
        scope: &Scope,
        group: &Untrusted,
        instance: &InstanceId,
        port: i32,
    ) -> Answer<()> {
        let call = self.balancing(scope).register_targets().target_group_arn(group.as_str());
        let sent = call.targets(target(instance, port)).send().await;
        sent.map(drop).map_err(|e| failed("putting an instance back into", group, &e))
    }
}

async fn registered(client: &Client, group: String, instance: &InstanceId) -> Answer<Vec<(Untrusted, i32)>> {
    // All targets are asked for: an answer for the instance alone would be about the group's own port only.
    let answer = client.describe_target_health().target_group_arn(&group).send().await;
    match answer.map_err(|e| failed("reading the targets of", &group, &e)) {
        Ok(answer) => Ok(ports(instance, answer.target_health_descriptions())
            .into_iter()
            .map(|port| (Untrusted::new(&group), port))
            .collect()),
        // It was deleted since it was listed.
        Err(error) if error.kind == Kind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn takes_instances_of(vpc: &str, group: &TargetGroup) -> Option<String> {
    let wanted = group.target_type() == Some(&TargetTypeEnum::Instance) && group.vpc_id() == Some(vpc);
    group.target_group_arn().filter(|_| wanted).map(ToOwned::to_owned)
}

/// The ports under which an instance is registered; one that is leaving by itself is not.
fn ports(instance: &InstanceId, targets: &[TargetHealthDescription]) -> Vec<i32> {
    let leaving = |t: &TargetHealthDescription| {
        let reason = t.target_health().and_then(|h| h.reason());
        matches!(reason, Some(TargetHealthReasonEnum::NotRegistered | TargetHealthReasonEnum::DeregistrationInProgress))
    };
    let ours = targets.iter().filter(|t| !leaving(t)).filter_map(|t| t.target());
    ours.filter(|t| t.id() == Some(instance.as_str())).filter_map(|t| t.port()).collect()
}

fn target(instance: &InstanceId, port: i32) -> TargetDescription {
    TargetDescription::builder().id(instance.as_str()).port(port).build()
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::TargetHealth;

    use super::*;

    fn id() -> InstanceId {
        InstanceId::parse("i-00000001").unwrap()
    }

    fn seen(id: &str, port: i32, reason: Option<TargetHealthReasonEnum>) -> TargetHealthDescription {
        let target = TargetDescription::builder().id(id).port(port).build();
        let health = TargetHealth::builder().set_reason(reason).build();
        TargetHealthDescription::builder().target(target).target_health(health).build()
    }

    #[test]
    fn an_instance_is_found_under_each_of_its_ports_unless_it_is_leaving() {
        let targets = [
            seen("i-00000001", 80, None),
            seen("i-00000001", 81, Some(TargetHealthReasonEnum::InvalidState)),
            seen("i-00000001", 82, Some(TargetHealthReasonEnum::DeregistrationInProgress)),
            seen("i-00000002", 80, None),
        ];
        assert_eq!(ports(&id(), &targets), [80, 81]);
    }

    #[test]
    fn only_groups_of_instances_in_the_same_vpc_are_asked() {
        let group =
            |kind, vpc: &str| TargetGroup::builder().target_group_arn("arn:tg").target_type(kind).vpc_id(vpc).build();
        assert_eq!(takes_instances_of("vpc-1", &group(TargetTypeEnum::Instance, "vpc-1")).as_deref(), Some("arn:tg"));
        assert_eq!(takes_instances_of("vpc-1", &group(TargetTypeEnum::Instance, "vpc-2")), None);
        assert_eq!(takes_instances_of("vpc-1", &group(TargetTypeEnum::Ip, "vpc-1")), None);
    }
}
