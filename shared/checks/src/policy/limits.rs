//! Section `blast_radius`: how much may be done before people have to look.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits that are counted across all functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BlastRadius {
    /// How many instances may be quarantined per account in one clock hour. A plan that would pass it does nothing.
    pub instances_per_hour: u32,
}

impl Default for BlastRadius {
    fn default() -> Self {
        Self { instances_per_hour: 100 }
    }
}
