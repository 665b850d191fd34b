//! New interfaces of a subnet get no public address by themselves. Those that have one keep it.
//! Guard: node groups of EKS in a public subnet cannot start nodes without one.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "ec2_subnet_no_public_address",
    &["autoscaling:DescribeAutoScalingGroups", "ec2:DescribeSubnets", "ec2:ModifySubnetAttribute"],
    plan,
);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let groups = seen.fact_strings("node_groups");
    if let (Some(first), true) = (groups.first(), Seen::flag(seen.now, "on")?) {
        return Err(Not::Guarded(format!(
            "node group {first} starts its nodes here and needs their public addresses; move it to a private subnet first"
        )));
    }
    set(seen.now, &[("on", json!(false))])
}
