//! Freeze an Auto Scaling group before its instances are touched: it must neither destroy the evidence nor launch the
//! next miner. Processes are suspended rather than instances detached or put into standby: that works while they are
//! pending and at minimum size, changes no capacity, and is put back exactly.
//!
//! Guarantees: only what was running is suspended, so that only that is resumed.
//! Caveats: while a shared group is frozen it does not replace its own sick members either; the notice says so.
//! Source: EC2 Auto Scaling user guide, "Suspend and resume Auto Scaling processes".

use picket_model::{Change, InstanceId, Measure, ScalingGroup, Untrusted};

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["autoscaling:DescribeAutoScalingGroups", "autoscaling:SuspendProcesses"];

/// What would terminate a member.
const DESTROYS: [&str; 3] = ["Terminate", "ReplaceUnhealthy", "AZRebalance"];
/// What would make the group grow.
const GROWS: [&str; 4] = ["Launch", "AlarmNotification", "ScheduledActions", "InstanceRefresh"];

/// The measure for a group some of whose members are to be held; none if nothing is left to suspend. A group of which
/// all members are held is the attacker's own: it is brought to zero growth as well.
#[must_use]
pub fn plan(group: &ScalingGroup, held: &[InstanceId]) -> Option<Measure> {
    let wholly = group.members.iter().all(|m| held.contains(m));
    let wanted = DESTROYS.iter().chain(GROWS.iter().filter(|_| wholly));
    let processes: Vec<String> = wanted.map(|p| (*p).to_owned()).filter(|p| !group.suspended.contains(p)).collect();
    suspend(&group.name, processes)
}

/// The measure for these processes; none if there are none.
#[must_use]
pub fn suspend(group: &Untrusted, processes: Vec<String>) -> Option<Measure> {
    if processes.is_empty() {
        return None;
    }
    let undo = Change::ResumeProcesses { group: group.clone(), processes: processes.clone() };
    let apply = Change::SuspendProcesses { group: group.clone(), processes };
    Some(Measure::new("freeze_scaling_group", apply, Some(undo)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> InstanceId {
        InstanceId::parse(format!("i-{n:08x}")).unwrap()
    }

    fn suspended(members: &[u32], held: &[u32], already: &[&str]) -> Option<Vec<String>> {
        let group = ScalingGroup {
            name: "web".into(),
            members: members.iter().map(|n| id(*n)).collect(),
            suspended: already.iter().map(|s| (*s).to_owned()).collect(),
        };
        let held: Vec<_> = held.iter().map(|n| id(*n)).collect();
        plan(&group, &held).map(|m| match m.apply {
            Change::SuspendProcesses { processes, .. } => processes,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn a_shared_group_may_not_destroy_and_may_still_grow() {
        assert_eq!(suspended(&[1, 2], &[1], &[]).unwrap(), ["Terminate", "ReplaceUnhealthy", "AZRebalance"]);
    }

    #[test]
    fn a_group_that_is_wholly_held_may_not_grow_either() {
        assert!(suspended(&[1, 2], &[1, 2], &[]).unwrap().contains(&"Launch".to_owned()));
    }

    #[test]
    fn what_was_suspended_before_is_not_ours_to_resume() {
        assert_eq!(suspended(&[1, 2], &[1], &["Terminate"]).unwrap(), ["ReplaceUnhealthy", "AZRebalance"]);
        assert_eq!(suspended(&[1, 2], &[1], &["Terminate", "ReplaceUnhealthy", "AZRebalance"]), None);
    }
}
