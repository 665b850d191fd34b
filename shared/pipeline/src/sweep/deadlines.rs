//! Holds whose time is over, and releases that a dead worker left.

use jiff::Timestamp;
use picket_model::{AtDeadline, Decision, Hold, HoldState, Notice, NoticeKind, Score, TriggerKind, Untrusted, Verdict};

use crate::release::{Because, Order, target};

/// The orders that go on with releases whose worker died.
pub(super) fn unfinished(holds: &[Hold], now: Timestamp) -> Vec<Order> {
    let left = holds.iter().filter(|h| h.state == HoldState::Releasing && h.lease_until <= now);
    left.map(|hold| {
        let said = hold.released.as_ref();
        let by = said.map_or_else(|| Untrusted::new("picket"), |r| r.by.clone());
        let reason = said.map_or_else(|| Untrusted::new("a release that was left half done"), |r| r.reason.clone());
        order(hold, Because::LeftHalfDone, by, reason)
    })
    .collect()
}

/// The orders that lift what is suspected and was kept by nobody.
pub(super) fn lift(holds: &[Hold], now: Timestamp) -> Vec<Order> {
    let due = holds.iter().filter(|h| h.due(now) == Some(AtDeadline::Lift) && h.lease_until <= now);
    due.map(|hold| {
        let at = hold.deadline.as_ref().map_or(now, |d| d.at);
        let reason = Untrusted::new(&format!("nobody kept it by {at}, and it is only suspected"));
        order(hold, Because::Deadline, Untrusted::new("picket"), reason)
    })
    .collect()
}

fn order(hold: &Hold, because: Because, by: Untrusted, reason: Untrusted) -> Order {
    let (scope, instances) = (hold.scope.clone(), vec![hold.instance.clone()]);
    Order { scope, case: None, instances, by, reason, force: false, because, plan_only: false }
}

/// One notice for each case that is confirmed and that nobody has kept or released in time. Told once.
pub(super) fn escalate(holds: &[Hold], stack: &str, now: Timestamp) -> Vec<Notice> {
    let mut cases: Vec<(&Hold, Vec<&Hold>)> = Vec::new();
    for hold in holds.iter().filter(|h| h.due(now) == Some(AtDeadline::Escalate)) {
        match cases.iter_mut().find(|(first, _)| first.case == hold.case) {
            Some((_, all)) => all.push(hold),
            None => cases.push((hold, vec![hold])),
        }
    }
    cases.into_iter().map(|(first, all)| notice(first, &all, stack, now)).collect()
}

fn notice(first: &Hold, all: &[&Hold], stack: &str, now: Timestamp) -> Notice {
    let why = format!("held since {} and nobody has said what becomes of it: keep it or release it", first.since);
    let decision = Decision {
        case: first.case.clone(),
        verdict: Verdict::Quarantine,
        scope: first.scope.clone(),
        targets: all.iter().map(|h| target(h)).collect(),
        score: Score::default(),
        principal: None,
        trigger: TriggerKind::Schedule,
        triggered_at: first.since,
        policy: String::new(),
        ordered: false,
    };
    let id = format!("{}/escalated/{}", first.case, first.since.as_microsecond());
    Notice { id, kind: NoticeKind::Escalated { why, held: true }, decision, at: now, stack: stack.to_owned() }
}
