//! What people are told of a release: that it is done, that it is not, and that a deadline could not be kept.

use picket_model::{Decision, Hold, Notice, NoticeKind, Score, Target, TriggerKind, Untrusted, Verdict};

use super::restore::Attempt;
use super::{Because, Order, Ports, Restored};
use crate::in_force::Settings;
use crate::messages::Message;
use crate::ports::{Answer, Kind};

/// Told once for what was released.
pub(super) async fn released(
    ports: &Ports<'_>,
    settings: &Settings,
    order: &Order,
    holds: &[Hold],
    restored: &[Restored],
) -> Answer<()> {
    let Some(first) = holds.first() else { return Ok(()) };
    let kind = NoticeKind::Released {
        by: order.by.clone(),
        reason: order.reason.clone(),
        restored: restored.iter().map(|r| (r.interface.clone(), r.to.clone())).collect(),
    };
    // The same hold released again after a crash is one notice; the same instance held anew is another.
    let id = format!("{}/released/{}/{}", first.case, first.instance, first.since.as_microsecond());
    send(ports, settings, order, holds, id, kind).await
}

/// Told once for what is neither held as it was nor released, unless that passes by itself and a person waits for it.
pub(super) async fn unfinished(
    ports: &Ports<'_>,
    settings: &Settings,
    order: &Order,
    attempts: &[Attempt],
) -> Answer<()> {
    for attempt in attempts {
        let Some(error) = &attempt.failed else { continue };
        if error.kind == Kind::Transient && order.because != Because::LeftHalfDone {
            continue;
        }
        let hold = &attempt.releasing;
        let what =
            format!("the release of {} is not finished: {error}. It is tried again with each sweep", hold.instance);
        let id = format!("{}/unfinished/{}/{}", hold.case, hold.instance, hold.since.as_microsecond());
        send(ports, settings, order, std::slice::from_ref(hold), id, NoticeKind::Trouble { what }).await?;
    }
    Ok(())
}

/// Told once that a deadline is over and nothing was lifted, because somebody changed what would be put back.
pub(super) async fn stopped(
    ports: &Ports<'_>,
    settings: &Settings,
    order: &Order,
    holds: &[Hold],
    differences: &[String],
) -> Answer<()> {
    let Some(first) = holds.first() else { return Ok(()) };
    let why = format!(
        "its time is over, and it was not lifted: {}. Look, then release it with --force",
        differences.join("; ")
    );
    let id = format!("{}/overdue/{}/{}", first.case, first.instance, first.since.as_microsecond());
    send(ports, settings, order, holds, id, NoticeKind::Escalated { why, held: true }).await
}

async fn send(
    ports: &Ports<'_>,
    settings: &Settings,
    order: &Order,
    holds: &[Hold],
    id: String,
    kind: NoticeKind,
) -> Answer<()> {
    let Some(first) = holds.first() else { return Ok(()) };
    let at = ports.clock.now();
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
    let notice = Notice { id, kind, decision, at, stack: settings.stack.clone() };
    ports.queues.send(vec![Message::Notice(Box::new(notice))]).await
}

/// A held instance, as notices name it.
pub(crate) fn target(hold: &Hold) -> Target {
    Target {
        asset: hold.instance.to_string(),
        instance: Some(hold.instance.clone()),
        vpc: None,
        instance_type: None,
        name: Untrusted::default(),
        node_of: None,
    }
}
