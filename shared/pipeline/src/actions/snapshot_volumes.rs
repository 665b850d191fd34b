//! Take crash-consistent snapshots of all volumes at once, tagged with the case. They are evidence: a release keeps them.
//! Caveats: instance store volumes are not covered by any snapshot.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["ec2:CreateSnapshots", "ec2:CreateTags", "ec2:DescribeSnapshots"];

/// The measure.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    let change = Change::Snapshot { instance: subject.facts.instance.clone(), case: subject.case.to_string() };
    vec![Measure::new("snapshot_volumes", change, None)]
}
