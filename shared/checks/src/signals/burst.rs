//! Many machines at once.

use picket_model::{Asset, Observation, Subject};

use super::{Judged, Signal, yes};
use crate::policy::Policy;

/// From how many machines in one call on.
const MANY: usize = 10;

pub(super) const SIGNAL: Signal =
    Signal { name: "burst", weight: 15, about: "ten machines or more were asked for in one call", judge };

fn judge(observation: &Observation, _: &Policy) -> Judged {
    let count = match (&observation.asset, &observation.trigger.subject) {
        (Asset::Attempt(attempt), _) => attempt.count as usize,
        (Asset::Instance(_), Subject::Instances(ids)) => ids.len(),
        _ => 0,
    };
    if count >= MANY { yes(format!("{count} machines in one call"), "the call's answer") } else { Judged::No }
}
