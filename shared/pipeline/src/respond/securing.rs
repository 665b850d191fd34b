//! What respond does around containment: freeze the owner before, secure the instance after. Containment waits for the
//! freeze but never for its success, and nothing that fails here undoes it.

use std::collections::BTreeMap;

use futures::future::join_all;
use picket_checks::policy::Containment;
use picket_model::{Change, Decision, Hold, HoldState, Instance, InstanceId, Measure, MeasureState, Owner, Untrusted};

use super::{Ports, cutting};
use crate::actions::{self, Subject};
use crate::in_force::InForce;
use crate::measures::{self, Made};
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
    let all = match ports.holds.holds(&decision.scope).await {
        Ok(all) => all.into_iter().filter(|h| h.state != HoldState::Released).collect(),
        Err(error) => {
            tracing::warn!(%error, "the holds could not be listed; those of this decision alone count as held");
            ours.clone()
        }
    };
    let reads = owned.into_values().map(|members| async move {
        let found = ports.levers.owners(&decision.scope, members[0].1).await;
        (members.into_iter().map(|(n, _)| n).collect::<Vec<_>>(), found)
    });
    let mut wanted: Vec<Vec<Measure>> = vec![Vec::new(); ours.len()];
    for (members, found) in join_all(reads).await {
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

/// The measure that freezes an owner, for one hold: the one that another hold carries already, which knows what was
/// there before the first, or a new one.
fn freeze(owner: &Owner, hold: &Hold, all: &[Hold]) -> Option<Measure> {
    let held: Vec<InstanceId> = all.iter().map(|h| h.instance.clone()).collect();
    let planned = actions::freeze(owner, &hold.instance, &held);
    let known = all.iter().flat_map(|h| &h.measures).find(|m| m.state != MeasureState::Undone && freezes(m, owner));
    let measure = known.cloned().or(planned)?;
    let carried = hold.measures.iter().any(|m| m.apply == measure.apply && m.state != MeasureState::Undone);
    (!carried).then_some(Measure { state: MeasureState::Intended, ..measure })
}

fn freezes(measure: &Measure, owner: &Owner) -> bool {
    match (&measure.apply, owner) {
        (Change::SuspendProcesses { group, .. }, Owner::ScalingGroup(of)) => group == &of.name,
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
    if more.is_empty() {
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

async fn secure_one(ports: &Ports<'_>, in_force: &InForce, permit: &Permit, live: &Live, hold: &Hold) -> Answer<()> {
    let gone = !live.instances.iter().any(|i| i.id == hold.instance && !i.state.is_gone());
    let planned = match in_force.policy.containment {
        Containment::ContainOnly => Vec::new(),
        Containment::Full => match ports.levers.facts(&hold.scope, &hold.instance).await {
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
                actions::afterwards(&Subject { facts: &facts, case: &hold.case, lock_days, remove_profile, stop })
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
