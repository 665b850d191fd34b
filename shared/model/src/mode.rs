//! How far Picket may go. The default touches nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// From looking on to doing everything; of two, the more careful counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Plan and tell, change nothing.
    #[default]
    Observe,
    /// Plan, ask AWS with `DryRun` whether it would let us, tell; change nothing.
    DryRun,
    /// Only cut the network, and freeze the owner that would replace or destroy the instance.
    ContainOnly,
    /// Carry out what the policy decides, in full. `full` is another word for it.
    #[serde(alias = "full")]
    Enforce,
}

impl Mode {
    /// Whether anything may be changed.
    #[must_use]
    pub fn acts(self) -> bool {
        self >= Self::ContainOnly
    }

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
            Self::DryRun => "dry_run",
            Self::ContainOnly => "contain_only",
            Self::Enforce => "enforce",
        })
    }
}

impl std::str::FromStr for Mode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "observe" => Ok(Self::Observe),
            "dry_run" => Ok(Self::DryRun),
            "contain_only" => Ok(Self::ContainOnly),
            "enforce" | "full" => Ok(Self::Enforce),
            other => Err(format!("`{other}` is no mode; use `observe`, `dry_run`, `contain_only` or `enforce`")),
        }
    }
}
