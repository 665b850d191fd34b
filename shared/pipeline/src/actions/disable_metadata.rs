//! Close the metadata service: security groups do not reach it, and it hands out the role's credentials.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["ec2:DescribeInstances", "ec2:ModifyInstanceMetadataOptions"];

/// The measure, where the service answers.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    if !subject.facts.metadata_endpoint {
        return Vec::new();
    }
    let set = |on| Change::SetMetadataEndpoint { instance: subject.facts.instance.clone(), on };
    vec![Measure::new("disable_metadata", set(false), Some(set(true)))]
}
