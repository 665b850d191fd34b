//! The permit: without one, no change can be asked for, and only this module can make one. In observe mode it cannot
//! be made at all. A refusal says which rail stopped it and what to do next.

use picket_model::fix::{Fix, FixStep};
use picket_model::{CaseId, Decision, InstanceId, Mode, Scope, Untrusted};

use crate::in_force::InForce;
use crate::rails::Sifted;

/// Leave to make the changes of one plan or one release. Not `Clone`, not `Default`, no public constructor.
#[derive(Debug)]
pub struct Permit {
    for_whom: String,
}

/// Why there is no permit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The mode is observe.
    #[error("the mode is observe ({set_by}); nothing is changed")]
    Observing {
        /// Which setting says so.
        set_by: String,
    },
    /// The mode is dry run.
    #[error("the mode is dry_run ({set_by}); AWS was asked, and nothing is changed")]
    Rehearsing {
        /// Which setting says so.
        set_by: String,
    },
    /// Too few members of a group would be left working, for a suspicion.
    #[error(
        "{group} would have fewer than {nodes} members working, and this is only suspected; nothing was changed there. \
         If it is rogue, order it with `picket quarantine`"
    )]
    MinimumHealthy {
        /// The Auto Scaling group.
        group: Untrusted,
        /// How many are to be left working.
        nodes: u32,
    },
    /// People paused all changes.
    #[error("changes are paused: {0}; `picket resume` lets them go on")]
    Paused(Untrusted),
    /// The policy names it as never to be touched.
    #[error("the policy says never to touch {id}: {why}")]
    Never {
        /// What it names.
        id: String,
        /// Its reason.
        why: String,
    },
    /// The hour's budget of fixes is spent.
    #[error(
        "{limit} fixes were made in this account within the hour, which is the most; nothing was changed. Look at what \
         was fixed with `picket fix list`, then raise `fixes.per_hour` or try again"
    )]
    FixesPerHour {
        /// The limit.
        limit: u32,
    },
    /// The policy does not let users and roles be stopped.
    #[error("it stops a user or a role, which the policy does not allow; `fixes: {{principals: true}}` does")]
    Principals,
    /// The hour's budget is spent.
    #[error(
        "{wanted} more instances would pass the limit of {limit} an hour for this account; nothing was changed. \
         Look at the case, then raise `blast_radius.instances_per_hour` or order it with `picket quarantine`"
    )]
    BlastRadius {
        /// How many the plan holds.
        wanted: usize,
        /// The limit.
        limit: u32,
    },
}

impl Refusal {
    /// The rail in one word: two refusals by one rail are one to people.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Observing { .. } => "observe",
            Self::Rehearsing { .. } => "dry_run",
            Self::MinimumHealthy { .. } => "keep_healthy",
            Self::Paused(_) => "paused",
            Self::Never { .. } => "never",
            Self::FixesPerHour { .. } => "fixes_per_hour",
            Self::Principals => "principals",
            Self::BlastRadius { .. } => "blast_radius",
        }
    }
}

/// Grants a plan that the rails let through, or refuses it.
///
/// # Errors
/// The first rail that stops it as a whole: the deployment's mode, a pause, a plan larger than the whole hour's budget.
pub fn for_plan(in_force: &InForce, decision: &Decision, sifted: &Sifted) -> Result<Permit, Refusal> {
    let permit = to_go_on(in_force, &decision.case)?;
    let wanted = sifted.plan().instances().len();
    let limit = in_force.policy.blast_radius.instances_per_hour;
    if u32::try_from(wanted).unwrap_or(u32::MAX) > limit {
        return Err(Refusal::BlastRadius { wanted, limit });
    }
    Ok(permit)
}

/// Grants going on with holds of a case whose instances the rails let through when they were taken.
///
/// # Errors
/// Where the deployment observes, and while changes are paused.
pub fn to_go_on(in_force: &InForce, case: &CaseId) -> Result<Permit, Refusal> {
    if !in_force.ceiling.acts() {
        return Err(Refusal::Observing { set_by: "the stack's parameter Mode".to_owned() });
    }
    if let Some(why) = &in_force.paused {
        return Err(Refusal::Paused(why.clone()));
    }
    Ok(Permit { for_whom: case.to_string() })
}

/// Grants a release that a person ordered. Putting back is allowed in every mode: it is how people take control.
#[must_use]
pub fn for_release(by: &Untrusted, instance: &InstanceId) -> Permit {
    Permit { for_whom: format!("release of {instance} by {by}") }
}

/// Grants a denial that a hold says; only `denial`, which looks it up, asks for it.
pub(crate) fn for_denial(instance: &InstanceId) -> Permit {
    Permit { for_whom: format!("denial for {instance}") }
}

/// Grants making a quarantine group ahead of time, where the mode lets anything be changed.
///
/// # Errors
/// In observe mode, and while changes are paused.
pub fn to_prepare(in_force: &InForce, scope: &Scope) -> Result<Permit, Refusal> {
    let reach = in_force.reach(scope, None);
    match &in_force.paused {
        _ if !reach.mode.acts() => Err(Refusal::Observing { set_by: reach.why }),
        Some(why) => Err(Refusal::Paused(why.clone())),
        None => Ok(Permit { for_whom: "preparing".to_owned() }),
    }
}

/// Grants a fix, within mode, pause, never-list and the switch for users and roles. Its hour's budget is counted where
/// it is written.
///
/// # Errors
/// The first rail that stops it.
pub fn for_fix(in_force: &InForce, fix: &Fix) -> Result<Permit, Refusal> {
    let reach = in_force.reach(&fix.scope, None);
    // Fixes are made where everything is: `contain_only` cuts the network alone.
    if reach.mode < Mode::Enforce {
        return Err(Refusal::Observing { set_by: reach.why });
    }
    if let Some(why) = &in_force.paused {
        return Err(Refusal::Paused(why.clone()));
    }
    let account = fix.scope.account.as_str();
    let named = |id: &str| {
        // An id counts wherever it stands: as the target, within one such as CLUSTER/NODE, or among what was read.
        let in_text = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word == id);
        id == account || fix.steps.iter().any(|s| in_text(&s.aim.target) || in_text(&s.facts.to_string()))
    };
    if let Some(never) = in_force.policy.never.iter().find(|n| !n.id.is_empty() && named(&n.id)) {
        return Err(Refusal::Never { id: never.id.clone(), why: never.why.clone() });
    }
    let stops = |s: &FixStep| crate::fixes::action(&s.aim.action).is_some_and(|a| a.stops_principals);
    if fix.steps.iter().any(stops) && !in_force.policy.fixes.principals {
        return Err(Refusal::Principals);
    }
    Ok(Permit { for_whom: fix.id.to_string() })
}

/// Grants going on with a fix that was begun, or putting back what failed of it.
#[must_use]
pub fn to_finish(fix: &Fix) -> Permit {
    Permit { for_whom: format!("finishing {}", fix.id) }
}

/// Grants putting back a fix that a person ordered.
#[must_use]
pub fn to_undo(by: &Untrusted, fix: &Fix) -> Permit {
    Permit { for_whom: format!("undo of {} by {by}", fix.id) }
}

impl std::fmt::Display for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "permit for {}", self.for_whom)
    }
}
