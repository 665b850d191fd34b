//! The machine has a public address.

use picket_model::{Asset, Observation};

use super::{Judged, Signal, yes};
use crate::policy::Policy;

pub(super) const SIGNAL: Signal =
    Signal { name: "public_address", weight: 5, about: "the machine has a public address", judge };

fn judge(observation: &Observation, _: &Policy) -> Judged {
    match &observation.asset {
        Asset::Instance(instance) => instance.public_ip().map_or(Judged::No, |ip| {
            yes(format!("it has the public address {ip}"), "DescribeInstances interface association")
        }),
        _ => Judged::No,
    }
}
