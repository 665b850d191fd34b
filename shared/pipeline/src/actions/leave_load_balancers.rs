//! Take the instance out of its target groups, so that no user is sent to it, and no controller opens the quarantine
//! group for its health checks.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &[
    "elasticloadbalancing:DeregisterTargets",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
];

/// One measure for each target group.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    let of = |(target_group, port): &(picket_model::Untrusted, i32)| {
        let (target_group, instance, port) = (target_group.clone(), subject.facts.instance.clone(), *port);
        let back = Change::Register { target_group: target_group.clone(), instance: instance.clone(), port };
        Measure::new("leave_load_balancers", Change::Deregister { target_group, instance, port }, Some(back))
    };
    subject.facts.target_groups.iter().map(of).collect()
}
