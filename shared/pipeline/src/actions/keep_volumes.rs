//! Keep the volumes when the instance goes.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["ec2:DescribeInstances", "ec2:ModifyInstanceAttribute"];

/// One measure for each volume that would be deleted.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    let facts = subject.facts;
    let set = |device: &str, on| Change::SetDeleteOnTermination {
        instance: facts.instance.clone(),
        device: device.to_owned(),
        on,
    };
    let measure = |d: &String| Measure::new("keep_volumes", set(d, false), Some(set(d, true)));
    facts.deleted_with_it.iter().map(measure).collect()
}
