//! What respond does around containment: freeze the owner before, secure the instance after. Containment waits for the
//! freeze but never for its success, and nothing that fails here undoes it.

use std::collections::BTreeMap;

use futures::future::join_all;
use picket_model::{Decision, Hold, HoldState, InstanceId, Measure, MeasureState, Mode, Untrusted};

use super::Ports;
use crate::actions::{self, Subject, freeze_scaling_group};
use crate::in_force::InForce;
use crate::measures::{self, Made};
use crate::permit::Permit;
use crate::plan::Live;
use crate::ports::{Answer, Kind};
use crate::rails;

fn measure_ports<'a>(ports: &Ports<'a>) -> measures::Ports<'a> {
    measures::Ports { levers: ports.levers, holds: ports.holds, clock: ports.clock }
}

/// Freezes the Auto Scaling groups that own held instances. Every hold of a group carries the measure, so that the
/// group goes on only when the last of them is released.
pub(super) async fn freeze_owners(
    ports: &Ports<'_>,
    permit: &Permit,
    decision: &Decision,
    live: &Live,
    ours: Vec<Hold>,
) -> Answer<Vec<Hold>> {
    let mut owners: BTreeMap<Untrusted, Vec<usize>> = BTreeMap::new();
    for (n, hold) in ours.iter().enumerate() {
        let instance = live.instances.iter().find(|i| i.id == hold.instance);
        if let Some(owner) = instance.and_then(rails::owner) {
            owners.entry(owner.clone()).or_default().push(n);
        }
    }
    let mut ours = ours;
    for (owner, members) in owners {
        if let Err(error) = freeze(ports, permit, decision, &owner, &members, &mut ours).await {
            tracing::warn!(%owner, %error, "the owner could not be frozen; containment goes on");
        }
    }
    Ok(ours)
}

async fn freeze(
    ports: &Ports<'_>,
    permit: &Permit,
    decision: &Decision,
    owner: &Untrusted,
    members: &[usize],
    ours: &mut [Hold],
) -> Answer<()> {
    let group = ports.levers.scaling_group(&decision.scope, owner).await?;
    // Read after the group: what we have suspended there stands in a hold that is read now.
    let all = ports.holds.holds(&decision.scope).await?;
    let open: Vec<&Hold> = all.iter().filter(|h| h.state != HoldState::Released).collect();
    let held: Vec<InstanceId> = open.iter().map(|h| h.instance.clone()).collect();
    let planned = freeze_scaling_group::plan(&group, &held);
    let ours_already = open.iter().flat_map(|h| &h.measures).filter(|m| relies(m));
    let wanted: Vec<String> = ours_already.chain(&planned).flat_map(|m| suspends(m, owner)).cloned().collect();
    for n in members {
        let hold = &ours[*n];
        // Each hold carries all that it relies on, so that the last one puts back what the others left to it.
        let lately = hold.measures.iter().filter(|m| m.state == MeasureState::Undone).flat_map(|m| suspends(m, owner));
        let standing = |p: &String| hold.measures.iter().any(|m| relies(m) && suspends(m, owner).contains(p));
        let mut missing: Vec<String> = Vec::new();
        for process in wanted.iter().chain(lately).filter(|p| !standing(p)) {
            if !missing.contains(process) {
                missing.push(process.clone());
            }
        }
        let more: Vec<Measure> = freeze_scaling_group::suspend(owner, missing).into_iter().collect();
        let unmade = hold.measures.iter().any(|m| m.state == MeasureState::Intended && !suspends(m, owner).is_empty());
        if more.is_empty() && !unmade {
            continue;
        }
        let by = Untrusted::new("respond");
        if let Some(made) = measures::make(measure_ports(ports), permit, &by, hold, more).await? {
            ours[*n] = made.hold;
        }
    }
    Ok(())
}

fn relies(measure: &Measure) -> bool {
    !matches!(measure.state, MeasureState::Undoing | MeasureState::Undone)
}

/// The processes of a group that a measure suspends.
fn suspends<'a>(measure: &'a Measure, owner: &Untrusted) -> &'a [String] {
    match &measure.apply {
        picket_model::Change::SuspendProcesses { group, processes } if group == owner => processes,
        _ => &[],
    }
}

/// Plans and makes the measures of instances that are contained.
///
/// # Errors
/// The first passing fault; every other instance is secured all the same, and the rest is resumed.
pub(super) async fn secure(
    ports: &Ports<'_>,
    in_force: &InForce,
    permit: &Permit,
    live: &Live,
    held: Vec<Hold>,
) -> Answer<()> {
    let outcomes = join_all(held.iter().map(|hold| secure_one(ports, in_force, permit, live, hold))).await;
    outcomes.into_iter().find(Result::is_err).unwrap_or(Ok(()))
}

fn anew(measure: &Measure) -> Measure {
    Measure { state: MeasureState::Intended, ..measure.clone() }
}

async fn secure_one(ports: &Ports<'_>, in_force: &InForce, permit: &Permit, live: &Live, hold: &Hold) -> Answer<()> {
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
                let mut planned = actions::afterwards(&Subject { facts: &facts, case: &hold.case });
                // Put back just now, which the facts may not show yet.
                planned.extend(hold.measures.iter().filter(|m| m.state == MeasureState::Undone).map(anew));
                planned
            }
        },
    };
    let by = Untrusted::new("respond");
    let Some(Made { hold: made, passing }) = measures::make(measure_ports(ports), permit, &by, hold, planned).await?
    else {
        return Ok(());
    };
    if let Some(error) = passing {
        return Err(error);
    }
    let secured = Hold { secured: true, lease_until: ports.clock.now(), ..made.clone() };
    ports.holds.update(&made, &secured, &[]).await.map(drop)
}
