//! Make a shutdown from inside stop the instance rather than terminate it: protection against termination does not
//! cover that.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["ec2:DescribeInstanceAttribute", "ec2:ModifyInstanceAttribute"];

/// The measure, where a shutdown would terminate.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    let facts = subject.facts;
    if facts.shutdown_behaviour != "terminate" || facts.spot {
        return Vec::new();
    }
    let set = |behaviour: &str| Change::SetShutdownBehaviour {
        instance: facts.instance.clone(),
        behaviour: behaviour.to_owned(),
    };
    vec![Measure::new("protect_shutdown", set("stop"), Some(set("terminate")))]
}
