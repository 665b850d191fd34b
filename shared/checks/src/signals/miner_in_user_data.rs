//! The start script mines.

use picket_model::{Asset, Fact, Observation};

use super::{Judged, Signal, yes};
use crate::policy::Policy;

pub(super) const SIGNAL: Signal = Signal {
    name: "miner_in_user_data",
    weight: 60,
    about: "the user data names a miner, a mining pool, a wallet or a miner's options",
    judge,
};

fn judge(observation: &Observation, _: &Policy) -> Judged {
    if !matches!(observation.asset, Asset::Instance(_)) {
        return Judged::No;
    }
    match &observation.user_data {
        Fact::Unknown { reason } => Judged::Unknown(reason.clone()),
        Fact::Known { value, source } => match (value.miners.first(), &value.undecoded) {
            (Some(first), _) => {
                let more = value.miners.len() - 1;
                let more = if more == 0 { String::new() } else { format!(" and {more} more marks") };
                yes(format!("user data holds `{}`{more}", first.found), source.clone())
            }
            (None, Some(why)) => Judged::Unknown(format!("user data could not be read whole: {why}")),
            (None, None) => Judged::No,
        },
    }
}
