//! The rails: from what a decision would do to what may be done, instance by instance. What is left out is told with
//! its reason; it never costs the rest. A permit is only given for a plan that went through here.
//!
//! Guarantees: what the never-list names is in no plan; a suspicion leaves a group its last working members; the more
//! careful setting counts. Pure but for `members`, which reads.

use picket_checks::policy::Never;
use picket_model::{
    Decision, Hold, HoldState, Instance, InstanceId, Interface, InterfaceKind, Mode, Plan, Step, Tier, Untrusted,
};

use crate::in_force::InForce;
use crate::permit::Refusal;
use crate::plan::Live;
use crate::ports::{Answer, Holds, Levers};

/// The tag that Auto Scaling puts on its members. Only AWS can set tags that begin with `aws:`.
const OWNER_TAG: &str = "aws:autoscaling:groupName";

/// A plan that holds only what may be done, and what was left out.
#[derive(Debug)]
pub struct Sifted {
    plan: Plan,
    /// What was left out, by reason.
    pub left: Vec<Left>,
}

/// What was left out for one reason.
#[derive(Debug)]
pub struct Left {
    /// The reason.
    pub refusal: Refusal,
    /// What would have been done.
    pub plan: Plan,
}

/// An Auto Scaling group of which members are to be held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    /// Its name.
    pub group: Untrusted,
    /// How many of it a suspicion may still take.
    pub spare: u32,
    /// How many of it a suspicion may take in this hour, whoever does.
    pub in_this_hour: u32,
}

impl Sifted {
    /// What may be done.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// Sorts a plan.
#[must_use]
pub fn sift(in_force: &InForce, decision: &Decision, live: &Live, plan: &Plan, members: &[Members]) -> Sifted {
    let mut sifted = Sifted { plan: Plan { steps: Vec::new(), ..plan.clone() }, left: Vec::new() };
    let mut spare: Vec<u32> = members.iter().map(|m| m.spare).collect();
    for id in plan.instances() {
        let instance = live.instances.iter().find(|i| i.id == id);
        let steps: Vec<Step> = plan.steps.iter().filter(|s| s.instance() == &id).cloned().collect();
        let group = members.iter().position(|m| instance.and_then(owner) == Some(&m.group));
        let judged = judge(in_force, decision, live, &id, steps.clone()).and_then(|steps| match group {
            Some(n) if spare[n] == 0 => {
                let nodes = in_force.policy.keep_healthy.nodes_per_group;
                Err(Refusal::MinimumHealthy { group: members[n].group.clone(), nodes })
            }
            Some(n) => {
                spare[n] -= 1;
                Ok(steps)
            }
            None => Ok(steps),
        });
        match judged {
            Ok(steps) => sifted.plan.steps.extend(steps),
            Err(refusal) => leave(&mut sifted.left, refusal, plan, steps),
        }
    }
    sifted
}

fn leave(left: &mut Vec<Left>, refusal: Refusal, of: &Plan, steps: Vec<Step>) {
    match left.iter_mut().find(|l| l.refusal == refusal) {
        Some(same) => same.plan.steps.extend(steps),
        None => left.push(Left { refusal, plan: Plan { steps, skipped: Vec::new(), ..of.clone() } }),
    }
}

/// The steps of one instance that may be taken.
fn judge(
    in_force: &InForce,
    decision: &Decision,
    live: &Live,
    id: &InstanceId,
    steps: Vec<Step>,
) -> Result<Vec<Step>, Refusal> {
    let instance = live.instances.iter().find(|i| &i.id == id);
    let reach = in_force.reach(&decision.scope, instance);
    match reach.mode {
        Mode::Observe => return Err(Refusal::Observing { set_by: reach.why }),
        Mode::DryRun => return Err(Refusal::Rehearsing { set_by: reach.why }),
        Mode::ContainOnly | Mode::Enforce => {}
    }
    let never = &in_force.policy.never;
    let vpc = |v: &str| steps.iter().any(|s| matches!(s, Step::Contain { before, .. } if before.vpc.as_str() == v));
    let wholly = |n: &&Never| n.id == id.as_str() || n.id == decision.scope.account.as_str() || vpc(&n.id);
    if let Some(found) = never.iter().find(wholly) {
        return Err(refused(found));
    }
    let some = steps.iter().any(|s| matches!(s, Step::Contain { .. }));
    let mut spared = None;
    let sorted: Vec<Step> = steps.into_iter().map(|step| spare_interface(step, never, live, &mut spared)).collect();
    match spared {
        // Nothing is left to contain: then nothing else is done to the instance either.
        Some(refusal) if some && !sorted.iter().any(|s| matches!(s, Step::Contain { .. })) => Err(refusal),
        _ => Ok(sorted),
    }
}

/// An interface that the never-list names is left as it is, and reported; the rest of its instance is contained.
fn spare_interface(step: Step, never: &[Never], live: &Live, spared: &mut Option<Refusal>) -> Step {
    let Step::Contain { instance, before } = &step else { return step };
    let shown = live.interfaces.iter().find(|i| i.id == before.interface);
    let names = |n: &&Never| {
        n.id == before.interface.as_str()
            || before.groups.iter().any(|g| g.as_str() == n.id)
            || n.managed_by.as_deref().is_some_and(|by| shown.is_some_and(|i| is_managed_by(i, by)))
    };
    let Some(found) = never.iter().find(names) else { return step };
    let refusal = refused(found);
    let why = Untrusted::new(&refusal.to_string());
    *spared = Some(refusal);
    Step::CannotContain { instance: instance.clone(), interface: before.interface.clone(), why }
}

fn is_managed_by(interface: &Interface, by: &str) -> bool {
    match &interface.kind {
        InterfaceKind::Requester(who) | InterfaceKind::Operator(who) => by == "*" || who.as_str() == by,
        InterfaceKind::Own => false,
    }
}

fn refused(never: &Never) -> Refusal {
    let id = if never.id.is_empty() { never.managed_by.clone().unwrap_or_default() } else { never.id.clone() };
    Refusal::Never { id, why: never.why.clone() }
}

/// The Auto Scaling group of an instance.
#[must_use]
pub fn owner(instance: &Instance) -> Option<&Untrusted> {
    instance.tags.get(&Untrusted::new(OWNER_TAG))
}

/// Reads the groups that a suspicion must leave some members. Nothing is read where the policy asks for none.
///
/// # Errors
/// If they cannot be read; then nothing may be done on a suspicion.
pub async fn members(
    levers: &dyn Levers,
    holds: &dyn Holds,
    in_force: &InForce,
    decision: &Decision,
    live: &Live,
    hour: jiff::Timestamp,
) -> Answer<Vec<Members>> {
    let nodes = in_force.policy.keep_healthy.nodes_per_group;
    let suspected = in_force.policy.holds.tier(decision.score.total, decision.ordered) == Tier::Suspected;
    let mut owners: Vec<&Untrusted> = live.instances.iter().filter_map(owner).collect();
    owners.sort();
    owners.dedup();
    if nodes == 0 || !suspected || owners.is_empty() {
        return Ok(Vec::new());
    }
    let held = holds.holds(&decision.scope).await?;
    let mut all = Vec::new();
    for name in owners {
        let group = levers.scaling_group(&decision.scope, name).await?;
        let open = |h: &&Hold| h.state != HoldState::Released && group.members.contains(&h.instance);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (total, before) = (count(group.members.len()), held.iter().filter(open).filter(|h| h.since < hour).count());
        all.push(Members {
            group: name.clone(),
            spare: total.saturating_sub(nodes).saturating_sub(count(held.iter().filter(open).count())),
            in_this_hour: total.saturating_sub(nodes).saturating_sub(count(before)),
        });
    }
    Ok(all)
}

#[cfg(test)]
#[path = "rails_tests.rs"]
mod tests;
