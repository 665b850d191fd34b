//! The start script mines.

use picket_model::{Asset, Fact, Observation};

use super::{Judged, Signal, yes};
use crate::policy::Policy;

/// How many marks are named.
const MOST: usize = 4;

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
        Fact::Known { value, source } => match (value.miners.is_empty(), &value.undecoded) {
            (false, _) => {
                let marks: Vec<_> = value.miners.iter().take(MOST).map(|m| format!("`{}`", m.found)).collect();
                yes(format!("user data holds {}", marks.join(", ")), source.clone())
            }
            (true, Some(why)) => Judged::Unknown(format!("user data could not be read whole: {why}")),
            (true, None) => Judged::No,
        },
    }
}
