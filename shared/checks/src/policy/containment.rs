//! Section `containment`: how far a quarantine goes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a quarantine does beside cutting the network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Containment {
    /// Only the interfaces, and freezing the owner that would replace or destroy the instance.
    ContainOnly,
    /// Also protect the evidence, cut this instance's credentials, take snapshots, leave load balancers, tag.
    #[default]
    Full,
}
