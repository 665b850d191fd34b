//! Answers to questions, by people and by the clock; and the regular look after what was left half done.

use picket_model::fix::{Answered, AtExpiry, Fix, FixState, StepState};
use picket_model::{Event, Scope, Untrusted};

use super::{Order, Outcome, Ports, Say, Settings, in_force, resume_known, run, telling};
use crate::ports::Answer;

/// Takes an answer; a yes is carried out against what is there now.
///
/// # Errors
/// If something could not be read or written for a passing reason.
pub async fn answer(ports: &Ports<'_>, settings: &Settings, say: &Say) -> Answer<Outcome> {
    let Some(known) = ports.store.fix(&say.scope, &say.id).await? else { return Ok(Outcome::Unknown) };
    if let Some(why) = unanswerable(ports, &known, say) {
        return Ok(Outcome::Refused { why });
    }
    let answered =
        Answered { approved: say.approve, by: say.by.clone(), at: ports.clock.now(), reason: say.reason.clone() };
    match keep(ports, &known, answered).await? {
        Some(next) => go_on(ports, settings, &next).await,
        None => Ok(Outcome::Refused { why: "somebody else answered at the same time; look again".to_owned() }),
    }
}

/// Why it cannot be answered.
fn unanswerable(ports: &Ports<'_>, known: &Fix, say: &Say) -> Option<String> {
    let Some(approval) = &known.approval else { return Some("nobody is asked about it".to_owned()) };
    if let Some(answer) = &approval.answer {
        let word = if answer.approved { "yes" } else { "no" };
        return Some(format!("it was answered {word} by {} at {}", answer.by, answer.at));
    }
    if known.state != FixState::Proposed {
        return Some(format!("nobody is asked about it: it is {}", known.state));
    }
    if approval.expires_at <= ports.clock.now() {
        return Some(format!("it could be answered until {}", approval.expires_at));
    }
    let other = say.question.as_ref().is_some_and(|q| q != &approval.question);
    other.then(|| "this link is for an earlier question; open the one of the last alert".to_owned())
}

/// Writes the answer. `None` if somebody else was faster.
async fn keep(ports: &Ports<'_>, known: &Fix, answered: Answered) -> Answer<Option<Fix>> {
    let (event, now) = (if answered.approved { Event::Approved } else { Event::Denied }, answered.at);
    let mut next = known.clone();
    next.at = now;
    if !answered.approved {
        next.state = FixState::Denied;
    }
    let (by, reason) = (answered.by.clone(), answered.reason.to_string());
    if let Some(approval) = &mut next.approval {
        approval.answer = Some(answered);
    }
    let entries: Vec<_> = (0..next.steps.len())
        .map(|n| picket_model::Entry { by: by.clone(), ..telling::entry(&next, n, event, &reason, now) })
        .collect();
    Ok(ports.store.update_fix(known, &next, &entries).await?.then_some(next))
}

/// What follows from an answer.
pub(super) async fn go_on(ports: &Ports<'_>, settings: &Settings, fix: &Fix) -> Answer<Outcome> {
    if fix.state == FixState::Denied {
        telling::denied(ports, settings, fix).await?;
        return Ok(Outcome::Denied { fix: Box::new(fix.clone()) });
    }
    // It is read, planned and permitted anew; the yes counts if it comes to the same.
    let aims = fix.steps.iter().map(|s| s.aim.clone()).collect();
    let cause = fix.cause.clone();
    let order = Order { scope: fix.scope.clone(), aims, cause, ask: false, plan_only: false };
    let outcome = run(ports, settings, &order).await?;
    match &outcome {
        Outcome::Already | Outcome::Noted => close(ports, fix, "there was nothing left to do").await?,
        Outcome::Refused { why } => close(ports, fix, why).await?,
        Outcome::Planned { .. } => close(ports, fix, "the mode is observe").await?,
        _ => {}
    }
    Ok(outcome)
}

/// A yes that led to nothing is no longer open; the next finding asks anew.
async fn close(ports: &Ports<'_>, fix: &Fix, why: &str) -> Answer<()> {
    let Some(known) = ports.store.fix(&fix.scope, &fix.id).await? else { return Ok(()) };
    if known.state != FixState::Proposed || known.is_asked(ports.clock.now()) {
        return Ok(());
    }
    let mut next = Fix { state: FixState::Failed, at: ports.clock.now(), ..known.clone() };
    for step in &mut next.steps {
        step.state = StepState::Failed(Untrusted::new(why));
    }
    ports.store.update_fix(&known, &next, &[]).await.map(drop)
}

/// Goes on with what was left half done, and closes questions that nobody answered in time.
///
/// # Errors
/// If something could not be read or written; the others are looked after all the same.
pub async fn look_after(ports: &Ports<'_>, settings: &Settings, scope: &Scope) -> Answer<Outcome> {
    let (all, in_force) = futures::try_join!(ports.store.fixes(scope), in_force::read(ports.policies, settings))?;
    let now = ports.clock.now();
    let (mut count, mut failed) = (0, None);
    for fix in &all {
        let outcome = match fix.state {
            FixState::Applying | FixState::Undoing if fix.lease_until <= now => {
                resume_known(ports, settings, &in_force, fix).await
            }
            FixState::Proposed if !fix.is_asked(now) => settle(ports, settings, fix).await,
            _ => continue,
        };
        match outcome {
            Ok(outcome) => {
                tracing::info!(fix = %fix.id, outcome = outcome.name(), "looked after");
                count += 1;
            }
            Err(error) => {
                tracing::warn!(fix = %fix.id, %error, "could not be looked after now");
                failed = Some(error);
            }
        }
    }
    failed.map_or(Ok(Outcome::LookedAfter { fixes: count }), Err)
}

/// A question whose time is over, or whose yes was not carried out.
async fn settle(ports: &Ports<'_>, settings: &Settings, fix: &Fix) -> Answer<Outcome> {
    let Some(approval) = &fix.approval else { return Ok(Outcome::Already) };
    if approval.answer.is_some() {
        return go_on(ports, settings, fix).await;
    }
    let approved = approval.at_expiry == AtExpiry::Fix;
    let reason = if approved { "the policy makes it then" } else { "the policy leaves it then" };
    let nobody = Answered {
        approved,
        by: Untrusted::new("nobody, in time"),
        at: ports.clock.now(),
        reason: Untrusted::new(reason),
    };
    match keep(ports, fix, nobody).await? {
        Some(next) => go_on(ports, settings, &next).await,
        None => Ok(Outcome::Already),
    }
}
