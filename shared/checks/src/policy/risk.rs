//! Section `risk`: from which score on something is done, and what each signal weighs.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use picket_model::Untrusted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fault;
use crate::signals;

/// Thresholds and weights of the risk score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Risk {
    /// From this score on, quarantine.
    pub quarantine_at: Points,
    /// From this score on, tell people.
    pub notify_at: Points,
    /// How long a principal, Region or image counts as new after it was first seen.
    #[schemars(with = "String")]
    pub new_for: SignedDuration,
    /// How long after the first start nothing counts as new, because everything would be.
    #[schemars(with = "String")]
    pub learning: SignedDuration,
    /// Weights that differ from the published table (`picket policy signals`).
    pub weights: BTreeMap<SignalName, Points>,
}

impl Default for Risk {
    fn default() -> Self {
        Self {
            quarantine_at: Points(70),
            notify_at: Points(40),
            new_for: SignedDuration::from_hours(24),
            learning: SignedDuration::from_hours(24),
            weights: BTreeMap::new(),
        }
    }
}

/// Points of a score, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u16", into = "u8")]
#[schemars(with = "u8", extend("maximum" = 100))]
pub struct Points(pub u8);

impl TryFrom<u16> for Points {
    type Error = String;
    fn try_from(n: u16) -> Result<Self, String> {
        u8::try_from(n).ok().filter(|n| *n <= 100).map(Self).ok_or_else(|| format!("{n} is more than 100 points"))
    }
}

impl From<Points> for u8 {
    fn from(p: Points) -> Self {
        p.0
    }
}

/// The name of a risk signal that exists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct SignalName(String);

impl SignalName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SignalName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if signals::ALL.iter().any(|s| s.name == text) {
            return Ok(Self(text));
        }
        let known: Vec<_> = signals::ALL.iter().map(|s| s.name).collect();
        Err(format!("`{}` is no signal; there are {}", Untrusted::new(&text), known.join(", ")))
    }
}

impl Risk {
    pub(super) fn check(&self) -> Result<(), Fault> {
        let Self { quarantine_at: q, notify_at: n, .. } = self;
        if n > q {
            return Err(("notify_at", format!("is {} and must not be above quarantine_at, which is {}", n.0, q.0)));
        }
        if q.0 == 0 {
            return Err(("quarantine_at", "is 0, which would quarantine everything; use 1 to 100".to_owned()));
        }
        Ok(())
    }
}
