//! Stop the instance: the last rung, for connections that nothing else ends, where the policy allows it and once the
//! evidence is kept. Protection against stopping, perhaps set by the attacker, is taken off first and comes back.
//!
//! Caveats: memory and instance stores are lost. AWS refuses it for instances without an EBS root and for one-time Spot.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["ec2:DescribeInstanceAttribute", "ec2:ModifyInstanceAttribute", "ec2:StopInstances"];

/// The measures, where something is left that only this ends.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    if !subject.stop {
        return Vec::new();
    }
    let instance = || subject.facts.instance.clone();
    let protect = |on| Change::SetStopProtection { instance: instance(), on };
    let stop = Measure::new(
        "stop_instance",
        Change::Stop { instance: instance() },
        Some(Change::Start { instance: instance() }),
    );
    let unprotect = Measure::new("stop_instance", protect(false), Some(protect(true)));
    if subject.facts.stop_protection { vec![unprotect, stop] } else { vec![stop] }
}
