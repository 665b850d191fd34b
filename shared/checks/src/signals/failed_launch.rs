//! A launch that AWS refused: the campaign of November 2025 began with dry runs, others ran into quotas first.

use picket_model::{Asset, Observation};

use super::{Judged, Signal, yes};
use crate::policy::Policy;

/// The error codes of somebody who tries what can be had, without their `Client.`/`Server.` prefix.
const PROBES: &[&str] = &[
    "DryRunOperation",
    "InstanceLimitExceeded",
    "InsufficientInstanceCapacity",
    "MaxSpotInstanceCountExceeded",
    "UnauthorizedOperation",
    "VcpuLimitExceeded",
];

pub(super) const SIGNAL: Signal = Signal {
    name: "failed_launch",
    weight: 20,
    about: "a person's launch failed as it does when somebody tries what can be had",
    judge,
};

fn judge(observation: &Observation, _: &Policy) -> Judged {
    let Asset::Attempt(attempt) = &observation.asset else { return Judged::No };
    let code = attempt.error.as_str().rsplit('.').next().unwrap_or_default();
    if PROBES.contains(&code) {
        yes(format!("a launch failed with {code}"), "CloudTrail errorCode")
    } else {
        Judged::No
    }
}
