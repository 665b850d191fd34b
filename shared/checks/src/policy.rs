//! The policy: what an account's owner chooses. Read from YAML, strictly; a broken file is refused with line,
//! column and reason. Which policy is in force, and what happens when a new one is broken, is `picket-pipeline`'s.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use picket_model::{Mode, Untrusted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::signals;

pub mod flows;

pub use flows::{Credentials, DropAddress, Evidence, Flows};

/// A policy file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Picket policy")]
pub struct Policy {
    /// The version of this format.
    #[serde(default)]
    pub version: Version,
    /// `observe` says what would be done, `enforce` does it. The deployment's mode is a ceiling.
    #[serde(default)]
    pub mode: Mode,
    /// From which score on something is done.
    #[serde(default)]
    pub risk: Risk,
    /// How far a quarantine goes.
    #[serde(default)]
    pub containment: Containment,
    /// How connections that outlive the quarantine are ended.
    #[serde(default)]
    pub flows: Flows,
    /// What is done about credentials.
    #[serde(default)]
    pub credentials: Credentials,
    /// What is done for the evidence.
    #[serde(default)]
    pub evidence: Evidence,
    /// How much may be done before people have to look.
    #[serde(default)]
    pub blast_radius: BlastRadius,
    /// Never touched, whatever happens: instance, VPC, group or account ids.
    #[serde(default)]
    pub never: Vec<Never>,
    /// Exempt for a while, with an owner. Only the policy exempts; a resource's own tags never do.
    #[serde(default)]
    pub exempt: Vec<Exemption>,
}

/// The version of the policy format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u8", into = "u8")]
#[schemars(with = "u8", extend("minimum" = 1, "maximum" = 1))]
pub struct Version;

impl TryFrom<u8> for Version {
    type Error = String;
    fn try_from(n: u8) -> Result<Self, String> {
        if n == 1 { Ok(Self) } else { Err(format!("policy version {n} is not known here; use `version: 1`")) }
    }
}

impl From<Version> for u8 {
    fn from(_: Version) -> Self {
        1
    }
}

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

/// Something that is never touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Never {
    /// An instance, VPC, group or account id.
    pub id: String,
    /// Why.
    pub why: String,
}

/// Something that is not touched until a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// An instance, VPC or account id.
    pub id: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when, such as `2027-01-31T00:00:00Z`.
    #[schemars(with = "String")]
    pub until: Timestamp,
}

/// A policy that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {reason}")]
pub struct PolicyError {
    /// Where the text came from.
    pub file: String,
    /// 1-based; 0 where the whole file is meant.
    pub line: u64,
    /// 1-based; 0 where the whole line is meant.
    pub column: u64,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl Policy {
    /// Reads a policy. `file` names the text in errors.
    ///
    /// # Errors
    /// At the first field that is unknown, missing, of the wrong type or out of range.
    pub fn parse(text: &str, file: &str) -> Result<Self, PolicyError> {
        let policy: Self = serde_saphyr::from_str(text).map_err(|error| {
            let error = error.without_snippet();
            let at = error.location();
            PolicyError {
                file: file.to_owned(),
                line: at.as_ref().map_or(0, |l| l.line()),
                column: at.as_ref().map_or(0, |l| l.column()),
                reason: first_line(&error.to_string()),
            }
        })?;
        policy.consistent().map_err(|(field, reason)| {
            let line = text.lines().position(|l| l.trim_start().starts_with(field)).map_or(0, |n| n as u64 + 1);
            PolicyError { file: file.to_owned(), line, column: 0, reason: format!("`{field}`: {reason}") }
        })
    }

    /// The JSON Schema of the format, for editors.
    #[must_use]
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }

    fn consistent(self) -> Result<Self, (&'static str, String)> {
        let Risk { quarantine_at: q, notify_at: n, .. } = self.risk;
        if n > q {
            return Err(("notify_at", format!("is {} and must not be above quarantine_at, which is {}", n.0, q.0)));
        }
        if q.0 == 0 {
            return Err(("quarantine_at", "is 0, which would quarantine everything; use 1 to 100".to_owned()));
        }
        if let Some(never) = self.never.iter().find(|n| !is_asset_id(&n.id)) {
            return Err(("never", format!("`{}` is no instance, VPC, group or account id", never.id)));
        }
        if let Some(exempt) = self.exempt.iter().find(|e| !is_asset_id(&e.id)) {
            return Err(("exempt", format!("`{}` is no instance, VPC or account id", exempt.id)));
        }
        if !(1..=40).contains(&self.flows.acl_entries) {
            return Err(("acl_entries", format!("is {}; AWS allows 1 to 40", self.flows.acl_entries)));
        }
        Ok(self)
    }

    /// The weight of a signal: the policy's, or the published one.
    #[must_use]
    pub fn weight(&self, name: &str, published: u8) -> u8 {
        self.risk.weights.iter().find(|(s, _)| s.as_str() == name).map_or(published, |(_, p)| p.0)
    }
}

fn is_asset_id(id: &str) -> bool {
    use picket_model::{AccountId, GroupId, InstanceId, VpcId};
    InstanceId::parse(id).is_ok()
        || VpcId::parse(id).is_ok()
        || GroupId::parse(id).is_ok()
        || AccountId::parse(id).is_ok()
}

/// The parser's message without the location that it repeats and without its picture of the file.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or("is not a policy").trim();
    line.split(" at line ").next().unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_policy_observes() {
        for text in ["version: 1\n", "{}"] {
            let policy = Policy::parse(text, "p.yaml").unwrap();
            assert_eq!(policy, Policy::default());
            assert_eq!(policy.mode, Mode::Observe);
        }
    }

    #[test]
    fn a_full_policy_is_read() {
        let text = "version: 1\nmode: enforce\nrisk: {quarantine_at: 80, new_for: 48h, weights: {root_user: 40}}\n\
                    blast_radius: {instances_per_hour: 7}\nnever: [{id: vpc-12345678, why: the bank}]\n\
                    exempt: [{id: i-12345678, owner: ml, reason: training, until: '2027-01-31T00:00:00Z'}]\n";
        let policy = Policy::parse(text, "p.yaml").unwrap();
        assert_eq!(policy.mode, Mode::Enforce);
        assert_eq!(policy.weight("root_user", 25), 40);
        assert_eq!(policy.weight("burst", 15), 15);
        assert_eq!(policy.blast_radius.instances_per_hour, 7);
    }

    #[test]
    fn a_broken_policy_is_refused_with_its_line_and_reason() {
        let cases = [
            ("version: 1\nmode: enforcing\n", 2, "enforcing"),
            ("version: 1\nmoode: observe\n", 2, "moode"),
            ("version: 1\nrisk:\n  quarantine_at: 700\n", 3, "700"),
            ("version: 1\nrisk:\n  weights:\n    rot_user: 5\n", 4, "rot_user"),
            ("version: 2\n", 1, "version"),
            ("version: 1\nrisk:\n  quarantine_at: 30\n  notify_at: 50\n", 4, "notify_at"),
            ("version: 1\nnever:\n  - {id: my-server, why: x}\n", 2, "my-server"),
            ("version: 1\nmode: [observe\n", 2, ""),
        ];
        for (text, line, word) in cases {
            let error = Policy::parse(text, "policy.yaml").unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn the_published_schema_is_the_one_of_the_code() {
        let published = include_str!("../policy.schema.json");
        let code = serde_json::to_string_pretty(&Policy::schema()).unwrap();
        assert!(published.trim() == code, "write it anew: `picket policy schema > shared/checks/policy.schema.json`");
    }
}
