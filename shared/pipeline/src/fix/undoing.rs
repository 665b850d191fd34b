//! Undoing a fix, on purpose: every thing as it was before, last step first, compared before and read back after.

use picket_model::Event;
use picket_model::fix::{Answered, Fix, FixState, StepState};

use super::{Outcome, Ports, Undo, passes, stays, telling, until, waits};
use crate::fixes::{self, Ends, Stands};
use crate::in_force::Settings;
use crate::permit;
use crate::ports::{Answer, Kept, Kind, PortError};

/// Puts a fix back.
///
/// # Errors
/// If something could not be read or written; the same order goes on where this one stopped.
pub async fn undo(ports: &Ports<'_>, settings: &Settings, order: &Undo) -> Answer<Outcome> {
    let Some(known) = ports.store.fix(&order.scope, &order.id).await? else { return Ok(Outcome::Unknown) };
    let now = ports.clock.now();
    let busy = matches!(known.state, FixState::Applying | FixState::Undoing) && known.lease_until > now;
    if busy || known.state == FixState::Applying {
        return Ok(Outcome::Later { id: known.id, why: "another worker is at it".to_owned() });
    }
    if !matches!(known.state, FixState::Fixed | FixState::Failed | FixState::Undoing) {
        return Ok(Outcome::Already);
    }
    let (back, differences) = compare(ports, &known).await?;
    if !differences.is_empty() && !order.force {
        return Ok(Outcome::Changed { differences });
    }
    if order.plan_only {
        return Ok(Outcome::Undone { stays: stays(&known), fix: Box::new(known), planned: true });
    }
    let undoing = undoing(ports, order, &known);
    match take(ports, order, &known, &undoing, &back).await? {
        Kept::Yes => put_back(ports, settings, order, undoing, &back).await,
        Kept::NotItsTurn => Ok(waits(&known.id)),
        _ => Ok(Outcome::Later { id: known.id, why: "another worker was faster".to_owned() }),
    }
}

/// Which steps are to be put back, last first, and where somebody changed what the fix made.
async fn compare(ports: &Ports<'_>, fix: &Fix) -> Answer<(Vec<usize>, Vec<String>)> {
    let (mut back, mut differences) = (Vec::new(), Vec::new());
    // What failed was put back then, as far as it was made; what stands there now is somebody else's.
    let is_ours = |n: &usize| !fix.steps[*n].one_way && !matches!(fix.steps[*n].state, StepState::Failed(_));
    for n in (0..fix.steps.len()).rev().filter(is_ours) {
        let step = &fix.steps[n];
        let Some(action) = fixes::action(&step.aim.action) else { continue };
        let live = match ports.fixes.read(&fix.scope, &step.aim).await {
            Ok(sight) => sight.now,
            Err(error) if error.kind == Kind::NotFound => {
                differences.push(format!("{} is gone; nothing can be put back there", step.aim.target));
                continue;
            }
            Err(error) => return Err(error),
        };
        match (action.stands)(&Ends { before: &step.before, after: &step.after, live: &live }) {
            Stands::Before => {}
            Stands::After | Stands::Between => back.push(n),
            Stands::Other => {
                back.push(n);
                let since = crate::words::change(&step.after, &live);
                differences.push(format!("{} was changed since: {since}", step.aim.target));
            }
        }
    }
    Ok((back, differences))
}

/// The fix, taken for being put back.
fn undoing(ports: &Ports<'_>, order: &Undo, known: &Fix) -> Fix {
    let now = ports.clock.now();
    let undone = Answered { approved: true, by: order.by.clone(), at: now, reason: order.reason.clone() };
    Fix { state: FixState::Undoing, lease_until: until(now), undone: Some(undone), ..known.clone() }
}

/// Writes that it is taken, with what will be put back.
async fn take(ports: &Ports<'_>, order: &Undo, known: &Fix, undoing: &Fix, back: &[usize]) -> Answer<Kept> {
    let now = ports.clock.now();
    let intents: Vec<_> = back.iter().map(|n| telling::by(undoing, *n, Event::UndoIntended, "", order, now)).collect();
    ports.store.begin_fix(Some(known), undoing, &intents, None).await
}

async fn put_back(
    ports: &Ports<'_>,
    settings: &Settings,
    order: &Undo,
    undoing: Fix,
    back: &[usize],
) -> Answer<Outcome> {
    let mut fix = undoing;
    for n in back {
        let now = |f: &Fix| Fix { lease_until: until(ports.clock.now()), ..f.clone() };
        let mut next = now(&fix);
        let answer = one(ports, order, &fix, *n).await;
        let entry = match &answer {
            Ok(()) => {
                next.steps[*n].state = StepState::Undone;
                telling::by(&fix, *n, Event::UndoDone, "", order, ports.clock.now())
            }
            Err(error) => {
                // Whoever asks again goes on at once.
                next.lease_until = ports.clock.now();
                telling::by(&fix, *n, Event::UndoFailed, &error.to_string(), order, ports.clock.now())
            }
        };
        if !ports.store.update_fix(&fix, &next, &[entry]).await? {
            return Ok(Outcome::Later { id: fix.id, why: "another worker took it over".to_owned() });
        }
        fix = next;
        match answer {
            Err(error) if passes(&error) => return Ok(Outcome::Later { id: fix.id, why: error.to_string() }),
            answer => answer?,
        }
    }
    telling::undone(ports, settings, &fix).await?;
    let now = ports.clock.now();
    let closed = Fix { state: FixState::Undone, at: now, lease_until: now, ..fix.clone() };
    if !ports.store.update_fix(&fix, &closed, &[]).await? {
        return Ok(Outcome::Later { id: fix.id, why: "another worker took it over".to_owned() });
    }
    Ok(Outcome::Undone { stays: stays(&closed), fix: Box::new(closed), planned: false })
}

/// Puts one thing back and reads it.
async fn one(ports: &Ports<'_>, order: &Undo, fix: &Fix, n: usize) -> Answer<()> {
    let step = &fix.steps[n];
    let permit = permit::to_undo(&order.by, fix);
    ports.fixes.write(&permit, &fix.scope, &step.aim, &step.after, &step.before).await?;
    let sight = ports.fixes.read(&fix.scope, &step.aim).await?;
    let Some(action) = fixes::action(&step.aim.action) else { return Ok(()) };
    match (action.stands)(&Ends { before: &step.before, after: &step.after, live: &sight.now }) {
        Stands::Before => Ok(()),
        _ => Err(PortError::new("putting back", &step.aim.target, Kind::Transient, "AWS does not show it yet")),
    }
}
