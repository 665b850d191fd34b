//! Protect the instance against termination by API, so that nobody destroys the evidence. Protection that was there,
//! perhaps set by the attacker, is left as it is and not taken away by a release.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["ec2:DescribeInstanceAttribute", "ec2:ModifyInstanceAttribute"];

/// The measure; Spot instances cannot be protected.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    let facts = subject.facts;
    if facts.termination_protection || facts.spot {
        return Vec::new();
    }
    let set = |on| Change::SetTerminationProtection { instance: facts.instance.clone(), on };
    vec![Measure::new("protect_termination", set(true), Some(set(false)))]
}
