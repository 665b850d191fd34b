//! What a fix leaves in the journal, and what people are told of it. Each notice has a name, so that it is told once.

use jiff::Timestamp;
use picket_model::fix::{Fix, FixState};
use picket_model::notice::{Became, FixNotice};
use picket_model::text::sha256_hex;
use picket_model::{Decision, Entry, Event, Notice, NoticeKind, Score, Target, TriggerKind, Untrusted, Verdict};

use super::{Ports, Undo};
use crate::in_force::Settings;
use crate::messages::Message;
use crate::ports::Answer;

/// An entry about a step, by who caused the fix.
pub(super) fn entry(fix: &Fix, n: usize, event: Event, why: &str, at: Timestamp) -> Entry {
    let step = &fix.steps[n];
    let details = if why.is_empty() { step.says.clone() } else { Untrusted::new(why) };
    Entry {
        case: fix.id.clone(),
        at,
        subject: format!("{} {}", step.aim.action, Untrusted::new(&step.aim.target)),
        event,
        by: fix.cause.by(),
        details,
    }
}

/// An entry about a step that somebody puts back.
pub(super) fn by(fix: &Fix, n: usize, event: Event, why: &str, order: &Undo, at: Timestamp) -> Entry {
    let details = if why.is_empty() { order.reason.clone() } else { Untrusted::new(why) };
    Entry { by: order.by.clone(), details, ..entry(fix, n, event, "", at) }
}

/// Asks people, with the link and the command that answer.
pub(super) async fn asked(ports: &Ports<'_>, settings: &Settings, fix: &Fix) -> Answer<()> {
    let Some(approval) = &fix.approval else { return Ok(()) };
    let command = command(settings, &format!("approve {}", fix.id));
    let mut notice = blank(fix, Became::Proposed, &approval.because, Some(command));
    notice.link = ports.links.link(&fix.id, &approval.question, approval.expires_at);
    notice.expires_at = Some(approval.expires_at);
    tell(ports, settings, fix, &format!("asked/{}", approval.question), notice).await
}

/// It was made.
pub(super) async fn fixed(ports: &Ports<'_>, settings: &Settings, fix: &Fix) -> Answer<()> {
    let command = command(settings, &format!("fix undo {} --reason \"...\"", fix.id));
    let notice = blank(fix, Became::Fixed, &fix.cause.why().to_string(), Some(command));
    tell(ports, settings, fix, "fixed", notice).await
}

/// It was put back.
pub(super) async fn undone(ports: &Ports<'_>, settings: &Settings, fix: &Fix) -> Answer<()> {
    let said = fix.undone.as_ref().map(|u| format!("{}, by {}", u.reason, u.by)).unwrap_or_default();
    let at = fix.undone.as_ref().map_or(0, |u| u.at.as_microsecond());
    tell(ports, settings, fix, &format!("undone/{at}"), blank(fix, Became::Undone, &said, None)).await
}

/// AWS refused it.
pub(super) async fn failed(ports: &Ports<'_>, settings: &Settings, fix: &Fix, why: &str) -> Answer<()> {
    tell(ports, settings, fix, "failed", blank(fix, Became::Failed, why, None)).await
}

/// Somebody said no, or nobody answered.
pub(super) async fn denied(ports: &Ports<'_>, settings: &Settings, fix: &Fix) -> Answer<()> {
    let answer = fix.approval.as_ref().and_then(|a| a.answer.as_ref());
    let said = answer.map(|a| format!("{}: {}", a.by, a.reason)).unwrap_or_default();
    let question = fix.approval.as_ref().map(|a| a.question.clone()).unwrap_or_default();
    tell(ports, settings, fix, &format!("denied/{question}"), blank(fix, Became::Denied, &said, None)).await
}

/// A rail or a guard said no: journalled, and told once for each reason.
pub(super) async fn refused(ports: &Ports<'_>, settings: &Settings, fix: &Fix, why: &str) -> Answer<()> {
    said(ports, settings, fix, why, Event::Refused, Became::Refused).await
}

/// In observe mode: journalled, and told once for each plan.
pub(super) async fn would(ports: &Ports<'_>, settings: &Settings, fix: &Fix, why: &str) -> Answer<()> {
    said(ports, settings, fix, why, Event::Planned, Became::WouldFix).await
}

async fn said(
    ports: &Ports<'_>,
    settings: &Settings,
    fix: &Fix,
    why: &str,
    event: Event,
    became: Became,
) -> Answer<()> {
    // In the journal once an hour at most: the sweep finds the same every few minutes.
    let now = ports.clock.now();
    let hour = Timestamp::from_second(now.as_second() / 3600 * 3600).unwrap_or(now);
    let subject = Untrusted::new(&subject(fix)).to_string();
    let entry =
        Entry { case: fix.id.clone(), at: hour, subject, event, by: fix.cause.by(), details: Untrusted::new(why) };
    ports.store.note_fix(&[entry]).await?;
    let mut digest = sha256_hex(format!("{why}/{:?}", fix.words()).as_bytes());
    digest.truncate(12);
    tell(ports, settings, fix, &format!("{event:?}/{digest}"), blank(fix, became, why, None)).await
}

fn subject(fix: &Fix) -> String {
    match fix.steps.first() {
        Some(step) => format!("{} {}", step.aim.action, step.aim.target),
        None => fix.cause.why().to_string(),
    }
}

fn blank(fix: &Fix, became: Became, says: &str, command: Option<String>) -> FixNotice {
    FixNotice {
        id: fix.id.clone(),
        became,
        steps: fix.words(),
        says: says.to_owned(),
        by: fix.cause.by(),
        command,
        link: None,
        expires_at: None,
    }
}

fn command(settings: &Settings, rest: &str) -> String {
    format!("picket {rest} --stack {}", settings.stack)
}

async fn tell(ports: &Ports<'_>, settings: &Settings, fix: &Fix, word: &str, notice: FixNotice) -> Answer<()> {
    let at = ports.clock.now();
    let target = |name: String| Target {
        asset: name,
        instance: None,
        vpc: None,
        instance_type: None,
        name: Untrusted::default(),
        node_of: None,
    };
    let mut names: Vec<String> = fix.steps.iter().map(|s| Untrusted::new(&s.aim.target).to_string()).collect();
    names.dedup();
    let decision = Decision {
        case: fix.id.clone(),
        verdict: if fix.state == FixState::Proposed { Verdict::Notify } else { Verdict::Note },
        scope: fix.scope.clone(),
        targets: names.into_iter().map(target).collect(),
        score: Score::default(),
        principal: None,
        trigger: TriggerKind::Manual,
        triggered_at: at,
        policy: String::new(),
        ordered: false,
    };
    let notice = Notice {
        id: format!("{}/{}/{word}", fix.id, fix.round),
        kind: NoticeKind::Fix(Box::new(notice)),
        decision,
        at,
        stack: settings.stack.clone(),
    };
    ports.queues.send(vec![Message::Notice(Box::new(notice))]).await
}
