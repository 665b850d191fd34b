//! What respond does around containment: freeze the owner before, secure the instance after. Containment waits for the
//! freeze but never for its success, and nothing that fails here undoes it.

use std::collections::BTreeMap;

use futures::future::join_all;
use picket_model::{
    Change, Decision, Hold, HoldState, Instance, InstanceId, Measure, MeasureState, Mode, NoticeKind, Owner, Untrusted,
};

use super::{Ports, cutting, digest, notice};
use crate::actions::{self, Subject, freeze_scaling_group};
use crate::in_force::{InForce, Settings};
use crate::measures::{self, Made};
use crate::messages::Message;
use crate::permit::Permit;
use crate::plan::Live;
use crate::ports::{Answer, Kind};

/// Tags that tell of an owner: instances that agree in all of them have the same owners.
const OWNER_TAGS: [&str; 11] = [
    "aws:autoscaling:groupName",
    "aws:ec2:fleet-id",
    "aws:ec2spot:fleet-request-id",
    "eks:cluster-name",
    "eks:eks-cluster-name",
    "eks:nodegroup-name",
    "karpenter.sh/nodeclaim",
    "karpenter.sh/nodepool",
    "karpenter.sh/provisioner-name",
    "AmazonECSManaged",
    "AWSBatchServiceTag",
];

pub(super) fn measure_ports<'a>(ports: &Ports<'a>) -> measures::Ports<'a> {
    measures::Ports { levers: ports.levers, holds: ports.holds, clock: ports.clock }
}

/// Freezes what owns held instances. Every hold of an owner carries the measure, so that the owner goes on only when the
/// last of them is released.
pub(super) async fn freeze_owners(
    ports: &Ports<'_>,
    permit: &Permit,
    decision: &Decision,
    live: &Live,
    ours: Vec<Hold>,
) -> Answer<Vec<Hold>> {
    let mut owned: BTreeMap<Vec<&Untrusted>, Vec<(usize, &Instance)>> = BTreeMap::new();
    for (n, hold) in ours.iter().enumerate() {
        let Some(instance) = live.instances.iter().find(|i| i.id == hold.instance) else { continue };
        let tags: Vec<&Untrusted> = OWNER_TAGS.iter().filter_map(|t| instance.tags.get(&Untrusted::new(t))).collect();
        if !tags.is_empty() {
            owned.entry(tags).or_default().push((n, instance));
        }
    }
    if owned.is_empty() {
        return Ok(ours);
    }
    let reads = owned.into_values().map(|members| async move {
        let found = ports.levers.owners(&decision.scope, members[0].1).await;
        (members.into_iter().map(|(n, _)| n).collect::<Vec<_>>(), found)
    });
    let read = join_all(reads).await;
    // Read after the owners: what we have frozen there stands in a hold that is read now.
    let all: Vec<Hold> = match ports.holds.holds(&decision.scope).await {
        Ok(all) => all.into_iter().filter(|h| h.state != HoldState::Released).collect(),
        Err(error) => {
            tracing::warn!(%error, "the holds could not be listed; those of this decision alone count as held");
            ours.clone()
        }
    };
    let mut wanted: Vec<Vec<Measure>> = vec![Vec::new(); ours.len()];
    for (members, found) in read {
        match found {
            Ok(found) => {
                for unknown in &found.unknown {
                    tracing::warn!(unknown, "an owner could not be read; containment goes on");
                }
                for n in members {
                    wanted[n].extend(found.found.iter().filter_map(|o| freeze(o, &ours[n], &all)));
                }
            }
            Err(error) => tracing::warn!(%error, "the owners could not be read; containment goes on"),
        }
    }
    let made = ours.into_iter().zip(wanted).map(|(hold, more)| make_frozen(ports, permit, hold, more));
    Ok(join_all(made).await)
}

/// The measure that freezes an owner, for one hold; none if it carries that already.
fn freeze(owner: &Owner, hold: &Hold, open: &[Hold]) -> Option<Measure> {
    let held: Vec<InstanceId> = open.iter().map(|h| h.instance.clone()).collect();
    let planned = actions::freeze(owner, &hold.instance, &held);
    if let Owner::ScalingGroup(group) = owner {
        return freeze_scaling_group::suspend(&group.name, missing(&group.name, hold, open, planned));
    }
    let all = || open.iter().flat_map(|h| &h.measures).filter(|m| freezes(m, owner));
    // Another hold knows what was there before the first; what was put back just now, facts may not show yet.
    let known = all().find(|m| relies(m)).cloned();
    let lately = || hold.measures.iter().find(|m| m.state == MeasureState::Undone && freezes(m, owner)).cloned();
    // A release that is under way, or was refused, has not put it back yet: what is read now is half ours, and what
    // was there before stands in that hold alone.
    let going = all().find(|m| m.state == MeasureState::Undoing).cloned();
    let planned = match (planned, going) {
        (Some(planned), Some(going)) => Some(Measure { undo: going.undo, ..planned }),
        (planned, going) => planned.or(going),
    };
    let measure = known.or(planned).or_else(lately)?;
    let carried = hold.measures.iter().any(|m| m.apply == measure.apply && relies(m));
    (!carried).then_some(anew(&measure))
}

/// The processes of a scaling group that a hold does not carry yet. Each hold carries all that it relies on, so that the
/// last one puts back what the others left to it.
fn missing(group: &Untrusted, hold: &Hold, open: &[Hold], planned: Option<Measure>) -> Vec<String> {
    let already = open.iter().flat_map(|h| &h.measures).filter(|m| relies(m));
    let wanted: Vec<String> = already.chain(&planned).flat_map(|m| suspends(m, group)).cloned().collect();
    let lately = hold.measures.iter().filter(|m| m.state == MeasureState::Undone).flat_map(|m| suspends(m, group));
    let standing = |p: &String| hold.measures.iter().any(|m| relies(m) && suspends(m, group).contains(p));
    let mut missing: Vec<String> = Vec::new();
    for process in wanted.iter().chain(lately).filter(|p| !standing(p)) {
        if !missing.contains(process) {
            missing.push(process.clone());
        }
    }
    missing
}

fn relies(measure: &Measure) -> bool {
    !matches!(measure.state, MeasureState::Undoing | MeasureState::Undone)
}

/// The processes of a group that a measure suspends.
fn suspends<'a>(measure: &'a Measure, owner: &Untrusted) -> &'a [String] {
    match &measure.apply {
        Change::SuspendProcesses { group, processes } if group == owner => processes,
        _ => &[],
    }
}

fn freezes(measure: &Measure, owner: &Owner) -> bool {
    match (&measure.apply, owner) {
        (Change::SetNodeGroup { cluster, node_group, .. }, Owner::NodeGroup(of)) => {
            (cluster, node_group) == (&of.cluster, &of.name)
        }
        (Change::SetFleetCapacity { fleet, .. }, Owner::Fleet(of)) => fleet == &of.id,
        (Change::SetCapacityProvider { provider, .. }, Owner::CapacityProvider { name, .. }) => provider == name,
        (Change::SetComputeEnvironment { environment, .. }, Owner::ComputeEnvironment { name, .. }) => {
            environment == name
        }
        _ => false,
    }
}

async fn make_frozen(ports: &Ports<'_>, permit: &Permit, hold: Hold, more: Vec<Measure>) -> Hold {
    let unmade = hold.measures.iter().any(|m| m.state == MeasureState::Intended && m.apply.shared().is_some());
    if more.is_empty() && !unmade {
        return hold;
    }
    let by = Untrusted::new("respond");
    match measures::make(measure_ports(ports), permit, &by, &hold, more).await {
        Ok(Some(made)) => made.hold,
        Ok(None) => hold,
        Err(error) => {
            tracing::warn!(%error, "an owner could not be frozen; containment goes on");
            hold
        }
    }
}

/// What was refused of the measures of these holds, for people: they may have to do it themselves.
pub(super) fn not_done(held: &[Hold]) -> Vec<String> {
    let refused = held.iter().flat_map(|h| &h.measures).filter_map(|m| match &m.state {
        MeasureState::Failed(why) => Some(format!("not done: {}: {why}", m.apply)),
        _ => None,
    });
    let mut lines: Vec<String> = refused.collect();
    lines.dedup();
    lines
}

/// Plans and makes the measures of instances that are contained, and tells what came of it: the alert's one follow-up.
///
/// # Errors
/// The first passing fault; every other instance is secured all the same, and the rest is resumed.
pub(super) async fn secure(
    ports: &Ports<'_>,
    settings: &Settings,
    in_force: &InForce,
    permit: &Permit,
    decision: &Decision,
    live: &Live,
    held: Vec<Hold>,
) -> Answer<()> {
    let made = join_all(held.iter().map(|hold| secure_one(ports, in_force, permit, live, hold))).await;
    let (mut secured, mut failed) = (Vec::new(), None);
    for outcome in made {
        match outcome {
            Ok(hold) => secured.extend(hold),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    // Told before it is closed, as containment is: a crash in between tells the same notice again, which is told once.
    tell(ports, settings, decision, &secured).await?;
    let closed = secured.iter().map(|made| {
        let closed = Hold { secured: true, lease_until: ports.clock.now(), ..made.clone() };
        async move { ports.holds.update(made, &closed, &[]).await }
    });
    let closed = join_all(closed).await.into_iter().find_map(Result::err);
    failed.or(closed).map_or(Ok(()), Err)
}

/// Nothing is told where nothing was to be done beside the groups: then the alert was whole.
async fn tell(ports: &Ports<'_>, settings: &Settings, decision: &Decision, secured: &[Hold]) -> Answer<()> {
    let made = secured.iter().flat_map(|h| &h.measures).filter(|m| m.state == MeasureState::Done);
    let mut made: Vec<String> = made.map(|m| m.apply.to_string()).collect();
    made.dedup();
    let not_made = not_done(secured);
    if made.is_empty() && not_made.is_empty() {
        return Ok(());
    }
    let of: Vec<String> = secured.iter().map(|h| format!("{}@{}", h.instance, h.times)).collect();
    let id = format!("{}/secured/{}", decision.case, digest(of.iter().map(String::as_str)));
    let mut decision = decision.clone();
    decision.targets.retain(|t| secured.iter().any(|h| t.instance.as_ref() == Some(&h.instance)));
    let kind = NoticeKind::Secured { made, not_made };
    ports.queues.send(vec![Message::Notice(Box::new(notice(&decision, settings, id, kind, ports)))]).await
}

fn anew(measure: &Measure) -> Measure {
    Measure { state: MeasureState::Intended, ..measure.clone() }
}

/// The hold with its measures made; none if another worker has it.
async fn secure_one(
    ports: &Ports<'_>,
    in_force: &InForce,
    permit: &Permit,
    live: &Live,
    hold: &Hold,
) -> Answer<Option<Hold>> {
    let gone = !live.instances.iter().any(|i| i.id == hold.instance && !i.state.is_gone());
    let shown = live.instances.iter().find(|i| i.id == hold.instance);
    let planned = match in_force.reach(&hold.scope, shown).mode {
        Mode::Observe | Mode::DryRun | Mode::ContainOnly => Vec::new(),
        Mode::Enforce => match ports.levers.facts(&hold.scope, &hold.instance).await {
            // Terminated: nothing is left to secure. One that is only not visible is an error, and tried again.
            Err(error) if gone && error.kind == Kind::NotFound => Vec::new(),
            Err(error) => return Err(error),
            Ok(facts) => {
                for unknown in &facts.unknown {
                    tracing::warn!(instance = %hold.instance, unknown, "not all could be read before securing");
                }
                let stop = cutting::is_to_stop(ports, in_force, live, hold).await?;
                let lock_days = in_force.policy.evidence.lock_snapshots_days;
                let remove_profile = in_force.policy.credentials.remove_profile;
                let subject = Subject { facts: &facts, case: &hold.case, lock_days, remove_profile, stop };
                let mut planned = actions::afterwards(&subject);
                // Put back just now, which the facts may not show yet.
                planned.extend(hold.measures.iter().filter(|m| m.state == MeasureState::Undone).map(anew));
                planned
            }
        },
    };
    let by = Untrusted::new("respond");
    match measures::make(measure_ports(ports), permit, &by, hold, planned).await? {
        None => Ok(None),
        Some(Made { passing: Some(error), .. }) => Err(error),
        Some(Made { hold: made, passing: None }) => Ok(Some(made)),
    }
}

#[cfg(test)]
#[path = "securing_tests.rs"]
mod tests;
