//! Disable an AWS Batch compute environment whose instances are all held: it would launch more for the jobs that wait.
//! Jobs that run go on; their instances are in quarantine. A shared one goes on.

use picket_model::{Change, InstanceId, Measure, Untrusted};

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["batch:DescribeComputeEnvironments", "batch:UpdateComputeEnvironment"];

/// The measure, where all of its instances are held.
#[must_use]
pub fn plan(name: &Untrusted, members: &[InstanceId], held: &[InstanceId]) -> Option<Measure> {
    let set = |on| Change::SetComputeEnvironment { environment: name.clone(), on };
    let wholly = members.iter().all(|m| held.contains(m));
    wholly.then(|| Measure::new("freeze_compute_environment", set(false), Some(set(true))))
}
