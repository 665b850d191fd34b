//! The changing half of respond: holds, interfaces, closing. What is read again is judged in `verifying`.

use std::collections::{HashMap, HashSet};

use futures::StreamExt as _;
use futures::future::{join_all, try_join_all};
use futures::try_join;
use jiff::{SignedDuration, Timestamp};
use picket_model::notice::InterfaceOutcome;
use picket_model::{
    Capture, Decision, Entry, Event, GroupId, Hold, HoldState, InstanceId, InterfaceId, Measure, MeasureState,
    NoticeKind, Plan, Step, TriggerKind, Untrusted, Verification,
};

use super::cutting;
use super::{Ports, Responded, digest, notice, refuse, securing, verifying};
use crate::actions::{contain_interface, open_window};
use crate::in_force::{InForce, Settings};
use crate::measures;
use crate::messages::Message;
use crate::permit::{self, Permit, Refusal};
use crate::plan::Live;
use crate::ports::{Answer, Begun, Budget, Kind, PortError, Which};
use crate::reasons;

/// How long one worker may act on an instance alone; longer than the function's time limit.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How many interfaces are changed at once. EC2's bucket for the call holds 100 and refills with 5 a second.
const AT_ONCE: usize = 100;

/// What became of the change of one interface.
type Changed = (InstanceId, Capture, Answer<()>);

/// Takes the holds, changes, verifies, closes and tells.
pub(super) async fn carry_out(
    ports: &Ports<'_>,
    settings: &Settings,
    in_force: &InForce,
    permit: &Permit,
    decision: &Decision,
    plan: &Plan,
    live: &Live,
) -> Answer<Responded> {
    let taken = match take_holds(ports, in_force, decision, plan, live).await? {
        Taken::Refused(refusal) => return refuse(ports, settings, decision, plan, refusal).await,
        Taken::Holds(taken) => taken,
    };
    if taken.ours.is_empty() {
        return Ok(taken.busy.map_or(Responded::Nothing, Responded::Later));
    }
    let ours = securing::freeze_owners(ports, permit, decision, live, taken.ours).await?;
    let changes: Vec<_> = plan.steps.iter().filter_map(|s| change_of(s, &ours)).collect();
    let windows = &cutting::open_windows(ports, in_force, permit, decision, live, &changes).await;
    let all: Vec<(Changed, Option<InterfaceId>)> = futures::stream::iter(changes)
        .map(|(instance, before)| async move {
            let (aws, scope, interface) = (ports.containment, &decision.scope, &before.interface);
            let (opened, answer) = match (live.quarantine.get(&before.vpc), windows.get(interface)) {
                (Some(q), None) => (false, contain_interface::apply(aws, permit, scope, interface, q).await),
                (Some(q), Some(open)) => open_window::apply(aws, permit, scope, interface, (open, q)).await,
                (None, _) => {
                    (false, Err(PortError::new("finding the quarantine group of", &before.vpc, Kind::Other, "none")))
                }
            };
            let opened = opened.then(|| before.interface.clone());
            ((instance, before, answer), opened)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let (changed, opened): (Vec<Changed>, Vec<_>) = all.into_iter().unzip();
    let opened: HashSet<InterfaceId> = opened.into_iter().flatten().collect();
    let contained_at = ports.clock.now();
    cutting::shut_windows(ports, permit, decision, windows).await;
    let how = How { in_force, permit: Some(permit), opened: &opened };
    let closed = close(ports, settings, decision, plan, live, ours, changed, contained_at, how).await?;
    securing::secure(ports, in_force, permit, live, closed).await?;
    match taken.busy {
        Some(why) => Ok(Responded::Later(why)),
        None => Ok(Responded::Contained(plan.steps.len())),
    }
}

fn change_of(step: &Step, ours: &[Hold]) -> Option<(InstanceId, Capture)> {
    match step {
        Step::Contain { instance, before } if ours.iter().any(|h| &h.instance == instance) => {
            Some((instance.clone(), before.clone()))
        }
        _ => None,
    }
}

struct Holds {
    ours: Vec<Hold>,
    busy: Option<String>,
}

enum Taken {
    Holds(Holds),
    Refused(Refusal),
}

/// Makes a hold for each instance of the plan, or takes over one that another worker left.
async fn take_holds(
    ports: &Ports<'_>,
    in_force: &InForce,
    decision: &Decision,
    plan: &Plan,
    live: &Live,
) -> Answer<Taken> {
    let now = ports.clock.now();
    let hour = now.strftime("%Y-%m-%dT%H").to_string();
    let budget = Budget { hour, limit: in_force.policy.blast_radius.instances_per_hour };
    let mut new: Vec<Hold> = plan.instances().into_iter().map(|i| new_hold(decision, plan, live, i, now)).collect();
    let mut taken = Holds { ours: Vec::new(), busy: None };
    loop {
        if new.is_empty() {
            return Ok(Taken::Holds(taken));
        }
        let intents: Vec<Entry> = new.iter().flat_map(|h| intents(decision, plan, h, now)).collect();
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
                    match take_over(ports, decision, plan, live, hold, wanted, now).await? {
                        Ok(hold) => taken.ours.extend(hold),
                        Err(busy) => taken.busy = Some(busy),
                    }
                }
            }
        }
    }
}

/// Takes over a hold that exists: `Ok(None)` if nothing may be done about it, `Err` if somebody else is at it.
async fn take_over(
    ports: &Ports<'_>,
    decision: &Decision,
    plan: &Plan,
    live: &Live,
    found: &Hold,
    wanted: Option<Hold>,
    now: Timestamp,
) -> Answer<Result<Option<Hold>, String>> {
    let Some(wanted) = wanted else { return Ok(Ok(None)) };
    // Our plan may be older than the hold: what another worker contained meanwhile is not contained once more.
    if found.state == HoldState::Contained && is_contained(ports, found, live).await? {
        return Ok(Ok(None));
    }
    let next = match found.state {
        HoldState::Containing | HoldState::Releasing if found.lease_until > now => {
            return Ok(Err(format!("{} is being worked on", found.instance)));
        }
        // Left half done, or opened again by somebody else: the captures that were written first stay.
        HoldState::Containing | HoldState::Contained | HoldState::Releasing => Hold {
            state: HoldState::Containing,
            captures: keep_first(&found.captures, &wanted.captures),
            quarantine: both(&found.quarantine, &wanted.quarantine),
            also: with_case(found, decision),
            // What was left half done is still the same containment; what was opened again is another.
            times: found.times + u32::from(found.state == HoldState::Contained),
            lease_until: wanted.lease_until,
            ..made_again(found)
        },
        HoldState::Released if overrides_release(decision, found) => {
            let captures = wanted.captures.into_iter().map(|c| as_before(found, c)).collect();
            Hold { captures, times: found.times + 1, ..wanted }
        }
        HoldState::Released => return Ok(Ok(None)),
    };
    let mut entries = intents(decision, plan, &next, now);
    entries.extend(measures::intents_again(found, &next, &Untrusted::new("respond"), now));
    if ports.holds.update(found, &next, &entries).await? {
        Ok(Ok(Some(next)))
    } else {
        Ok(Err(format!("somebody else took {}", found.instance)))
    }
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
        next.secured = false;
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
        measures: Vec::new(),
        secured: false,
    }
}

pub(super) fn entry(hold: &Hold, at: Timestamp, subject: &InterfaceId, event: Event, details: &str) -> Entry {
    Entry {
        case: hold.case.clone(),
        at,
        subject: subject.to_string(),
        event,
        by: Untrusted::new("respond"),
        details: Untrusted::new(details),
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

/// What cutting needs beside what closing knows.
#[derive(Clone, Copy)]
struct How<'a> {
    in_force: &'a InForce,
    permit: Option<&'a Permit>,
    opened: &'a HashSet<InterfaceId>,
}

/// Reads every interface again, cuts what outlives the swap, closes the holds that are contained, and tells people.
#[allow(clippy::too_many_arguments, reason = "what one run knows, used once, at its end")]
async fn close(
    ports: &Ports<'_>,
    settings: &Settings,
    decision: &Decision,
    plan: &Plan,
    before: &Live,
    ours: Vec<Hold>,
    changed: Vec<Changed>,
    contained_at: Timestamp,
    how: How<'_>,
) -> Answer<Vec<Hold>> {
    let ids: Vec<InstanceId> = ours.iter().map(|h| h.instance.clone()).collect();
    let mut after = before.clone();
    // Whether it was running is read again, too: one that booted meanwhile may have connected before it was cut.
    let which = Which::Ids(ids.clone());
    (after.interfaces, after.instances) =
        try_join!(ports.cloud.interfaces(&decision.scope, &ids), ports.cloud.instances(&decision.scope, &which))?;
    let (ours, words) = cutting::cut(ports, how.in_force, how.permit, &after, ours, (how.opened, contained_at)).await?;
    let failed: HashMap<InterfaceId, &PortError> =
        changed.iter().filter_map(|(_, c, a)| a.as_ref().err().map(|e| (c.interface.clone(), e))).collect();
    let answered: Vec<&InterfaceId> = changed.iter().map(|(_, c, _)| &c.interface).collect();
    let mut outcomes = Vec::new();
    let mut closing = Vec::new();
    for hold in &ours {
        let found = verifying::verify(hold, &after, plan, &failed, &words);
        let entries = verifying::entries(hold, &found, &answered, &failed, contained_at);
        let leaking = found.iter().any(|o| matches!(o.verification, Verification::Leaking(_)));
        let state = if leaking { HoldState::Containing } else { HoldState::Contained };
        // What is contained stays ours until it is secured; what is not may be taken over at once.
        let lease = if leaking { contained_at } else { contained_at.saturating_add(LEASE).unwrap_or(contained_at) };
        let next = Hold { state, lease_until: lease, ..hold.clone() };
        outcomes.extend(found);
        closing.push((hold, next, entries));
    }
    // Told before it is closed: a crash in between tells the same notice again, which is told once.
    tell(ports, settings, decision, &ours, outcomes, contained_at).await?;
    let kept =
        try_join_all(closing.iter().map(|(hold, next, entries)| ports.holds.update(hold, next, entries))).await?;
    // What failed for a passing reason is tried again, with the rest contained and told.
    match changed.into_iter().find_map(|(_, _, a)| a.err().filter(|e| e.kind == Kind::Transient)) {
        Some(error) => Err(error),
        None => {
            let closed = closing.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|((_, next, _), _)| next);
            Ok(closed.filter(|h| h.state == HoldState::Contained).collect())
        }
    }
}

async fn tell(
    ports: &Ports<'_>,
    settings: &Settings,
    decision: &Decision,
    ours: &[Hold],
    interfaces: Vec<InterfaceOutcome>,
    contained_at: Timestamp,
) -> Answer<()> {
    // A leak is told even if the same instances were told of without one, and its end is told, too.
    let leaking = |o: &&InterfaceOutcome| matches!(o.verification, Verification::Leaking(_));
    let leaks: Vec<&str> = interfaces.iter().filter(leaking).map(|o| o.interface.as_str()).collect();
    let word = if leaks.is_empty() { String::new() } else { format!("/leaking/{}", digest(leaks)) };
    // The same containment is told once; the same instances contained anew are told anew.
    let of: Vec<String> = ours.iter().map(|h| format!("{}@{}", h.instance, h.times)).collect();
    let id = format!("{}/quarantined/{}{word}", decision.case, digest(of.iter().map(String::as_str)));
    let mut decision = decision.clone();
    decision.targets.retain(|t| ours.iter().any(|h| t.instance.as_ref() == Some(&h.instance)));
    decision.score.unknown.extend(securing::not_done(ours));
    let kind = NoticeKind::Quarantined { interfaces, contained_at };
    ports.queues.send(vec![Message::Notice(Box::new(notice(&decision, settings, id, kind, ports)))]).await
}

/// Takes up what a worker left: holds whose change was made and never said, and holds that are not secured yet.
pub(super) async fn resume(
    ports: &Ports<'_>,
    settings: &Settings,
    in_force: &InForce,
    decision: &Decision,
    live: &Live,
) -> Answer<Responded> {
    let now = ports.clock.now();
    let ids = decision.targets.iter().filter_map(|t| t.instance.as_ref());
    let found = join_all(ids.map(|id| ports.holds.hold(&decision.scope, id))).await;
    let (mut open, mut unsecured) = (Vec::new(), Vec::new());
    for hold in found {
        let Some(mut hold) = hold? else { continue };
        if reasons::is_new(&hold, &decision.case) {
            let counted = match hold.lease_until > now {
                true => None,
                false => reasons::add(ports.holds, &hold, &decision.case, now).await?,
            };
            match counted {
                Some(counted) => hold = counted,
                None => return Ok(Responded::Later(format!("{} is being worked on", hold.instance))),
            }
        }
        match hold.state {
            HoldState::Containing if hold.lease_until > now => {
                return Ok(Responded::Later(format!("{} is being worked on", hold.instance)));
            }
            HoldState::Containing => open.push(hold),
            HoldState::Contained if !hold.secured && hold.lease_until <= now => {
                let claimed = Hold { lease_until: now.saturating_add(LEASE).unwrap_or(now), ..hold.clone() };
                unsecured.extend(ports.holds.update(&hold, &claimed, &[]).await?.then_some(claimed));
            }
            _ => {}
        }
    }
    let nothing =
        Plan { case: decision.case.clone(), scope: decision.scope.clone(), steps: Vec::new(), skipped: Vec::new() };
    let count = open.len();
    let permit = permit::for_plan(in_force, decision, &nothing).ok();
    if !open.is_empty() {
        let how = How { in_force, permit: permit.as_ref(), opened: &HashSet::new() };
        unsecured.extend(close(ports, settings, decision, &nothing, live, open, Vec::new(), now, how).await?);
    }
    let secured = unsecured.len();
    if let Some(permit) = &permit {
        securing::secure(ports, in_force, permit, live, unsecured).await?;
    }
    Ok(if count + secured == 0 { Responded::Nothing } else { Responded::Contained(count) })
}
