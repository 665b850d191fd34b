//! The policy: what an account's owner chooses. Read from YAML, strictly; a broken file is refused with line,
//! column and reason. Which policy is in force, and what happens when a new one is broken, is `picket-pipeline`'s.
//!
//! One more section is one file here, a field in `Policy`, and a line in `Policy::check` where its values can
//! contradict each other.

mod containment;
mod exemptions;
mod fixes;
mod flows;
mod holds;
mod limits;
mod overrides;
mod probe;
mod risk;

use picket_model::Mode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use containment::Containment;
pub use exemptions::{Exemption, Never};
pub use fixes::{Ask, Asking, Choice, Do, Fixes};
pub use flows::{Credentials, DropAddress, Evidence, Flows};
pub use holds::Holds;
pub use limits::{BlastRadius, KeepHealthy};
pub use overrides::{Override, Place, Reach};
pub use probe::Probe;
pub use risk::{Points, Risk, SignalName};

/// A policy file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Picket policy")]
pub struct Policy {
    /// The version of this format.
    #[serde(default)]
    pub version: Version,
    /// `observe` says what would be done, `dry_run` also asks AWS whether it would let us, `contain_only` cuts the
    /// network alone, `enforce` does everything. The deployment's mode is a ceiling.
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
    /// What becomes of a quarantine that nobody looks at.
    #[serde(default)]
    pub holds: Holds,
    /// How much may be done before people have to look.
    #[serde(default)]
    pub blast_radius: BlastRadius,
    /// What is done about what rules find.
    #[serde(default)]
    pub fixes: Fixes,
    /// Where machines may be asked over the network what they are.
    #[serde(default)]
    pub probe: Probe,
    /// Nodes that are left working.
    #[serde(default)]
    pub keep_healthy: KeepHealthy,
    /// How far to go in some accounts and VPCs, and for some tags, in this order.
    #[serde(default)]
    pub overrides: Vec<Override>,
    /// The one tag key that overrides may go by.
    #[serde(default)]
    pub trusted_tag: Option<String>,
    /// Never touched, whatever happens.
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

/// The field that is wrong, and why.
type Fault = (&'static str, String);

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
        policy.check().map_err(|(field, reason)| {
            let line = text.lines().position(|l| l.trim_start().starts_with(field)).map_or(0, |n| n as u64 + 1);
            PolicyError { file: file.to_owned(), line, column: 0, reason: format!("`{field}`: {reason}") }
        })?;
        Ok(policy)
    }

    /// The JSON Schema of the format, for editors.
    #[must_use]
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }

    fn check(&self) -> Result<(), Fault> {
        self.risk.check()?;
        if let Some(odd) = self.fixes.odd() {
            return Err(("fixes", odd));
        }
        self.holds.check()?;
        self.blast_radius.check()?;
        self.flows.check()?;
        self.probe.check()?;
        overrides::check(&self.overrides, self.trusted_tag.as_deref())?;
        exemptions::check(&self.never, &self.exempt)
    }

    /// The weight of a signal: the policy's, or the published one.
    #[must_use]
    pub fn weight(&self, name: &str, published: u8) -> u8 {
        self.risk.weights.iter().find(|(s, _)| s.as_str() == name).map_or(published, |(_, p)| p.0)
    }
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
    fn nothing_is_probed_unless_the_policy_names_where() {
        assert!(Policy::parse("version: 1\n", "p.yaml").unwrap().probe.vpcs().is_empty());
        let policy = Policy::parse("version: 1\nprobe: {vpcs: [vpc-12345678]}\n", "p.yaml").unwrap();
        assert_eq!(policy.probe.vpcs().len(), 1);
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
            ("version: 1\nholds:\n  lift_suspected_after: 2m\n", 3, "ten minutes"),
            ("version: 1\nprobe: {vpcs: [vpc-12345678, my-vpc]}\n", 2, "my-vpc"),
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
        let published = include_str!("../../policy.schema.json");
        let code = serde_json::to_string_pretty(&Policy::schema()).unwrap();
        assert!(published.trim() == code, "write it anew: `picket policy schema > shared/checks/policy.schema.json`");
    }
}
