//! A person asked for it, through a Security Hub custom action whose name says quarantine.

use picket_model::{Observation, trigger};

use super::{Judged, Signal, yes};
use crate::policy::Policy;

pub(super) const SIGNAL: Signal = Signal {
    name: "requested",
    weight: 100,
    about: "a person chose a Security Hub custom action with `quarantine` in its name",
    judge,
};

fn judge(observation: &Observation, _: &Policy) -> Judged {
    match &observation.trigger.signal {
        Some(trigger::Signal::Requested { action }) if action.as_str().to_lowercase().contains("quarantine") => {
            yes(format!("custom action `{action}` was chosen"), "Security Hub custom action")
        }
        _ => Judged::No,
    }
}
