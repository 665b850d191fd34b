//! ECS capacity providers and AWS Batch compute environments: they size the Auto Scaling group that instances are in.

use aws_sdk_batch::types::CeState;
use aws_sdk_ecs::types::{AutoScalingGroupProviderUpdate, CapacityProvider, ManagedScaling, ManagedScalingStatus};
use picket_model::{Owner, ScalingGroup, Scope, Untrusted};
use picket_pipeline::ports::{Answer, Kind, PortError};

use super::{AwsLevers, failed};

impl AwsLevers<'_> {
    fn ecs(&self, scope: &Scope) -> aws_sdk_ecs::Client {
        aws_sdk_ecs::Client::new(&self.clients.in_region(&scope.region))
    }

    fn batch(&self, scope: &Scope) -> aws_sdk_batch::Client {
        aws_sdk_batch::Client::new(&self.clients.in_region(&scope.region))
    }

    async fn providers(&self, scope: &Scope, named: Option<&Untrusted>) -> Answer<Vec<CapacityProvider>> {
        let client = self.ecs(scope);
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let call = client.describe_capacity_providers().set_next_token(next);
            let call = call.set_capacity_providers(named.map(|n| vec![n.to_string()]));
            let answer = call.send().await.map_err(|e| failed("reading the capacity providers of", scope, &e))?;
            found.extend(answer.capacity_providers.unwrap_or_default());
            next = answer.next_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// `DescribeCapacityProviders`; `ecs:DescribeCapacityProviders`. Those that size this group by themselves.
    pub(super) async fn capacity_providers(&self, scope: &Scope, group: &ScalingGroup) -> Answer<Vec<Owner>> {
        let found = self.providers(scope, None).await?;
        let ours = found.iter().filter(|p| sizes(p, &group.name) && scales(p));
        let owner = |p: &CapacityProvider| {
            Some(Owner::CapacityProvider { name: Untrusted::new(p.name()?), members: group.members.clone() })
        };
        Ok(ours.filter_map(owner).collect())
    }

    /// `DescribeCapacityProviders`, `UpdateCapacityProvider`; the permissions are named alike. Its other settings are
    /// sent as they are: what is left out may fall back to AWS's defaults.
    pub(super) async fn set_capacity_provider(&self, scope: &Scope, name: &Untrusted, on: bool) -> Answer<()> {
        let doing = "setting capacity provider";
        let found = self.providers(scope, Some(name)).await?.into_iter().next();
        let found = found.ok_or_else(|| PortError::new(doing, name, Kind::NotFound, "it is not there"))?;
        if scales(&found) == on {
            return Ok(());
        }
        let now = found.auto_scaling_group_provider().and_then(|g| g.managed_scaling());
        let status = if on { ManagedScalingStatus::Enabled } else { ManagedScalingStatus::Disabled };
        let next = ManagedScaling::builder()
            .status(status)
            .set_target_capacity(now.and_then(|n| n.target_capacity()))
            .set_minimum_scaling_step_size(now.and_then(|n| n.minimum_scaling_step_size()))
            .set_maximum_scaling_step_size(now.and_then(|n| n.maximum_scaling_step_size()))
            .set_instance_warmup_period(now.and_then(|n| n.instance_warmup_period()))
            .build();
        let update = AutoScalingGroupProviderUpdate::builder().managed_scaling(next).build();
        let call = self.ecs(scope).update_capacity_provider().name(name.as_str()).auto_scaling_group_provider(update);
        call.send().await.map(drop).map_err(|e| failed(doing, name, &e))
    }

    /// `DescribeComputeEnvironments`; `batch:DescribeComputeEnvironments`. Batch names its scaling groups after the
    /// environment.
    pub(super) async fn compute_environments(&self, scope: &Scope, group: &ScalingGroup) -> Answer<Vec<Owner>> {
        let pages = self.batch(scope).describe_compute_environments().into_paginator().items().send();
        let found = pages.collect::<Result<Vec<_>, _>>().await;
        let found = found.map_err(|e| failed("reading the compute environments of", scope, &e))?;
        let enabled = found.iter().filter(|e| e.state() == Some(&CeState::Enabled));
        let names = enabled.filter_map(|e| e.compute_environment_name());
        let ours = names.filter(|name| is_named_after(&group.name, name));
        let owner = |name| Owner::ComputeEnvironment { name: Untrusted::new(name), members: group.members.clone() };
        Ok(ours.map(owner).collect())
    }

    /// `UpdateComputeEnvironment`; `batch:UpdateComputeEnvironment`.
    pub(super) async fn set_compute_environment(&self, scope: &Scope, name: &Untrusted, on: bool) -> Answer<()> {
        let state = if on { CeState::Enabled } else { CeState::Disabled };
        let call = self.batch(scope).update_compute_environment().compute_environment(name.as_str()).state(state);
        match call.send().await.map(drop).map_err(|e| failed("setting compute environment", name, &e)) {
            // Batch has one code for everything that the caller could have known.
            Err(error) if error.why.as_str().contains("being modified") => {
                Err(PortError { kind: Kind::Transient, ..error })
            }
            Err(error) if error.why.as_str().contains("does not exist") => {
                Err(PortError { kind: Kind::NotFound, ..error })
            }
            answer => answer,
        }
    }
}

fn sizes(provider: &CapacityProvider, group: &Untrusted) -> bool {
    let arn = provider.auto_scaling_group_provider().map(|g| g.auto_scaling_group_arn());
    arn.is_some_and(|a| a.rsplit('/').next() == Some(group.as_str()))
}

fn scales(provider: &CapacityProvider) -> bool {
    let scaling = provider.auto_scaling_group_provider().and_then(|g| g.managed_scaling());
    scaling.and_then(|s| s.status()) == Some(&ManagedScalingStatus::Enabled)
}

fn is_named_after(group: &Untrusted, environment: &str) -> bool {
    let rest = group.as_str().strip_prefix(environment);
    rest.is_some_and(|r| r.starts_with("-asg-") || r.starts_with("_Batch_"))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::AutoScalingGroupProvider;

    use super::*;

    #[test]
    fn a_provider_is_known_by_its_scaling_group() {
        let arn = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:0-1:autoScalingGroupName/ecs";
        let group = AutoScalingGroupProvider::builder().auto_scaling_group_arn(arn).build().unwrap();
        let provider = CapacityProvider::builder().name("cp").auto_scaling_group_provider(group).build();
        assert!(sizes(&provider, &"ecs".into()));
        assert!(!sizes(&provider, &"cs".into()));
        assert!(!scales(&provider));
    }

    #[test]
    fn a_compute_environment_is_known_by_the_name_of_its_scaling_group() {
        assert!(is_named_after(&"jobs-asg-0e1f".into(), "jobs"));
        assert!(!is_named_after(&"jobs-asg-0e1f".into(), "job"));
        assert!(!is_named_after(&"jobs2-asg-0e1f".into(), "jobs"));
    }
}
