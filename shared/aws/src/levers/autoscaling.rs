//! Auto Scaling groups: read, and freeze by suspending processes.

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::config::{Builder, Region};
use aws_sdk_autoscaling::types::AutoScalingGroup;
use picket_model::{InstanceId, ScalingGroup, Scope, Untrusted};
use picket_pipeline::ports::{Answer, Kind, PortError};

use super::{AwsLevers, failed};

impl AwsLevers<'_> {
    fn scaling(&self, scope: &Scope) -> Client {
        let region = Region::new(scope.region.to_string());
        Client::from_conf(Builder::from(self.clients.config()).region(region).build())
    }

    /// `DescribeAutoScalingGroups`; `autoscaling:DescribeAutoScalingGroups`.
    pub(super) async fn described_group(&self, scope: &Scope, name: &Untrusted) -> Answer<ScalingGroup> {
        let doing = "reading Auto Scaling group";
        let call = self.scaling(scope).describe_auto_scaling_groups().auto_scaling_group_names(name.as_str());
        let answer = call.send().await.map_err(|e| failed(doing, name, &e))?;
        let found = answer.auto_scaling_groups().first().map(|g| group(name, g));
        found.ok_or_else(|| PortError::new(doing, name, Kind::NotFound, "it is not there"))
    }

    /// `SuspendProcesses`; `autoscaling:SuspendProcesses`. Suspending what is suspended changes nothing.
    pub(super) async fn suspend(&self, scope: &Scope, group: &Untrusted, processes: &[String]) -> Answer<()> {
        // AWS takes no processes for all of them.
        if processes.is_empty() {
            return Ok(());
        }
        let call = self.scaling(scope).suspend_processes().auto_scaling_group_name(group.as_str());
        let sent = call.set_scaling_processes(Some(processes.to_vec())).send().await;
        sent.map(drop).map_err(|e| failed("suspending processes of Auto Scaling group", group, &e))
    }

    /// `ResumeProcesses`; `autoscaling:ResumeProcesses`. Resuming what runs changes nothing.
    pub(super) async fn resume(&self, scope: &Scope, group: &Untrusted, processes: &[String]) -> Answer<()> {
        if processes.is_empty() {
            return Ok(());
        }
        let call = self.scaling(scope).resume_processes().auto_scaling_group_name(group.as_str());
        let sent = call.set_scaling_processes(Some(processes.to_vec())).send().await;
        sent.map(drop).map_err(|e| failed("resuming processes of Auto Scaling group", group, &e))
    }
}

fn group(name: &Untrusted, from: &AutoScalingGroup) -> ScalingGroup {
    let suspended = from.suspended_processes().iter().filter_map(|p| p.process_name());
    ScalingGroup {
        name: name.clone(),
        members: from.instances().iter().filter_map(|i| InstanceId::parse(i.instance_id()?).ok()).collect(),
        suspended: suspended.map(ToOwned::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_autoscaling::types::{Instance, SuspendedProcess};

    use super::*;

    #[test]
    fn a_group_is_its_members_and_what_is_suspended_already() {
        let from = AutoScalingGroup::builder()
            .instances(Instance::builder().instance_id("i-00000001").build())
            .instances(Instance::builder().instance_id("mi-not-of-ec2").build())
            .suspended_processes(SuspendedProcess::builder().process_name("AZRebalance").build())
            .build();
        let found = group(&"web".into(), &from);
        assert_eq!(found.members, [InstanceId::parse("i-00000001").unwrap()]);
        assert_eq!(found.suspended, ["AZRebalance"]);
    }
}
