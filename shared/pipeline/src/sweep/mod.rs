//! Sweep: what events missed, what was left half done, and whose time is over. It lists, asks the other stages to look,
//! and changes nothing: what is to be lifted is lifted by the release function, which alone may.

mod deadlines;

use jiff::Timestamp;
use picket_model::{
    Decision, Hold, HoldState, InstanceState, Interface, Reason, Scope, Score, Subject, Target, Trigger, TriggerKind,
    Untrusted, Verdict,
};

use crate::messages::{Message, Prepare};
use crate::ports::{Answer, Cloud, Holds, Inventory, Queues, Releases, Seen};

/// How many instances one request to look at covers.
const PER_LOOK: usize = 50;

/// What sweep needs.
pub struct Ports<'a> {
    /// Reads AWS.
    pub cloud: &'a dyn Cloud,
    /// Keeps what was seen when.
    pub inventory: &'a dyn Inventory,
    /// Knows what was left half done.
    pub holds: &'a dyn Holds,
    /// Asks discover and respond, and tells.
    pub queues: &'a dyn Queues,
    /// Starts what only the release function may do.
    pub releases: &'a dyn Releases,
}

/// What a sweep found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Instances that discover will look at.
    pub instances: usize,
    /// Clusters that discover will look at.
    pub clusters: usize,
    /// Holds that were left half done and are taken up again.
    pub resumed: usize,
    /// Holds whose deadline is over.
    pub due: usize,
}

/// Sweeps one account and Region.
///
/// # Errors
/// If something cannot be listed; the next sweep tries again.
pub async fn run(ports: &Ports<'_>, stack: &str, scope: &Scope, now: Timestamp) -> Answer<Swept> {
    let (instances, clusters, vpcs, holds, open, _) = futures::try_join!(
        ports.cloud.standing(scope),
        ports.cloud.clusters(scope),
        ports.cloud.vpcs(scope),
        ports.holds.holds(scope),
        ports.cloud.in_open_groups(scope),
        ports.inventory.first_seen(&scope.account, &[Seen::Watching], now),
    )?;
    let ids: Vec<_> = instances.iter().filter(|(_, state)| !state.is_gone()).map(|(id, _)| id.clone()).collect();
    let running = instances.iter().filter(|(_, state)| *state == InstanceState::Running).count();
    ports.inventory.keep_running(scope, running).await?;
    let looks = ids.chunks(PER_LOOK).map(|part| Subject::Instances(part.to_vec()));
    let looks = looks.chain(clusters.iter().cloned().map(Subject::Cluster));
    let mut messages: Vec<_> =
        looks.map(|subject| Message::Look(Box::new(Trigger::scheduled(scope.clone(), subject, now)))).collect();
    let half_done: Vec<_> = holds.iter().filter(|h| is_left_half_done(h, now)).collect();
    messages.extend(half_done.iter().map(|h| Message::Decision(Box::new(resume(h, now)))));
    messages.extend(deadlines::escalate(&holds, stack, now).into_iter().map(|n| Message::Notice(Box::new(n))));
    messages.extend(left_open(&open, &holds, now).into_iter().map(|d| Message::Decision(Box::new(d))));
    if !vpcs.is_empty() {
        messages.push(Message::Prepare(Prepare { scope: scope.clone(), vpcs }));
    }
    if !messages.is_empty() {
        ports.queues.send(messages).await?;
    }
    let (unfinished, lifted) = (deadlines::unfinished(&holds, now), deadlines::lift(&holds, now));
    for order in unfinished.iter().chain(&lifted) {
        ports.releases.start(order).await?;
    }
    let resumed = half_done.len() + unfinished.len();
    Ok(Swept { instances: ids.len(), clusters: clusters.len(), resumed, due: lifted.len() })
}

fn is_left_half_done(hold: &Hold, now: Timestamp) -> bool {
    let open = hold.state == HoldState::Containing || (hold.state == HoldState::Contained && !hold.secured);
    open && hold.lease_until < now
}

/// Decisions that close what a worker left in an open group, longer than a window takes. What is being contained right
/// now is left to whoever does that.
fn left_open(open: &[Interface], holds: &[Hold], now: Timestamp) -> Vec<Decision> {
    let of = |i: &Interface| holds.iter().find(|h| i.instance.as_ref() == Some(&h.instance));
    let late = open.iter().filter_map(of).filter(|h| h.lease_until < now && !is_left_half_done(h, now));
    let mut decisions: Vec<Decision> = Vec::new();
    for hold in late {
        let decision = resume(hold, now);
        if !decisions.iter().any(|d| d.targets == decision.targets) {
            decisions.push(decision);
        }
    }
    decisions
}

/// The decision that goes on with a hold whose worker died.
fn resume(hold: &Hold, now: Timestamp) -> Decision {
    let reason = Reason {
        signal: "left_half_done".to_owned(),
        weight: 100,
        says: format!("containment of {} began at {} and was not finished", hold.instance, hold.since),
        evidence: format!("hold of {}", hold.case),
    };
    Decision {
        case: hold.case.clone(),
        verdict: Verdict::Quarantine,
        scope: hold.scope.clone(),
        targets: vec![Target {
            asset: hold.instance.to_string(),
            instance: Some(hold.instance.clone()),
            vpc: hold.captures.first().map(|c| c.vpc.clone()),
            instance_type: None,
            name: Untrusted::default(),
            node_of: None,
        }],
        score: Score { total: 100, reasons: vec![reason], unknown: Vec::new() },
        principal: None,
        trigger: TriggerKind::Schedule,
        triggered_at: now,
        policy: String::new(),
        ordered: false,
    }
}

#[cfg(test)]
mod tests;
