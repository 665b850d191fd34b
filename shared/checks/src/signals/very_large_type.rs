//! The largest machines: processor miners take 24xlarge and metal.

use picket_model::Observation;

use super::{Judged, Signal, yes};
use crate::policy::Policy;

/// From this multiple of `xlarge` on.
const LARGE: u32 = 16;

pub(super) const SIGNAL: Signal =
    Signal { name: "very_large_type", weight: 15, about: "the machine is 16xlarge or larger, or bare metal", judge };

fn judge(observation: &Observation, _: &Policy) -> Judged {
    let Some(kind) = observation.asset.instance_type() else { return Judged::No };
    let size = kind.as_str().split('.').nth(1).unwrap_or_default();
    let times: Option<u32> = size.strip_suffix("xlarge").and_then(|n| n.parse().ok());
    if size.starts_with("metal") || times.is_some_and(|n| n >= LARGE) {
        yes(format!("{kind} is among the largest machine types"), "instance type")
    } else {
        Judged::No
    }
}
