//! The permit: without one, no change can be asked for, and only this module can make one. In observe mode it cannot
//! be made at all. A refusal says which rail stopped it and what to do next.

use picket_checks::Policy;
use picket_model::{Decision, InstanceId, Mode, Plan, Untrusted};

use crate::in_force::InForce;

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
        set_by: &'static str,
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

/// Grants or refuses a plan.
///
/// # Errors
/// The first rail that stops it: mode, pause, never-list, a plan larger than the whole hour's budget.
pub fn for_plan(in_force: &InForce, decision: &Decision, plan: &Plan) -> Result<Permit, Refusal> {
    if let (Mode::Observe, set_by) = in_force.mode() {
        return Err(Refusal::Observing { set_by });
    }
    if let Some(why) = &in_force.paused {
        return Err(Refusal::Paused(why.clone()));
    }
    never(&in_force.policy, decision, plan)?;
    let (wanted, limit) = (plan.instances().len(), in_force.policy.blast_radius.instances_per_hour);
    if u32::try_from(wanted).unwrap_or(u32::MAX) > limit {
        return Err(Refusal::BlastRadius { wanted, limit });
    }
    Ok(Permit { for_whom: decision.case.to_string() })
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
pub fn to_prepare(in_force: &InForce) -> Result<Permit, Refusal> {
    match (in_force.mode(), &in_force.paused) {
        ((Mode::Observe, set_by), _) => Err(Refusal::Observing { set_by }),
        (_, Some(why)) => Err(Refusal::Paused(why.clone())),
        _ => Ok(Permit { for_whom: "preparing".to_owned() }),
    }
}

fn never(policy: &Policy, decision: &Decision, plan: &Plan) -> Result<(), Refusal> {
    let account = decision.scope.account.as_str().to_owned();
    let of_plan = plan.instances().into_iter().flat_map(|i| {
        let captures = plan.captures_of(&i);
        let ids = captures
            .into_iter()
            .flat_map(|c| c.groups.into_iter().map(String::from).chain([c.vpc.to_string(), c.interface.to_string()]));
        ids.chain([i.to_string()]).collect::<Vec<_>>()
    });
    let touched: Vec<String> = of_plan.chain([account]).collect();
    match policy.never.iter().find(|n| touched.contains(&n.id)) {
        Some(never) => Err(Refusal::Never { id: never.id.clone(), why: never.why.clone() }),
        None => Ok(()),
    }
}

impl std::fmt::Display for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "permit for {}", self.for_whom)
    }
}
