//! Release: lift a quarantine, on purpose. A person orders it; it puts every interface back exactly as it was captured.
//!
//! Flow: read the holds and live interfaces -> compare with what containment left -> if anything differs, refuse unless
//! told -> intents -> restore every interface at once -> read again -> close -> tell.
//! Guarantees: groups come back in their captured order; two releases are one; nothing is restored half by a refusal.
//! Caveats: what containment ended, such as open connections, does not come back.

use futures::future::{join_all, try_join_all};
use futures::try_join;
use jiff::{SignedDuration, Timestamp};
use picket_model::case::Release;
use picket_model::{
    Capture, CaseId, Decision, Entry, Event, GroupId, Hold, HoldState, InstanceId, Interface, InterfaceId, Notice,
    NoticeKind, Scope, Score, Target, TriggerKind, Untrusted, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::actions::restore_interface;
use crate::in_force::Settings;
use crate::measures;
use crate::messages::Message;
use crate::permit;
use crate::ports::{Answer, Clock, Cloud, Containment, Holds, Levers, PortError, Queues};
use crate::reasons::{self, StillHeld};

/// How long one worker may release an instance alone.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// What release needs.
pub struct Ports<'a> {
    /// Reads AWS.
    pub cloud: &'a dyn Cloud,
    /// Changes groups.
    pub containment: &'a dyn Containment,
    /// Changes everything else.
    pub levers: &'a dyn Levers,
    /// Keeps holds and the journal.
    pub holds: &'a dyn Holds,
    /// Hands over to notify.
    pub queues: &'a dyn Queues,
    /// Tells the time.
    pub clock: &'a dyn Clock,
}

/// What a person orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Where.
    pub scope: Scope,
    /// All holds of this case.
    #[serde(default)]
    pub case: Option<CaseId>,
    /// Or the holds of these instances.
    #[serde(default)]
    pub instances: Vec<InstanceId>,
    /// Who orders it, as AWS knows them.
    pub by: Untrusted,
    /// Why.
    pub reason: Untrusted,
    /// Restore even what was changed since.
    #[serde(default)]
    pub force: bool,
    /// Say what would be done, and do nothing.
    #[serde(default)]
    pub plan_only: bool,
}

/// What became of one interface, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The instance.
    pub instance: InstanceId,
    /// The interface.
    pub interface: InterfaceId,
    /// The groups that it had before the release.
    pub from: Vec<GroupId>,
    /// The groups of its capture, in order.
    pub to: Vec<GroupId>,
}

/// What a release came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Released {
    /// Put back, or what would be.
    Done {
        /// Interface by interface.
        restored: Vec<Restored>,
        /// What else is put back, in words.
        #[serde(default)]
        undone: Vec<String>,
        /// What stays, such as snapshots.
        #[serde(default)]
        stays: Vec<String>,
        /// What other cases hold too, and so stays in quarantine.
        #[serde(default)]
        still_held: Vec<StillHeld>,
        /// Whether it was only planned.
        planned: bool,
    },
    /// There was nothing left to release.
    Already,
    /// Refused: what is there is not what containment left, or what would be restored is gone.
    Refused {
        /// One line for each difference.
        differences: Vec<String>,
    },
    /// No such hold.
    NotHeld,
    /// Another worker is at it; ask again in a minute.
    Busy {
        /// Which instance.
        instance: InstanceId,
    },
}

/// Carries out a release.
///
/// # Errors
/// If something could not be read, or one interface could not be restored; the rest is restored and journalled, and
/// the same order goes on where this one stopped.
pub async fn run(ports: &Ports<'_>, settings: &Settings, order: &Order) -> Answer<Released> {
    let now = ports.clock.now();
    let found = holds_of(ports, order).await?;
    if found.is_empty() {
        return Ok(Released::NotHeld);
    }
    let open: Vec<Hold> = found.into_iter().filter(|h| h.state != HoldState::Released).collect();
    if open.is_empty() {
        return Ok(Released::Already);
    }
    if let Some(busy) = open.iter().find(|h| is_busy(h, now)) {
        return Ok(Released::Busy { instance: busy.instance.clone() });
    }
    let (still_held, open) = leave_what_others_hold(ports, order, open, now).await?;
    if open.is_empty() {
        return Ok(Released::Done {
            restored: Vec::new(),
            undone: Vec::new(),
            stays: Vec::new(),
            still_held,
            planned: order.plan_only,
        });
    }
    let (live, exist, differences) = compare(ports, order, &open).await?;
    let restored = plan(&open, &live, &exist);
    if order.plan_only {
        return Ok(if differences.is_empty() || order.force {
            let (undone, stays): (Vec<_>, Vec<_>) = open.iter().map(measures::to_undo).unzip();
            Released::Done { restored, undone: undone.concat(), stays: stays.concat(), still_held, planned: true }
        } else {
            Released::Refused { differences }
        });
    }
    if !differences.is_empty() && !order.force {
        return Ok(Released::Refused { differences });
    }
    let mut released = carry_out(ports, settings, order, open, restored, now).await?;
    if let Released::Done { still_held: kept, .. } = &mut released {
        *kept = still_held;
    }
    Ok(released)
}

/// Lifts this case from what other cases hold too, and answers what stays and what can go.
async fn leave_what_others_hold(
    ports: &Ports<'_>,
    order: &Order,
    open: Vec<Hold>,
    now: Timestamp,
) -> Answer<(Vec<StillHeld>, Vec<Hold>)> {
    let Some(case) = &order.case else { return Ok((Vec::new(), open)) };
    let (mut stays, mut goes) = (Vec::new(), Vec::new());
    for hold in open {
        let by = reasons::others(&hold, case);
        if by.is_empty() {
            goes.push(hold);
            continue;
        }
        if !order.plan_only && hold.cases().any(|c| c == case) {
            reasons::lift(ports.holds, &hold, case, &order.by, now).await?;
        }
        stays.push(StillHeld { instance: hold.instance, by });
    }
    Ok((stays, goes))
}

/// Whether another worker is at it: what is contained and not secured yet is being secured.
fn is_busy(hold: &Hold, now: Timestamp) -> bool {
    let open = matches!(hold.state, HoldState::Containing | HoldState::Releasing);
    (open || !hold.secured) && hold.state != HoldState::Released && hold.lease_until > now
}

async fn holds_of(ports: &Ports<'_>, order: &Order) -> Answer<Vec<Hold>> {
    if let Some(case) = &order.case {
        let mut holds = ports.holds.holds(&order.scope).await?;
        holds.retain(|h| &h.case == case || h.also.contains(case));
        return Ok(holds);
    }
    let found = try_join_all(order.instances.iter().map(|i| ports.holds.hold(&order.scope, i))).await?;
    Ok(found.into_iter().flatten().collect())
}

/// Reads what is there now and says where it is not what containment left.
async fn compare(
    ports: &Ports<'_>,
    order: &Order,
    open: &[Hold],
) -> Answer<(Vec<Interface>, Vec<GroupId>, Vec<String>)> {
    let ids: Vec<_> = open.iter().map(|h| h.instance.clone()).collect();
    let mut groups: Vec<GroupId> = open.iter().flat_map(|h| &h.captures).flat_map(|c| c.groups.clone()).collect();
    groups.sort();
    groups.dedup();
    let (live, exist) =
        try_join!(ports.cloud.interfaces(&order.scope, &ids), ports.cloud.existing_groups(&order.scope, &groups))?;
    let mut differences = Vec::new();
    for (hold, capture) in open.iter().flat_map(|h| h.captures.iter().map(move |c| (h, c))) {
        differences.extend(difference(hold, capture, &live, &exist));
    }
    Ok((live, exist, differences))
}

fn difference(hold: &Hold, capture: &Capture, live: &[Interface], exist: &[GroupId]) -> Option<String> {
    let name = format!("{} of {}", capture.interface, hold.instance);
    let Some(now) = live.iter().find(|i| i.id == capture.interface) else {
        return Some(format!("{name} is gone; nothing can be put back there"));
    };
    if let Some(gone) = capture.groups.iter().find(|g| !exist.contains(g)) {
        return Some(format!("{name} was in {gone}, which does not exist any more"));
    }
    let contained = now.groups.len() == 1 && hold.quarantine.contains(&now.groups[0]);
    let restored = now.groups == capture.groups;
    (!contained && !restored)
        .then(|| format!("{name} was changed since: it is in {} and not in the quarantine group", list(&now.groups)))
}

/// What goes where. A group that does not exist any more is left out; whoever did not say so was refused before.
fn plan(open: &[Hold], live: &[Interface], exist: &[GroupId]) -> Vec<Restored> {
    let of = |h: &Hold, c: &Capture| {
        let now = live.iter().find(|i| i.id == c.interface);
        Restored {
            instance: h.instance.clone(),
            interface: c.interface.clone(),
            // None where it is not shown: it is gone, or the read is late. Trying tells which.
            from: now.map(|i| i.groups.clone()).unwrap_or_default(),
            to: c.groups.iter().filter(|g| exist.contains(g)).cloned().collect(),
        }
    };
    open.iter().flat_map(|h| h.captures.iter().map(move |c| of(h, c))).collect()
}

async fn carry_out(
    ports: &Ports<'_>,
    settings: &Settings,
    order: &Order,
    open: Vec<Hold>,
    restored: Vec<Restored>,
    now: Timestamp,
) -> Answer<Released> {
    let begun = try_join_all(open.iter().map(|hold| begin(ports, order, hold, &restored, now))).await?;
    let mut releasing = Vec::new();
    for (hold, found) in begun.into_iter().zip(&open) {
        match hold {
            Some(hold) => releasing.push(hold),
            None => return Ok(Released::Busy { instance: found.instance.clone() }),
        }
    }
    // One after the other: what several holds share is put back by the last of them.
    let (mut back, mut stays) = (Vec::new(), Vec::new());
    for hold in &mut releasing {
        let (undone, kept) = measures::to_undo(hold);
        match undo_measures(ports, order, hold).await? {
            Some(next) => *hold = next,
            None => return Ok(Released::Busy { instance: hold.instance.clone() }),
        }
        back.extend(undone);
        stays.extend(kept);
    }
    let attempted = join_all(releasing.into_iter().map(|hold| restore_one(ports, order, hold, &restored))).await;
    let done: Vec<_> = attempted.iter().filter(|a| a.failed.is_none()).flat_map(|a| a.restored.clone()).collect();
    let released: Vec<_> = attempted.iter().filter(|a| a.failed.is_none()).map(|a| a.releasing.clone()).collect();
    // Told before it is closed: a crash in between tells the same notice again, which is told once.
    tell(ports, settings, order, &released, &done).await?;
    try_join_all(attempted.iter().map(|a| close(ports, order, a))).await?;
    match attempted.into_iter().find_map(|a| a.failed) {
        Some(error) => Err(error),
        None => Ok(Released::Done { restored: done, undone: back, stays, still_held: Vec::new(), planned: false }),
    }
}

/// An instance whose interfaces were restored, or could not be.
struct Attempt {
    releasing: Hold,
    restored: Vec<Restored>,
    entries: Vec<Entry>,
    failed: Option<PortError>,
    at: Timestamp,
}

/// Takes the hold and journals what will be restored. `None` if somebody else took it.
async fn begin(
    ports: &Ports<'_>,
    order: &Order,
    hold: &Hold,
    all: &[Restored],
    now: Timestamp,
) -> Answer<Option<Hold>> {
    let releasing =
        Hold { state: HoldState::Releasing, lease_until: now.saturating_add(LEASE).unwrap_or(now), ..hold.clone() };
    let intents: Vec<_> = own(hold, all).map(|r| entry(hold, order, r, Event::ReleaseIntended, now)).collect();
    Ok(ports.holds.update(hold, &releasing, &intents).await?.then_some(releasing))
}

/// What is to be restored of an instance: every interface, whatever was read. A read may be late and show the groups of
/// before the quarantine; setting what is there already changes nothing, and leaving out what is not would keep it held.
fn own<'a>(hold: &'a Hold, all: &'a [Restored]) -> impl Iterator<Item = &'a Restored> {
    all.iter().filter(|r| r.instance == hold.instance)
}

/// Puts the measures of a hold back, while its interfaces are still in quarantine: if that fails, it is still held.
async fn undo_measures(ports: &Ports<'_>, order: &Order, hold: &Hold) -> Answer<Option<Hold>> {
    if measures::to_undo(hold).0.is_empty() {
        return Ok(Some(hold.clone()));
    }
    let mut others = ports.holds.holds(&order.scope).await?;
    others.retain(|o| o.instance != hold.instance && o.state != HoldState::Released);
    let permit = permit::for_release(&order.by, &hold.instance);
    let measuring = measures::Ports { levers: ports.levers, holds: ports.holds, clock: ports.clock };
    measures::undo(measuring, &permit, &order.by, hold, &others).await
}

/// Restores every interface of one instance.
async fn restore_one(ports: &Ports<'_>, order: &Order, hold: Hold, all: &[Restored]) -> Attempt {
    let mine: Vec<&Restored> = own(&hold, all).collect();
    let permit = permit::for_release(&order.by, &hold.instance);
    let calls =
        mine.iter().map(|r| restore_interface::apply(ports.containment, &permit, &order.scope, &r.interface, &r.to));
    let answers = join_all(calls).await;
    let at = ports.clock.now();
    let event = |ok: bool| if ok { Event::ReleaseDone } else { Event::ReleaseFailed };
    let entries =
        mine.iter().zip(&answers).map(|(r, a)| entry(&hold, order, r, event(matches!(a, Ok(true))), at)).collect();
    let back = mine.into_iter().zip(&answers).filter(|(_, a)| matches!(a, Ok(true)));
    let restored = back.map(|(r, _)| r.clone()).collect();
    Attempt { releasing: hold, restored, entries, failed: answers.into_iter().find_map(Result::err), at }
}

/// Closes the hold: released, or contained as before where an interface could not be restored.
async fn close(ports: &Ports<'_>, order: &Order, attempt: &Attempt) -> Answer<bool> {
    let release = Release { by: order.by.clone(), reason: order.reason.clone(), at: attempt.at };
    let closed = Hold {
        state: if attempt.failed.is_some() { HoldState::Contained } else { HoldState::Released },
        lease_until: attempt.at,
        released: Some(release).filter(|_| attempt.failed.is_none()),
        ..attempt.releasing.clone()
    };
    ports.holds.update(&attempt.releasing, &closed, &attempt.entries).await
}

fn entry(hold: &Hold, order: &Order, restored: &Restored, event: Event, at: Timestamp) -> Entry {
    let text = format!("{}: {} -> {}; {}", hold.instance, list(&restored.from), list(&restored.to), order.reason);
    Entry {
        case: hold.case.clone(),
        at,
        subject: restored.interface.to_string(),
        event,
        by: order.by.clone(),
        details: Untrusted::new(&text),
    }
}

fn list(groups: &[GroupId]) -> String {
    groups.iter().map(GroupId::as_str).collect::<Vec<_>>().join(", ")
}

async fn tell(
    ports: &Ports<'_>,
    settings: &Settings,
    order: &Order,
    holds: &[Hold],
    restored: &[Restored],
) -> Answer<()> {
    let Some(first) = holds.first() else { return Ok(()) };
    let at = ports.clock.now();
    let target = |h: &Hold| Target {
        asset: h.instance.to_string(),
        instance: Some(h.instance.clone()),
        vpc: None,
        instance_type: None,
        name: Untrusted::default(),
        node_of: None,
    };
    let decision = Decision {
        case: first.case.clone(),
        verdict: Verdict::Note,
        scope: order.scope.clone(),
        targets: holds.iter().map(target).collect(),
        score: Score::default(),
        principal: None,
        trigger: TriggerKind::Manual,
        triggered_at: at,
        policy: String::new(),
        ordered: true,
    };
    let notice = Notice {
        // The same hold released again after a crash is one notice; the same instance held anew is another.
        id: format!("{}/released/{}/{}", first.case, first.instance, first.since.as_microsecond()),
        kind: NoticeKind::Released {
            by: order.by.clone(),
            reason: order.reason.clone(),
            restored: restored.iter().map(|r| (r.interface.clone(), r.to.clone())).collect(),
        },
        decision,
        at,
        stack: settings.stack.clone(),
    };
    ports.queues.send(vec![Message::Notice(Box::new(notice))]).await
}

#[cfg(test)]
#[path = "release_tests.rs"]
mod tests;
