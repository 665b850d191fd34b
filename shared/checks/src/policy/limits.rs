//! Sections `blast_radius` and `keep_healthy`: how much may be done before people have to look.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fault;

/// Limits that are counted across all functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BlastRadius {
    /// How many instances may be quarantined per account in one clock hour. A plan that would pass it does nothing.
    pub instances_per_hour: u32,
    /// And at most this share of the account's running instances, in percent, in that hour; at least one. The sweep
    /// counts them; until it has, the number above alone counts.
    #[schemars(range(min = 1, max = 100))]
    pub percent_per_hour: Option<u8>,
}

impl Default for BlastRadius {
    fn default() -> Self {
        Self { instances_per_hour: 100, percent_per_hour: None }
    }
}

impl BlastRadius {
    /// How many instances may be held in an hour, where so many run; none, where that is not known.
    #[must_use]
    pub fn limit(&self, running: Option<u64>) -> u32 {
        let share = |percent: u8, running: u64| u32::try_from((running * u64::from(percent)).div_ceil(100)).ok();
        let share = self.percent_per_hour.zip(running).and_then(|(percent, running)| share(percent, running));
        share.map_or(self.instances_per_hour, |share| share.max(1).min(self.instances_per_hour))
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self.percent_per_hour {
            Some(percent) if !(1..=100).contains(&percent) => {
                Err(("percent_per_hour", format!("is {percent}; use 1 to 100")))
            }
            _ => Ok(()),
        }
    }
}

/// Nodes that are left working.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeepHealthy {
    /// How many members of an Auto Scaling group, and so of a managed node group, are never held on a suspicion. What
    /// is confirmed is held all the same.
    pub nodes_per_group: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_fleet_narrows_the_number_and_never_stops_everything() {
        let radius = BlastRadius { instances_per_hour: 100, percent_per_hour: Some(10) };
        let of = |running| radius.limit(running);
        assert_eq!((of(Some(200)), of(Some(5)), of(Some(9_000)), of(None)), (20, 1, 100, 100));
    }
}
