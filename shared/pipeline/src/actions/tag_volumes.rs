//! Tag the volumes with the case, so that whoever meets them without their instance knows where to ask.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["ec2:CreateTags"];

/// The measure, where there are volumes.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    let (instance, volumes) = (subject.facts.instance.clone(), subject.facts.volumes.clone());
    if volumes.is_empty() {
        return Vec::new();
    }
    let undo = Change::UntagVolumes { instance: instance.clone(), volumes: volumes.clone() };
    let tag = Change::TagVolumes { instance, volumes, case: subject.case.to_string() };
    vec![Measure::new("tag_volumes", tag, Some(undo))]
}
