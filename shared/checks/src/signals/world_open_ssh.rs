//! Remote logins are open to the world.

use picket_model::Observation;

use super::{Judged, Signal, open_to};
use crate::policy::Policy;

/// SSH and RDP.
const PORTS: &[u16] = &[22, 3389];

pub(super) const SIGNAL: Signal =
    Signal { name: "world_open_ssh", weight: 8, about: "the world can reach SSH or RDP", judge };

fn judge(observation: &Observation, _: &Policy) -> Judged {
    open_to(observation, PORTS)
}
