//! The changing half of respond: holds, interfaces, closing. What is read again is judged in `verifying`.

use std::collections::{HashMap, HashSet};

use futures::StreamExt as _;
use futures::future::{join_all, try_join_all};
use futures::try_join;
use jiff::Timestamp;
use picket_model::notice::InterfaceOutcome;
use picket_model::{
    Capture, Decision, Entry, Event, Hold, HoldState, InstanceId, InterfaceId, NoticeKind, Plan, Step, Untrusted,
    Verification,
};

use super::cutting;
use super::taking::{LEASE, Taken, take_holds, until};
use super::{Ports, Responded, digest, notice, refuse, reopened, securing, verifying};
use crate::actions::{contain_interface, open_window};
use crate::in_force::{InForce, Settings};
use crate::measures;
use crate::messages::Message;
use crate::permit::{self, Permit};
use crate::plan::Live;
use crate::ports::{Answer, Kind, PortError, Which};
use crate::rails::Members;
use crate::reasons;

/// How many interfaces are changed at once. EC2's bucket for the call holds 100 and refills with 5 a second.
const AT_ONCE: usize = 100;

/// What became of the change of one interface.
type Changed = (InstanceId, Capture, Answer<()>);

/// What is carried out: what the rails let through, and what it is based on.
pub(super) struct Going<'a> {
    /// The policy.
    pub(super) in_force: &'a InForce,
    /// The leave to do it.
    pub(super) permit: &'a Permit,
    /// What is done.
    pub(super) plan: &'a Plan,
    /// What was read.
    pub(super) live: &'a Live,
    /// Groups that a suspicion must leave some members.
    pub(super) members: Vec<Members>,
}

/// Takes the holds, changes, verifies, closes and tells.
pub(super) async fn carry_out(
    ports: &Ports<'_>,
    settings: &Settings,
    decision: &Decision,
    going: &Going<'_>,
) -> Answer<Responded> {
    let Going { in_force, permit, plan, live, .. } = *going;
    let taken = match take_holds(ports, decision, going).await? {
        Taken::Refused(refusal) => return refuse(ports, settings, decision, plan, live, refusal).await,
        Taken::Holds(taken) => taken,
    };
    if taken.ours.is_empty() {
        return Ok(taken.busy.map_or(Responded::Nothing, Responded::Later));
    }
    if let Some(refusal) = taken.over {
        // What is ours already goes on; people learn of the rest.
        refuse(ports, settings, decision, plan, live, refusal).await?;
    }
    let ours = securing::freeze_owners(ports, permit, decision, live, taken.ours).await?;
    let changes: Vec<_> = plan.steps.iter().filter_map(|s| change_of(s, &ours)).collect();
    // Nothing that may be contained is opened once more.
    let first = changes.iter().filter(|(i, ..)| !taken.again.contains(i));
    let first: Vec<(InstanceId, Capture)> = first.map(|(i, c, _)| (i.clone(), c.clone())).collect();
    let windows = &cutting::open_windows(ports, in_force, permit, decision, live, &first).await;
    let all: Vec<(Changed, Option<InterfaceId>)> = futures::stream::iter(changes)
        .map(|(instance, before, hold)| async move {
            let (aws, scope, interface) = (ports.containment, &decision.scope, &before.interface);
            let (opened, answer) = match (live.quarantine.get(&before.vpc), measures::in_time(ports.clock, hold)) {
                (_, Err(late)) => (false, Err(late)),
                (Some(q), Ok(())) => match windows.get(interface) {
                    None => (false, contain_interface::apply(aws, permit, scope, interface, q).await),
                    Some(open) => open_window::apply(aws, permit, scope, interface, (open, q)).await,
                },
                (None, Ok(())) => {
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
    securing::secure(ports, settings, in_force, permit, decision, live, closed).await?;
    match taken.busy {
        Some(why) => Ok(Responded::Later(why)),
        None => Ok(Responded::Contained(plan.steps.len())),
    }
}

fn change_of<'a>(step: &Step, ours: &'a [Hold]) -> Option<(InstanceId, Capture, &'a Hold)> {
    let Step::Contain { instance, before } = step else { return None };
    let hold = ours.iter().find(|h| &h.instance == instance)?;
    Some((instance.clone(), before.clone(), hold))
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
    let reopened;
    (after.interfaces, after.instances, reopened) = try_join!(
        ports.cloud.interfaces(&decision.scope, &ids),
        ports.cloud.instances(&decision.scope, &which),
        reopened::read(ports, how.permit, &decision.scope, before),
    )?;
    let (ours, words) = cutting::cut(ports, how.in_force, how.permit, &after, ours, (how.opened, contained_at)).await?;
    let failed: HashMap<InterfaceId, &PortError> =
        changed.iter().filter_map(|(_, c, a)| a.as_ref().err().map(|e| (c.interface.clone(), e))).collect();
    let answered: Vec<&InterfaceId> = changed.iter().map(|(_, c, _)| &c.interface).collect();
    let mut outcomes = Vec::new();
    let mut closing = Vec::new();
    for hold in &ours {
        let found = verifying::verify(hold, &after, plan, &failed, (&words, &reopened, contained_at));
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
    let deadline = ours.iter().filter_map(|h| h.deadline.clone()).min_by_key(|d| d.at);
    let kind = NoticeKind::Quarantined { interfaces, contained_at, deadline };
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
                false => reasons::add(ports.holds, &hold, &decision.case, until(in_force, decision, now), now).await?,
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
    let permit = permit::to_go_on(in_force, &decision.case).ok();
    if !open.is_empty() {
        let how = How { in_force, permit: permit.as_ref(), opened: &HashSet::new() };
        unsecured.extend(close(ports, settings, decision, &nothing, live, open, Vec::new(), now, how).await?);
    }
    let secured = unsecured.len();
    if let Some(permit) = &permit {
        securing::secure(ports, settings, in_force, permit, decision, live, unsecured).await?;
    }
    Ok(if count + secured == 0 { Responded::Nothing } else { Responded::Contained(count) })
}
