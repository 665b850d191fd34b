//! Connections that outlive the swap of groups: which rungs of the ladder are made for each interface of an instance
//! that ran, and how it is called when it is read again. The ladder itself, which is pure, is `flows`.
//!
//! Guarantees: rungs are measures like all others, with an intent and a way back in the hold before they are made; what
//! could not be read is never called cut; a failure here costs the word, not the containment.

use std::collections::{HashMap, HashSet};

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use picket_model::{
    Capture, Decision, FlowFacts, GroupId, Hold, Instance, InstanceId, InstanceState, InterfaceId, Measure,
    MeasureState, Untrusted, Verification, VpcId,
};

use super::{Ports, securing};
use crate::flows::{self, Rung};
use crate::in_force::InForce;
use crate::measures;
use crate::permit::Permit;
use crate::plan::Live;
use crate::ports::Answer;

/// How often it is read whether a rung shows, before what is read counts.
const READS: u32 = 3;

/// Interfaces that go through the open window: each with the open group of its VPC.
pub(super) type Windows = HashMap<InterfaceId, GroupId>;
/// What is said of interfaces in quarantine.
pub(super) type Words = HashMap<InterfaceId, Verification>;

/// Sooner after its launch no instance has a connection: the call takes a second and a half, AWS five to start it, and
/// the quickest system one more until it is on the network (daemonology.net, EC2 boot time benchmarking, 2021).
const SOONEST: SignedDuration = SignedDuration::from_secs(7);

/// Whether an instance is known to have had no connections by `at`. One that is shown as starting may be running, as
/// reads may be late; only its age tells.
pub(super) fn is_idle(instance: &Instance, at: Timestamp) -> bool {
    match instance.state {
        InstanceState::Stopped => true,
        InstanceState::Pending => at.duration_since(instance.launched_at) < SOONEST,
        _ => false,
    }
}

/// Whether an instance may have connections.
fn may_have_run(live: &Live, instance: &InstanceId, at: Timestamp) -> bool {
    live.instances.iter().any(|i| &i.id == instance && !i.state.is_gone() && !is_idle(i, at))
}

/// Whether it is shown to run.
fn ran(live: &Live, instance: &InstanceId) -> bool {
    let up = |s| matches!(s, InstanceState::Running | InstanceState::Stopping);
    live.instances.iter().any(|i| &i.id == instance && up(i.state))
}

/// Makes the rungs for what is in quarantine, without a permit none, and says what is left open.
///
/// # Errors
/// If the store cannot be written.
pub(super) async fn cut(
    ports: &Ports<'_>,
    in_force: &InForce,
    permit: Option<&Permit>,
    after: &Live,
    ours: Vec<Hold>,
    (opened, contained_at): (&HashSet<InterfaceId>, Timestamp),
) -> Answer<(Vec<Hold>, Words)> {
    let Some(first) = ours.first() else { return Ok((ours, Words::new())) };
    let held = |h: &Hold, c: &Capture| {
        let shown = after.of(&h.instance).find(|i| i.id == c.interface);
        may_have_run(after, &h.instance, contained_at) && shown.is_some_and(|i| after.is_contained(i))
    };
    let of: Vec<(InstanceId, Capture)> = ours
        .iter()
        .flat_map(|h| h.captures.iter().filter(|c| held(h, c)).map(|c| (h.instance.clone(), c.clone())))
        .collect();
    if of.is_empty() {
        return Ok((ours, Words::new()));
    }
    let facts = match ports.levers.flow_facts(&first.scope, &of).await {
        Ok(facts) => facts,
        Err(error) => return Ok((ours, unread(&of, &error.to_string()))),
    };
    let chosen: HashMap<InterfaceId, (Vec<Rung>, Vec<String>)> =
        facts.iter().map(|f| (f.interface.clone(), flows::choose(f, &in_force.policy.flows))).collect();
    let ours = match permit {
        Some(permit) => try_join_all(ours.into_iter().map(|h| climb(ports, permit, h, &facts, &chosen))).await?,
        None => ours,
    };
    let facts = read_again(ports, &ours, &of, facts).await;
    let word = |f: &FlowFacts| {
        let left = chosen.get(&f.interface).map(|(_, left)| left.clone()).unwrap_or_default();
        let left = [left, refused(&ours, &f.interface)].concat();
        (f.interface.clone(), flows::word(f, opened.contains(&f.interface), &left, contained_at))
    };
    let mut words: Words = facts.iter().map(word).collect();
    // An interface that AWS did not show when asked for its facts: it is in quarantine, and no more is known.
    let missing: Vec<_> = of.into_iter().filter(|(_, c)| !words.contains_key(&c.interface)).collect();
    words.extend(unread(&missing, "AWS did not show it"));
    Ok((ours, words))
}

fn unread(of: &[(InstanceId, Capture)], why: &str) -> Words {
    let text = format!("it may have been running, and what ends connections that were open could not be read: {why}");
    of.iter().map(|(_, c)| (c.interface.clone(), Verification::Pending(text.clone()))).collect()
}

/// Makes the rungs of one hold.
async fn climb(
    ports: &Ports<'_>,
    permit: &Permit,
    hold: Hold,
    facts: &[FlowFacts],
    chosen: &HashMap<InterfaceId, (Vec<Rung>, Vec<String>)>,
) -> Answer<Hold> {
    let mine = facts.iter().filter(|f| f.instance == hold.instance);
    let mut more: Vec<Measure> = Vec::new();
    for rung in mine.filter_map(|f| chosen.get(&f.interface)).flat_map(|(rungs, _)| rungs) {
        // Two interfaces behind one gateway come to measures of their own: their addresses differ.
        if let Rung::Make(measure) = rung {
            more.push((**measure).clone());
        }
    }
    if more.is_empty() {
        return Ok(hold);
    }
    let by = Untrusted::new("respond");
    let made = measures::make(securing::measure_ports(ports), permit, &by, &hold, more).await?;
    // Somebody else changed the hold: whoever closes it will find out.
    Ok(made.map_or(hold, |m| m.hold))
}

/// Reads what the rungs changed, until it shows or was asked for often enough.
async fn read_again(
    ports: &Ports<'_>,
    ours: &[Hold],
    of: &[(InstanceId, Capture)],
    before: Vec<FlowFacts>,
) -> Vec<FlowFacts> {
    let rungs = || ours.iter().flat_map(|h| &h.measures).filter(|m| flows::is_rung(&m.apply));
    let made = rungs().filter(|m| m.state == MeasureState::Done).count();
    let (Some(first), true) = (ours.first(), made > 0) else { return before };
    let mut facts = before;
    for _ in 0..READS {
        match ports.levers.flow_facts(&first.scope, of).await {
            Ok(found) => facts = found,
            Err(error) => tracing::warn!(%error, "the rungs could not be read again"),
        }
        if facts.iter().all(|f| rungs().filter(|m| m.state == MeasureState::Done).all(|m| flows::shows(f, &m.apply))) {
            break;
        }
    }
    facts
}

/// Rungs of an interface that AWS refused.
fn refused(ours: &[Hold], interface: &InterfaceId) -> Vec<String> {
    let of = |m: &&Measure| flows::is_of(&m.apply, interface);
    let why = |m: &Measure| match &m.state {
        MeasureState::Failed(why) => Some(format!("{}: {why}", m.action)),
        _ => None,
    };
    let mine = ours.iter().filter(|h| h.captures.iter().any(|c| &c.interface == interface));
    mine.flat_map(|h| &h.measures).filter(of).filter_map(why).collect()
}

/// Opens the windows that the policy allows: an open group in each VPC where an interface needs one. Whatever fails
/// here leaves the interface to the swap alone.
pub(super) async fn open_windows(
    ports: &Ports<'_>,
    in_force: &InForce,
    permit: &Permit,
    decision: &Decision,
    live: &Live,
    changes: &[(InstanceId, Capture)],
) -> Windows {
    let mut windows = Windows::new();
    if !in_force.policy.flows.open_window {
        return windows;
    }
    let of: Vec<_> = changes.iter().filter(|(i, _)| ran(live, i)).cloned().collect();
    let facts = match ports.levers.flow_facts(&decision.scope, &of).await {
        Ok(facts) => facts,
        Err(error) => {
            tracing::warn!(%error, "connections could not be read; no window is opened");
            return windows;
        }
    };
    let mut groups: HashMap<VpcId, Option<GroupId>> = HashMap::new();
    for facts in facts.iter().filter(|f| flows::choose(f, &in_force.policy.flows).0.contains(&Rung::OpenWindow)) {
        let Some((_, capture)) = of.iter().find(|(_, c)| c.interface == facts.interface) else { continue };
        if !groups.contains_key(&capture.vpc) {
            let made = ports.containment.open_group(permit, &decision.scope, &capture.vpc).await;
            let made = made.map_err(|error| tracing::warn!(%error, "no window is opened")).ok();
            groups.insert(capture.vpc.clone(), made);
        }
        if let Some(Some(group)) = groups.get(&capture.vpc) {
            windows.insert(facts.interface.clone(), group.clone());
        }
    }
    windows
}

/// Removes the open groups: AWS refuses while an interface is in one, and then the sweep has that closed.
pub(super) async fn shut_windows(ports: &Ports<'_>, permit: &Permit, decision: &Decision, windows: &Windows) {
    let mut groups: Vec<&GroupId> = windows.values().collect();
    groups.sort();
    groups.dedup();
    for group in groups {
        if let Err(error) = ports.containment.remove_group(permit, &decision.scope, group).await {
            tracing::warn!(%group, %error, "an open group could not be removed");
        }
    }
}

/// Whether only stopping ends what an instance has open, and the policy allows it.
///
/// # Errors
/// If that could not be read for a passing reason.
pub(super) async fn is_to_stop(ports: &Ports<'_>, in_force: &InForce, live: &Live, hold: &Hold) -> Answer<bool> {
    if !in_force.policy.flows.stop || !ran(live, &hold.instance) {
        return Ok(false);
    }
    let of: Vec<_> = hold.captures.iter().map(|c| (hold.instance.clone(), c.clone())).collect();
    let facts = ports.levers.flow_facts(&hold.scope, &of).await?;
    let stops = |f: &FlowFacts| flows::choose(f, &in_force.policy.flows).0.contains(&Rung::Stop);
    Ok(facts.iter().any(stops))
}

#[cfg(test)]
#[path = "cutting_tests.rs"]
mod tests;
