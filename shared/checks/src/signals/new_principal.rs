//! A caller that never launched anything here before.

use picket_model::Observation;

use super::{Judged, Signal, is_launch, newly_seen};
use crate::policy::Policy;

pub(super) const SIGNAL: Signal = Signal {
    name: "new_principal",
    weight: 15,
    about: "the caller never launched anything in this account before",
    judge,
};

fn judge(observation: &Observation, policy: &Policy) -> Judged {
    match &observation.trigger.principal {
        Some(principal) if is_launch(observation) && !principal.is_aws_service() => {
            newly_seen(&principal.to_string(), &observation.principal_since, observation, policy)
        }
        _ => Judged::No,
    }
}
