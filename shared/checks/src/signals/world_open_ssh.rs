//! Remote logins are open to the world.

use picket_model::{Asset, Fact, Observation, Openness};

use super::{Judged, Signal, open_to, yes};
use crate::policy::Policy;

/// SSH and RDP.
const PORTS: &[u16] = &[22, 3389];

pub(super) const SIGNAL: Signal =
    Signal { name: "world_open_ssh", weight: 8, about: "the world can reach SSH or RDP", judge };

fn judge(observation: &Observation, _: &Policy) -> Judged {
    match (&observation.asset, &observation.world_open) {
        (Asset::Instance(_), Fact::Known { value, source }) => {
            let open = open_to(value, PORTS);
            match open.iter().find(|e| e.openness != Openness::Everything) {
                Some(e) => yes(format!("{} lets {} reach {}", e.group, e.from, e.openness), source.clone()),
                None => Judged::No,
            }
        }
        _ => Judged::No,
    }
}
