//! How far Picket may go. The default touches nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Observe says what would be done; enforce does it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Plan and tell, change nothing.
    #[default]
    Observe,
    /// Carry out what the policy decides.
    Enforce,
}

impl Mode {
    /// The more careful of two: the deployment's mode is a ceiling for the policy's.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Observe => "observe",
            Self::Enforce => "enforce",
        })
    }
}

impl std::str::FromStr for Mode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "observe" => Ok(Self::Observe),
            "enforce" => Ok(Self::Enforce),
            other => Err(format!("`{other}` is no mode; use `observe` or `enforce`")),
        }
    }
}
