//! Lock the snapshots of the case against deletion, where the policy says for how long. In governance mode: people with
//! the permission to unlock can, and a release does not.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["ec2:DescribeSnapshots", "ec2:LockSnapshot"];

/// The measure, where the policy says so.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    if subject.lock_days == 0 {
        return Vec::new();
    }
    let (instance, case, days) = (subject.facts.instance.clone(), subject.case.to_string(), subject.lock_days);
    vec![Measure::new("lock_snapshots", Change::LockSnapshots { instance, case, days }, None)]
}
