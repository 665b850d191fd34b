//! AWS found the caller's key in public and says so by attaching a policy to its user.

use picket_model::{Asset, Fact, Observation};

use super::{Judged, Signal, yes};
use crate::policy::Policy;

pub(super) const SIGNAL: Signal = Signal {
    name: "leaked_key",
    weight: 60,
    about: "AWS attached AWSCompromisedKeyQuarantine to the calling user: its key is public",
    judge,
};

fn judge(observation: &Observation, _: &Policy) -> Judged {
    if matches!(observation.asset, Asset::Cluster(_)) {
        return Judged::No;
    }
    match &observation.leaked_key_policy {
        Fact::Known { value: Some(policy), source } => {
            yes(format!("the caller's key is known to have leaked ({policy})"), source.clone())
        }
        Fact::Known { value: None, .. } => Judged::No,
        Fact::Unknown { reason } => Judged::Unknown(reason.clone()),
    }
}
