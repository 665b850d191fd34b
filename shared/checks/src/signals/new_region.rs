//! A Region that this account never used before.

use picket_model::{Asset, Observation};

use super::{Judged, Signal, newly_seen};
use crate::policy::Policy;

pub(super) const SIGNAL: Signal =
    Signal { name: "new_region", weight: 20, about: "the account never ran anything in this Region before", judge };

fn judge(observation: &Observation, policy: &Policy) -> Judged {
    if matches!(observation.asset, Asset::Cluster(_)) {
        return Judged::No;
    }
    let region = &observation.asset.scope().region;
    newly_seen(&format!("Region {region}"), &observation.region_since, observation, policy)
}
