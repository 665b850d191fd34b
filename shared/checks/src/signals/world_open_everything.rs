//! Every port is open to the world.

use picket_model::{Asset, Fact, Observation, Openness};

use super::{Judged, Signal, yes};
use crate::policy::Policy;

pub(super) const SIGNAL: Signal = Signal {
    name: "world_open_everything",
    weight: 20,
    about: "a security group lets the world reach every port",
    judge,
};

fn judge(observation: &Observation, _: &Policy) -> Judged {
    match (&observation.asset, &observation.world_open) {
        (Asset::Instance(_), Fact::Known { value, source }) => {
            match value.iter().find(|e| e.openness == Openness::Everything) {
                Some(open) => yes(format!("{} lets {} reach all ports", open.group, open.from), source.clone()),
                None => Judged::No,
            }
        }
        (Asset::Instance(_), Fact::Unknown { reason }) => Judged::Unknown(reason.clone()),
        _ => Judged::No,
    }
}
