//! Making a fix: what was there and the intents are written first, then step by step, each read back.

use picket_model::Event;
use picket_model::fix::{Fix, FixState, StepState};

use super::{Outcome, Ports, Untrusted, passes, telling, until, waits};
use crate::fixes::{self, Ends, Stands};
use crate::in_force::{InForce, Settings};
use crate::permit::{self, Permit, Refusal};
use crate::ports::{Answer, Budget, Kept};

/// How long AWS may take until it shows what it took, in seconds. EKS takes minutes; nothing takes longer.
const LONGEST: i64 = 3600;

/// What became of a step.
enum Made {
    /// Read back.
    Verified,
    /// AWS took it and does not show it yet, or cannot take it now.
    Later(String),
    /// It will not be made.
    Failed(String),
}

/// Writes the fix with its captures and intents, within the hour's budget, and makes it.
pub(super) async fn begin(
    ports: &Ports<'_>,
    settings: &Settings,
    in_force: &InForce,
    permit: &Permit,
    fix: Fix,
    known: Option<&Fix>,
) -> Answer<Outcome> {
    let now = ports.clock.now();
    let next = Fix { state: FixState::Applying, at: now, lease_until: until(now), ..fix };
    let intents: Vec<_> =
        (0..next.steps.len()).map(|n| telling::entry(&next, n, Event::MeasureIntended, "", now)).collect();
    let limit = in_force.policy.fixes.per_hour;
    let budget = Budget { hour: format!("fix#{}", now.strftime("%Y-%m-%dT%H")), limit, also: Vec::new() };
    match ports.store.begin_fix(known, &next, &intents, Some(&budget)).await? {
        Kept::Yes => carry_out(ports, settings, in_force, permit, next).await,
        Kept::Changed => Ok(Outcome::Later { id: next.id, why: "another worker was faster".to_owned() }),
        Kept::NotItsTurn => Ok(waits(&next.id)),
        Kept::OverBudget => {
            let why = Refusal::FixesPerHour { limit }.to_string();
            telling::refused(ports, settings, &next, &why).await?;
            Ok(Outcome::Refused { why })
        }
    }
}

/// Makes what is left of a fix whose lease is ours.
pub(super) async fn carry_out(
    ports: &Ports<'_>,
    settings: &Settings,
    in_force: &InForce,
    permit: &Permit,
    fix: Fix,
) -> Answer<Outcome> {
    let mut fix = fix;
    for n in 0..fix.steps.len() {
        if fix.steps[n].state == StepState::Verified {
            continue;
        }
        match step(ports, permit, &fix, n).await {
            Made::Verified => match record(ports, &fix, n).await? {
                Some(next) => fix = next,
                None => return Ok(taken(&fix)),
            },
            Made::Later(why) if !is_too_late(ports, &fix) => return later(ports, fix, why).await,
            Made::Later(why) | Made::Failed(why) => return give_up(ports, settings, &fix, n, &why).await,
        }
    }
    // Told before it is closed: a crash in between tells the same notice again, which is told once.
    telling::fixed(ports, settings, &fix).await?;
    let now = ports.clock.now();
    let closed = Fix { state: FixState::Fixed, at: now, lease_until: now, ..fix.clone() };
    if !ports.store.update_fix(&fix, &closed, &[]).await? {
        return Ok(taken(&fix));
    }
    tracing::debug!(policy = %in_force.version, fix = %closed.id, "fixed");
    Ok(Outcome::Fixed { fix: Box::new(closed) })
}

/// Makes one step, if it is not made. Live state is read before and after.
async fn step(ports: &Ports<'_>, permit: &Permit, fix: &Fix, n: usize) -> Made {
    let step = &fix.steps[n];
    match stands(ports, fix, n).await {
        Ok(Stands::After) => return Made::Verified,
        Ok(Stands::Other) => return Made::Failed("somebody changed it meanwhile; it was left as it is".to_owned()),
        Ok(Stands::Before | Stands::Between) => {}
        Err(made) => return made,
    }
    match ports.fixes.write(permit, &fix.scope, &step.aim, &step.before, &step.after).await {
        Ok(()) => {}
        Err(error) if passes(&error) => return Made::Later(error.to_string()),
        Err(error) => return Made::Failed(error.to_string()),
    }
    match stands(ports, fix, n).await {
        Ok(Stands::After) => Made::Verified,
        Ok(Stands::Before | Stands::Between) => Made::Later("AWS took it and does not show it yet".to_owned()),
        Ok(Stands::Other) => Made::Failed("it was read back otherwise than it was made".to_owned()),
        Err(made) => made,
    }
}

/// Where the thing of a step stands now.
async fn stands(ports: &Ports<'_>, fix: &Fix, n: usize) -> Result<Stands, Made> {
    let step = &fix.steps[n];
    let Some(action) = fixes::action(&step.aim.action) else {
        return Err(Made::Failed(format!("{} is not made here", step.aim.action)));
    };
    match ports.fixes.read(&fix.scope, &step.aim).await {
        Ok(sight) => Ok((action.stands)(&Ends { before: &step.before, after: &step.after, live: &sight.now })),
        Err(error) if passes(&error) => Err(Made::Later(error.to_string())),
        Err(error) => Err(Made::Failed(error.to_string())),
    }
}

/// Records that a step was made and read back. `None` if somebody else changed the fix.
async fn record(ports: &Ports<'_>, fix: &Fix, n: usize) -> Answer<Option<Fix>> {
    let now = ports.clock.now();
    let mut next = Fix { lease_until: until(now), ..fix.clone() };
    next.steps[n].state = StepState::Verified;
    let entries = [Event::MeasureDone, Event::Verified].map(|event| telling::entry(&next, n, event, "", now));
    Ok(ports.store.update_fix(fix, &next, &entries).await?.then_some(next))
}

/// Gives the lease back, so that whoever looks next goes on.
async fn later(ports: &Ports<'_>, fix: Fix, why: String) -> Answer<Outcome> {
    let free = Fix { lease_until: ports.clock.now(), ..fix.clone() };
    // If somebody took it meanwhile, it goes on there.
    ports.store.update_fix(&fix, &free, &[]).await?;
    Ok(Outcome::Later { id: fix.id, why })
}

fn is_too_late(ports: &Ports<'_>, fix: &Fix) -> bool {
    ports.clock.now().duration_since(fix.at).as_secs() > LONGEST
}

/// A step was refused: what was made before it, and what was half made of it, is put back, last first.
async fn give_up(ports: &Ports<'_>, settings: &Settings, fix: &Fix, n: usize, why: &str) -> Answer<Outcome> {
    let now = ports.clock.now();
    let mut next = fix.clone();
    next.steps[n].state = StepState::Failed(Untrusted::new(why));
    let failed = telling::entry(&next, n, Event::MeasureFailed, why, now);
    if !ports.store.update_fix(fix, &next, &[failed]).await? {
        return Ok(taken(fix));
    }
    for back in (0..=n).rev() {
        next = match put_back(ports, &next, back).await? {
            Some(next) => next,
            None => return Ok(taken(fix)),
        };
    }
    telling::failed(ports, settings, &next, why).await?;
    let now = ports.clock.now();
    let closed = Fix { state: FixState::Failed, at: now, lease_until: now, ..next.clone() };
    if !ports.store.update_fix(&next, &closed, &[]).await? {
        return Ok(taken(fix));
    }
    Ok(Outcome::Failed { fix: Box::new(closed), why: why.to_owned() })
}

/// Puts back one step of a fix that failed, where it was made and can be put back.
async fn put_back(ports: &Ports<'_>, fix: &Fix, n: usize) -> Answer<Option<Fix>> {
    let step = &fix.steps[n];
    let made = matches!(stands(ports, fix, n).await, Ok(Stands::After | Stands::Between));
    if !made || step.one_way {
        return Ok(Some(fix.clone()));
    }
    let intent = telling::entry(fix, n, Event::UndoIntended, "a later step failed", ports.clock.now());
    let leased = Fix { lease_until: until(ports.clock.now()), ..fix.clone() };
    if !ports.store.update_fix(fix, &leased, &[intent]).await? {
        return Ok(None);
    }
    let permit = permit::to_finish(fix);
    let answer = ports.fixes.write(&permit, &fix.scope, &step.aim, &step.after, &step.before).await;
    let now = ports.clock.now();
    let mut next = leased.clone();
    let entry = match answer {
        Ok(()) => {
            // What failed keeps its reason; what was made and put back is undone.
            if !matches!(step.state, StepState::Failed(_)) {
                next.steps[n].state = StepState::Undone;
            }
            telling::entry(&leased, n, Event::UndoDone, "", now)
        }
        Err(error) if passes(&error) => return Err(error),
        Err(error) => telling::entry(&leased, n, Event::UndoFailed, &error.to_string(), now),
    };
    Ok(ports.store.update_fix(&leased, &next, &[entry]).await?.then_some(next))
}

fn taken(fix: &Fix) -> Outcome {
    Outcome::Later { id: fix.id.clone(), why: "another worker took it over".to_owned() }
}
