//! Copy what is known of the instance to the evidence bucket before anything else can be lost: its description and
//! attributes, protections that the attacker set included, its interfaces, its groups with their rules, and its user data.
//! A release keeps it.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &[
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeInstances",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeVolumes",
    "s3:PutObject",
];

/// The measure.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    let change = Change::KeepEvidence { instance: subject.facts.instance.clone(), case: subject.case.to_string() };
    vec![Measure::new("keep_evidence", change, None)]
}
