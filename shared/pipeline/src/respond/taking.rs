//! Taking holds: new ones, those that another worker left, and those that were released and are held anew.

use jiff::{SignedDuration, Timestamp};
use picket_model::{
    Capture, Deadline, Decision, Entry, Event, GroupId, Hold, HoldState, Instance, InstanceId, Measure, MeasureState,
    Plan, Tier, TriggerKind, Untrusted,
};

use super::Ports;
use super::containing::{Going, entry};
use crate::in_force::InForce;
use crate::measures;
use crate::permit::Refusal;
use crate::plan::Live;
use crate::ports::{Answer, Begun, Budget, Counter};
use crate::rails::{self, Members};
use crate::reasons;

/// How long one worker may act on an instance alone: the function's time limit of a minute, and then as long as a call
/// may be under way.
pub(super) const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// How long a read may show what was there before.
const READS_LAG: SignedDuration = SignedDuration::from_secs(120);
/// The holds that were taken.
pub(super) struct Holds {
    pub(super) ours: Vec<Hold>,
    /// Those of them that were held before: their interfaces may be contained, whatever a late read shows.
    pub(super) again: Vec<InstanceId>,
    pub(super) busy: Option<String>,
    /// Why some were not taken, beside others that were.
    pub(super) over: Option<Refusal>,
}

/// What came of taking them.
pub(super) enum Taken {
    Holds(Holds),
    Refused(Refusal),
}

/// Makes a hold for each instance of the plan, or takes over one that another worker left.
pub(super) async fn take_holds(ports: &Ports<'_>, decision: &Decision, going: &Going<'_>) -> Answer<Taken> {
    let Going { in_force, plan, live, .. } = *going;
    let now = ports.clock.now();
    let radius = &in_force.policy.blast_radius;
    let running = match radius.percent_per_hour {
        Some(_) => ports.holds.running(&decision.scope.account).await?,
        None => None,
    };
    let hour = now.strftime("%Y-%m-%dT%H").to_string();
    let mut budget = Budget { hour, limit: radius.limit(running), also: Vec::new() };
    let (tier, deadline) = until(in_force, decision, now);
    let new_hold = |i| Hold { tier, deadline: deadline.clone(), ..new_hold(decision, plan, live, i, now) };
    let mut new: Vec<Hold> = plan.instances().into_iter().map(new_hold).collect();
    let mut taken = Holds { ours: Vec::new(), again: Vec::new(), busy: None, over: None };
    loop {
        if new.is_empty() {
            return Ok(match taken.over.take_if(|_| taken.ours.is_empty()) {
                Some(refusal) => Taken::Refused(refusal),
                None => Taken::Holds(taken),
            });
        }
        let intents: Vec<Entry> = new.iter().flat_map(|h| intents(decision, plan, h, now)).collect();
        budget.also = counters(going, &new);
        match ports.holds.begin(&new, &intents, &budget).await? {
            Begun::All => {
                taken.ours.extend(new);
                return Ok(Taken::Holds(taken));
            }
            Begun::OverBudget => {
                return Ok(Taken::Refused(Refusal::BlastRadius { wanted: new.len(), limit: budget.limit }));
            }
            Begun::Existing(existing) => {
                for hold in &existing {
                    let wanted = new.iter().find(|n| n.instance == hold.instance).cloned();
                    new.retain(|n| n.instance != hold.instance);
                    match take_over(ports, decision, going, hold, wanted, &budget).await? {
                        Took::Ours(took) => {
                            taken.again.extend((hold.state != HoldState::Released).then(|| hold.instance.clone()));
                            taken.ours.push(*took);
                        }
                        Took::Nothing => {}
                        Took::Busy(why) => taken.busy = Some(why),
                        Took::OverBudget => {
                            taken.over = Some(Refusal::BlastRadius { wanted: 1, limit: budget.limit });
                        }
                    }
                }
            }
        }
    }
}

/// The counters of the groups that a suspicion must leave some members, whoever takes them.
fn counters(going: &Going<'_>, new: &[Hold]) -> Vec<Counter> {
    let of = |m: &Members| {
        let member = |i: &&Instance| rails::owner(i) == Some(&m.group) && new.iter().any(|h| h.instance == i.id);
        let count = going.live.instances.iter().filter(member).count();
        Counter { name: format!("group/{}", m.group), count, limit: m.in_this_hour }
    };
    going.members.iter().map(of).filter(|c| c.count > 0).collect()
}

/// What came of an attempt to take over a hold that exists.
enum Took {
    /// It is ours.
    Ours(Box<Hold>),
    /// Nothing may, or needs to, be done about it.
    Nothing,
    /// Somebody else is at it.
    Busy(String),
    /// It was released, and the hour's budget does not allow to hold it anew.
    OverBudget,
}

/// Takes over a hold that exists.
async fn take_over(
    ports: &Ports<'_>,
    decision: &Decision,
    going: &Going<'_>,
    found: &Hold,
    wanted: Option<Hold>,
    budget: &Budget,
) -> Answer<Took> {
    let Going { plan, live, .. } = *going;
    let Some(wanted) = wanted else { return Ok(Took::Nothing) };
    // Our plan may be older than the hold: what another worker contained meanwhile is not contained once more.
    if found.state == HoldState::Contained && is_contained(ports, found, live).await? {
        return Ok(Took::Nothing);
    }
    let now = wanted.since;
    let at_work = found.lease_until > now && (found.state != HoldState::Contained || !found.secured);
    let next = match found.state {
        HoldState::Containing | HoldState::Contained | HoldState::Releasing if at_work => {
            return Ok(Took::Busy(format!("{} is being worked on", found.instance)));
        }
        // Its worker died. The sweep goes on with it: what a person lets go is not held again by the way.
        HoldState::Releasing if !overrides_release(decision, found) => return Ok(Took::Nothing),
        // Left half done, or opened again by somebody else: the captures that were written first stay.
        HoldState::Containing | HoldState::Contained | HoldState::Releasing => Hold {
            state: HoldState::Containing,
            captures: keep_first(&found.captures, &wanted.captures),
            quarantine: both(&found.quarantine, &wanted.quarantine),
            also: with_case(found, decision),
            // What was left half done is still the same containment; what was opened again is another.
            times: found.times + u32::from(found.state == HoldState::Contained),
            lease_until: wanted.lease_until,
            // Whoever takes it goes on to secure it: until that is done, a release waits for the lease.
            secured: false,
            ..made_again(found)
        },
        HoldState::Released if overrides_release(decision, found) => {
            let captures = wanted.captures.into_iter().map(|c| as_before(found, c)).collect();
            Hold { captures, times: found.times + 1, measures: undone_just_now(found, now), ..wanted }
        }
        HoldState::Released => return Ok(Took::Nothing),
    };
    let mut entries = intents(decision, plan, &next, now);
    entries.extend(measures::intents_again(found, &next, &Untrusted::new("respond"), now));
    let begun = match found.state {
        HoldState::Released => ports.holds.begin_again(found, &next, &entries, budget).await?,
        _ if ports.holds.update(found, &next, &entries).await? => Begun::All,
        _ => Begun::Existing(Vec::new()),
    };
    Ok(match begun {
        Begun::All => Took::Ours(Box::new(next)),
        Begun::Existing(_) => Took::Busy(format!("somebody else took {}", found.instance)),
        Begun::OverBudget => Took::OverBudget,
    })
}

/// The measures that were put back so lately that a late read may still show them as made. They are made anew.
fn undone_just_now(found: &Hold, now: Timestamp) -> Vec<Measure> {
    let lately = found.released.as_ref().is_some_and(|r| now.duration_since(r.at) < READS_LAG);
    let back = |m: &&Measure| lately && m.state == MeasureState::Undone && m.undo.is_some();
    found.measures.iter().filter(back).cloned().collect()
}

async fn is_contained(ports: &Ports<'_>, hold: &Hold, live: &Live) -> Answer<bool> {
    let interfaces = ports.cloud.interfaces(&hold.scope, std::slice::from_ref(&hold.instance)).await?;
    // One that we may not change came later, or was not seen before: then it leaks, and people are to be told.
    Ok(interfaces.iter().all(|i| live.is_contained(i)))
}

fn with_case(found: &Hold, decision: &Decision) -> Vec<picket_model::CaseId> {
    let mut also = found.also.clone();
    also.extend(Some(decision.case.clone()).filter(|c| reasons::is_new(found, c)));
    also
}

/// What a person released stays released, unless a person orders it again or GuardDuty reports it anew.
fn overrides_release(decision: &Decision, hold: &Hold) -> bool {
    let since = hold.released.as_ref().map_or(Timestamp::MIN, |r| r.at);
    let new_finding = decision.trigger == TriggerKind::GuardDuty && decision.triggered_at > since;
    decision.ordered || new_finding
}

/// A release that stopped half way may have put measures back without saying so: they are made again.
fn made_again(found: &Hold) -> Hold {
    let mut next = found.clone();
    if found.state == HoldState::Releasing {
        let back = |m: &&mut Measure| m.undo.is_some() && !matches!(m.state, MeasureState::Failed(_));
        next.measures.iter_mut().filter(back).for_each(|m| m.state = MeasureState::Intended);
        next.released = None;
    }
    next
}

/// What is captured of an interface that was released: if the read still shows the group that it was held in, the
/// capture that the release went back to.
fn as_before(found: &Hold, capture: Capture) -> Capture {
    let held = capture.groups.iter().all(|g| found.quarantine.contains(g));
    let before = found.captures.iter().find(|c| c.interface == capture.interface && held);
    before.cloned().unwrap_or(capture)
}

fn both(first: &[GroupId], later: &[GroupId]) -> Vec<GroupId> {
    let mut all = first.to_vec();
    all.extend(later.iter().filter(|l| !first.contains(l)).cloned());
    all
}

fn keep_first(first: &[Capture], later: &[Capture]) -> Vec<Capture> {
    let mut kept = first.to_vec();
    kept.extend(later.iter().filter(|l| !first.iter().any(|f| f.interface == l.interface)).cloned());
    kept
}

fn new_hold(decision: &Decision, plan: &Plan, live: &Live, instance: InstanceId, now: Timestamp) -> Hold {
    let captures = plan.captures_of(&instance);
    let mut quarantine: Vec<GroupId> = captures.iter().filter_map(|c| live.quarantine.get(&c.vpc).cloned()).collect();
    quarantine.dedup();
    Hold {
        scope: decision.scope.clone(),
        instance,
        case: decision.case.clone(),
        also: Vec::new(),
        lifted: Vec::new(),
        times: 0,
        state: HoldState::Containing,
        captures,
        quarantine,
        since: now,
        lease_until: now.saturating_add(LEASE).unwrap_or(now),
        released: None,
        tier: Tier::default(),
        deadline: None,
        kept: None,
        measures: Vec::new(),
        secured: false,
    }
}

fn intents(decision: &Decision, plan: &Plan, hold: &Hold, now: Timestamp) -> Vec<Entry> {
    let to = hold.quarantine.iter().map(GroupId::as_str).collect::<Vec<_>>().join(", ");
    let why = decision.score.reasons.first().map_or("ordered", |r| r.says.as_str());
    let of = |c: &Capture| {
        let from = c.groups.iter().map(GroupId::as_str).collect::<Vec<_>>().join(", ");
        let text = format!("{}: {from} -> {to}; {why}", hold.instance);
        entry(hold, now, &c.interface, Event::ContainIntended, &text)
    };
    plan.captures_of(&hold.instance).iter().map(of).collect()
}

/// How sure this decision is, and what becomes of its holds that nobody looks at.
pub(super) fn until(in_force: &InForce, decision: &Decision, now: Timestamp) -> (Tier, Option<Deadline>) {
    let tier = in_force.policy.holds.tier(decision.score.total, decision.ordered);
    (tier, in_force.policy.holds.deadline(tier, now))
}
