//! A type of instance that this account never ran before.

use picket_model::{Asset, Observation};

use super::{Judged, Signal, newly_seen};
use crate::policy::Policy;

pub(super) const SIGNAL: Signal =
    Signal { name: "new_type", weight: 5, about: "the account never ran this type of instance before", judge };

fn judge(observation: &Observation, policy: &Policy) -> Judged {
    let Asset::Instance(instance) = &observation.asset else { return Judged::No };
    newly_seen(&format!("type {}", instance.instance_type), &observation.type_since, observation, policy)
}
