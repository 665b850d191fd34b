//! Which policy is in force: the current one; if that is broken, the last good one; if there is none, observe.

use picket_checks::policy::Reach;
use picket_checks::{Policy, PolicyError};
use picket_model::{Instance, Mode, Scope, Untrusted};
use std::hash::{Hash, Hasher};

use crate::ports::{Answer, Kind, Policies, StoredPolicy};

/// What a deployment is told by its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The stack's name, for the commands that notices show.
    pub stack: String,
    /// The ceiling of the mode; `observe` unless the deployment says otherwise.
    pub mode: Mode,
}

/// A policy and what limits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The policy.
    pub policy: Policy,
    /// Names its text: equal texts have equal versions.
    pub version: String,
    /// The deployment's mode.
    pub ceiling: Mode,
    /// Whether people paused all changes, and why.
    pub paused: Option<Untrusted>,
    /// Why the current policy is not the one in force.
    pub trouble: Option<PolicyError>,
}

impl InForce {
    /// The mode that counts, and which setting decided it.
    #[must_use]
    pub fn mode(&self) -> (Mode, &'static str) {
        let set_by = if self.ceiling == Mode::Observe {
            "the stack's parameter Mode"
        } else if self.trouble.is_some() && self.version == "default" {
            "the policy is broken and there is no earlier one"
        } else {
            "the policy's field `mode`"
        };
        (self.policy.mode.and(self.ceiling), set_by)
    }

    /// How far Picket may go with one instance, and which setting decided it.
    #[must_use]
    pub fn reach(&self, scope: &Scope, instance: Option<&Instance>) -> Reach {
        let reach = self.policy.reach(scope, instance);
        if self.ceiling < reach.mode {
            return Reach { mode: self.ceiling, why: "the stack's parameter Mode".to_owned() };
        }
        match self.trouble.is_some() && self.version == "default" {
            true => Reach { why: "the policy is broken and there is no earlier one".to_owned(), ..reach },
            false => reach,
        }
    }
}

/// Reads the policy in force.
///
/// Flow: read; parse the current text; remember it as good when it is; else parse the last good one; else observe.
/// Guarantees: a broken policy never widens what may be done, and is named in `trouble`.
///
/// # Errors
/// Only if the store cannot be read; then nothing is decided and the message is tried again.
pub async fn read(policies: &dyn Policies, settings: &Settings) -> Answer<InForce> {
    Ok(of(policies.policy().await?, policies, settings).await)
}

/// The policy in force, from what is stored.
pub async fn of(stored: StoredPolicy, policies: &dyn Policies, settings: &Settings) -> InForce {
    let mut in_force = InForce {
        policy: Policy::default(),
        version: "default".to_owned(),
        ceiling: settings.mode,
        paused: stored.paused.as_deref().map(Untrusted::new),
        trouble: None,
    };
    let Some(current) = &stored.current else { return in_force };
    match Policy::parse(current, "policy") {
        Ok(policy) => {
            // Only assess may write it; it runs before every other stage, and nothing hangs on who is first.
            if stored.good.as_ref() != Some(current)
                && let Err(error) = policies.keep_good(current).await
            {
                match error.kind {
                    Kind::Denied => tracing::debug!(%error, "keeping the last good policy is left to assess"),
                    _ => tracing::info!(%error, "the policy is in force and not kept as the last good one yet"),
                }
            }
            (in_force.policy, in_force.version) = (policy, version(current));
        }
        Err(trouble) => {
            in_force.trouble = Some(trouble);
            if let Some((good, policy)) = stored.good.and_then(|g| Policy::parse(&g, "policy").ok().map(|p| (g, p))) {
                (in_force.policy, in_force.version) = (policy, version(&good));
            }
        }
    }
    in_force
}

/// Sixteen hexadecimal digits of the text. It tells versions apart; it protects nothing.
fn version(text: &str) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
