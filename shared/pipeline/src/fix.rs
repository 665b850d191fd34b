//! Fix: change one thing from what a rule or a person finds wrong to what it should be, so that it can be put back.
//! `fixes` says what each kind wants; this stage knows none of them by name.
//!
//! Flow: policy's choice -> read -> plan and guard -> permit -> ask people, where that is wanted -> write the fix with
//! what was there and its intents -> make step by step -> read again -> tell -> close.
//! Guarantees: nothing changes without its capture and intent; what must not be changed at the same time, such as nodes of
//! one cluster, has its turn one after another; a crash anywhere is resumed by the same order; what is so
//! already is done; what AWS refuses half way is put back; what somebody changed meanwhile is not overwritten.
//! Assumptions: a finding is a hint; it is carried out against what is read now.
//! Errors: passing faults are returned as `Later` or errors, so that the message is tried again.

mod answering;
mod asking;
mod elsewhere;
mod making;
mod ordering;
mod telling;
mod turns;
mod undoing;

use futures::future::try_join_all;
use futures::try_join;
use jiff::{SignedDuration, Timestamp};
use picket_checks::policy::{Ask, Do};
use picket_model::fix::{Aim, Cause, Fix, FixState, FixStep};
use picket_model::{CaseId, Scope, Untrusted};
use serde::{Deserialize, Serialize};

use crate::fixes::{self, Not};
use crate::in_force::{self, InForce, Settings};
use crate::permit::{self, Refusal};
use crate::ports::{Answer, Clock, FixStore, Fixes, Kind, Links, Policies, PortError, Queues};

pub use answering::{answer, look_after};
pub use elsewhere::ONLY_AT_HOME;
pub use ordering::{Remedy, order_for};
pub use turns::{Turns, moved};
pub use undoing::undo;

/// How long one worker may act on a fix alone.
const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// How often a finding may be fixed anew before somebody has to find out who puts it back.
const ROUNDS: u32 = 3;

/// What fix needs.
pub struct Ports<'a> {
    /// Reads and changes things.
    pub fixes: &'a dyn Fixes,
    /// Keeps fixes and the journal.
    pub store: &'a dyn FixStore,
    /// Keeps the policy.
    pub policies: &'a dyn Policies,
    /// Hands over to notify, and to ourselves.
    pub queues: &'a dyn Queues,
    /// Makes links for people who are asked.
    pub links: &'a dyn Links,
    /// Tells the time.
    pub clock: &'a dyn Clock,
}

/// What shall be fixed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Where.
    pub scope: Scope,
    /// What, in order.
    pub aims: Vec<Aim>,
    /// Why.
    pub cause: Cause,
    /// Whether the rule wants people to be asked.
    #[serde(default)]
    pub ask: bool,
    /// Say what would be done, and do nothing.
    #[serde(default)]
    pub plan_only: bool,
}

/// What shall be put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// Where.
    pub scope: Scope,
    /// Which fix.
    pub id: CaseId,
    /// Who orders it, as AWS knows them.
    pub by: Untrusted,
    /// Why.
    pub reason: Untrusted,
    /// Put back even what was changed since.
    #[serde(default)]
    pub force: bool,
    /// Say what would be done, and do nothing.
    #[serde(default)]
    pub plan_only: bool,
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Say {
    /// Where.
    pub scope: Scope,
    /// To which fix.
    pub id: CaseId,
    /// Yes or no.
    pub approve: bool,
    /// Who, as AWS knows them.
    pub by: Untrusted,
    /// Why.
    #[serde(default)]
    pub reason: Untrusted,
    /// Which question, where the answer comes by a link.
    #[serde(default)]
    pub question: Option<String>,
}

/// Everything that the stage can be asked for, as its queue and its function take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Fix something.
    Order(Order),
    /// Go on with a fix.
    Resume {
        /// Where.
        scope: Scope,
        /// Which.
        id: CaseId,
    },
    /// Put something back.
    Undo(Undo),
    /// Answer a question.
    Say(Say),
    /// Go on with what was left half done, and close questions that nobody answered.
    LookAfter {
        /// Where.
        scope: Scope,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Outcome {
    /// The policy only notes it.
    Noted,
    /// This is what would be done.
    Planned {
        /// The fix.
        fix: Box<Fix>,
        /// Why people would be asked first.
        asks: Option<String>,
        /// What does not come back with an undo.
        stays: Vec<String>,
    },
    /// It is so already.
    Already,
    /// Not done, and why.
    Refused {
        /// The rail or guard, and what to do next.
        why: String,
    },
    /// People were asked.
    Asked {
        /// The fix.
        fix: Box<Fix>,
    },
    /// Made, and read back.
    Fixed {
        /// The fix.
        fix: Box<Fix>,
    },
    /// AWS refused it; what was made of it was put back.
    Failed {
        /// The fix.
        fix: Box<Fix>,
        /// Why.
        why: String,
    },
    /// Not done yet; it goes on by itself.
    Later {
        /// Which.
        id: CaseId,
        /// Why.
        why: String,
    },
    /// Somebody said no, or nobody said yes in time.
    Denied {
        /// The fix.
        fix: Box<Fix>,
    },
    /// Put back, or what would be.
    Undone {
        /// The fix.
        fix: Box<Fix>,
        /// What stays.
        stays: Vec<String>,
        /// Whether it was only planned.
        planned: bool,
    },
    /// Not put back: somebody changed it since.
    Changed {
        /// One line for each difference.
        differences: Vec<String>,
    },
    /// There is no such fix.
    Unknown,
    /// This many fixes were looked after.
    LookedAfter {
        /// How many.
        fixes: usize,
    },
}

impl Outcome {
    /// One word, for metrics and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Noted => "noted",
            Self::Planned { .. } => "planned",
            Self::Already => "already",
            Self::Refused { .. } => "refused",
            Self::Asked { .. } => "asked",
            Self::Fixed { .. } => "fixed",
            Self::Failed { .. } => "failed",
            Self::Later { .. } => "later",
            Self::Denied { .. } => "denied",
            Self::Undone { .. } => "undone",
            Self::Changed { .. } => "changed",
            Self::Unknown => "unknown",
            Self::LookedAfter { .. } => "looked_after",
        }
    }
}

/// Does what is asked for.
///
/// # Errors
/// If something could not be read or written for a passing reason; the same work goes on where it stopped.
pub async fn work(ports: &Ports<'_>, settings: &Settings, work: &Work) -> Answer<Outcome> {
    match work {
        Work::Order(order) => run(ports, settings, order).await,
        Work::Resume { scope, id } => resume(ports, settings, scope, id).await,
        Work::Undo(order) => undo(ports, settings, order).await,
        Work::Say(say) => answer(ports, settings, say).await,
        Work::LookAfter { scope } => look_after(ports, settings, scope).await,
    }
}

/// Carries out an order.
///
/// # Errors
/// If something could not be read or written for a passing reason.
pub async fn run(ports: &Ports<'_>, settings: &Settings, order: &Order) -> Answer<Outcome> {
    if let Some(why) = malformed(order) {
        return Ok(Outcome::Refused { why });
    }
    let id = Fix::id_of(&order.scope, &order.aims);
    let (in_force, known) = try_join!(in_force::read(ports.policies, settings), ports.store.fix(&order.scope, &id))?;
    let (what, ask) = chosen(&in_force, order);
    if what == Do::Note && !order.plan_only {
        return Ok(Outcome::Noted);
    }
    let now = ports.clock.now();
    if let Some(known) = &known {
        if matches!(known.state, FixState::Applying | FixState::Undoing) && !order.plan_only {
            return resume_known(ports, settings, &in_force, known).await;
        }
        if let Some(outcome) = settled(known, order, now) {
            if let Outcome::Asked { fix } = &outcome {
                // Whoever wrote the question may have died before telling it; the same notice is told once.
                telling::asked(ports, settings, fix).await?;
            }
            return Ok(outcome);
        }
    }
    let steps = match read(ports, order).await? {
        Ok(steps) => steps,
        Err(not) => return nothing(ports, settings, order, &id, known.as_ref(), not).await,
    };
    let fix = planned(order, id, known.as_ref(), steps, now);
    let asks = asking::why(order, &fix, what, ask);
    if order.plan_only {
        return Ok(Outcome::Planned { stays: stays(&fix), fix: Box::new(fix), asks });
    }
    let permit = match permit::for_fix(&in_force, &fix) {
        Ok(permit) => permit,
        Err(refusal) => return refuse(ports, settings, fix, asks, &refusal).await,
    };
    if let Some(because) = asks
        && !asking::is_approved(known.as_ref(), &fix)
    {
        return asking::ask(ports, settings, &in_force, fix, known.as_ref(), because).await;
    }
    making::begin(ports, settings, &in_force, &permit, fix, known.as_ref()).await
}

/// What is wrong with an order, before anything is read.
fn malformed(order: &Order) -> Option<String> {
    if order.aims.is_empty() {
        return Some("an order needs at least one action".to_owned());
    }
    order.aims.iter().find_map(|aim| {
        let Some(known) = picket_checks::fixes::known(&aim.action) else {
            return Some(format!(
                "there is no fix named `{}`; `picket fix actions` lists them",
                Untrusted::new(&aim.action)
            ));
        };
        known.refuses(&aim.with.keys().map(String::as_str).collect::<Vec<_>>())
    })
}

/// What the policy chooses. A person who orders has chosen.
fn chosen(in_force: &InForce, order: &Order) -> (Do, Option<Ask>) {
    match &order.cause {
        Cause::Finding { rule, controls, .. } => in_force.policy.fixes.choose(rule, controls),
        Cause::Order { .. } => (Do::Fix, None),
    }
}

/// What is known already and needs no reading.
fn settled(known: &Fix, order: &Order, now: Timestamp) -> Option<Outcome> {
    let found = matches!(order.cause, Cause::Finding { .. });
    let refused = |why: String| Some(Outcome::Refused { why });
    let id = &known.id;
    match known.state {
        FixState::Proposed if known.is_asked(now) => Some(Outcome::Asked { fix: Box::new(known.clone()) }),
        FixState::Undone if found => {
            refused(format!("a person put it back; `picket fix apply {id}` makes it again, a waiver ends the question"))
        }
        FixState::Denied if found => refused(format!("it was not approved; `picket fix apply {id}` asks again")),
        FixState::Fixed if found && known.round >= ROUNDS => refused(format!(
            "it was made {} times, and each time somebody put it back; find out who (CloudTrail, infrastructure as \
             code) before `picket fix apply {id}`",
            known.round
        )),
        _ => None,
    }
}

/// Reads every thing and plans its step. What is so already has none.
async fn read(ports: &Ports<'_>, order: &Order) -> Answer<Result<Vec<FixStep>, Not>> {
    let sights = try_join_all(order.aims.iter().map(|aim| ports.fixes.read(&order.scope, aim))).await;
    let sights = match sights {
        Ok(sights) => sights,
        Err(error) if matches!(error.kind, Kind::Transient | Kind::Conflict) => return Err(error),
        Err(error) => return Ok(Err(Not::Wrong(error.to_string()))),
    };
    let mut steps = Vec::new();
    for (aim, sight) in order.aims.iter().zip(&sights) {
        let Some(action) = fixes::action(&aim.action) else {
            return Ok(Err(Not::Wrong(format!("{} is not made here", aim.action))));
        };
        match action.step(aim, &sight.now, &sight.facts) {
            Ok(step) => steps.push(step),
            Err(Not::Already) => {}
            Err(not) => return Ok(Err(not)),
        }
    }
    Ok(if steps.is_empty() { Err(Not::Already) } else { Ok(steps) })
}

/// There is nothing to do, or it must not be done.
async fn nothing(
    ports: &Ports<'_>,
    settings: &Settings,
    order: &Order,
    id: &CaseId,
    known: Option<&Fix>,
    not: Not,
) -> Answer<Outcome> {
    let why = match not {
        Not::Already => return Ok(Outcome::Already),
        Not::Guarded(why) | Not::Wrong(why) => why,
    };
    if !order.plan_only && matches!(order.cause, Cause::Finding { .. }) {
        let fix = planned(order, id.clone(), known, Vec::new(), ports.clock.now());
        telling::refused(ports, settings, &fix, &why).await?;
    }
    Ok(Outcome::Refused { why })
}

fn planned(order: &Order, id: CaseId, known: Option<&Fix>, steps: Vec<FixStep>, now: Timestamp) -> Fix {
    let round = known.map_or(1, |k| if k.state == FixState::Proposed { k.round } else { k.round + 1 });
    Fix {
        id,
        scope: order.scope.clone(),
        cause: order.cause.clone(),
        steps,
        state: FixState::Proposed,
        since: known.map_or(now, |k| k.since),
        at: now,
        lease_until: now,
        round,
        approval: known.and_then(|k| k.approval.clone()),
        undone: known.and_then(|k| k.undone.clone()),
    }
}

/// No permit: journalled and told, once. In observe mode that is what would have been done.
async fn refuse(
    ports: &Ports<'_>,
    settings: &Settings,
    fix: Fix,
    asks: Option<String>,
    refusal: &Refusal,
) -> Answer<Outcome> {
    if let Refusal::Observing { .. } = refusal {
        telling::would(ports, settings, &fix, &refusal.to_string()).await?;
        return Ok(Outcome::Planned { stays: stays(&fix), fix: Box::new(fix), asks });
    }
    telling::refused(ports, settings, &fix, &refusal.to_string()).await?;
    Ok(Outcome::Refused { why: refusal.to_string() })
}

/// Goes on with a fix that was left half done.
async fn resume(ports: &Ports<'_>, settings: &Settings, scope: &Scope, id: &CaseId) -> Answer<Outcome> {
    let (in_force, known) = try_join!(in_force::read(ports.policies, settings), ports.store.fix(scope, id))?;
    match known {
        // A yes that waited for its turn.
        Some(known) if asking::is_answered_yes(&known) => answering::go_on(ports, settings, &known).await,
        Some(known) => resume_known(ports, settings, &in_force, &known).await,
        None => Ok(Outcome::Unknown),
    }
}

async fn resume_known(ports: &Ports<'_>, settings: &Settings, in_force: &InForce, known: &Fix) -> Answer<Outcome> {
    let busy = || Outcome::Later { id: known.id.clone(), why: "another worker is at it".to_owned() };
    let now = ports.clock.now();
    match known.state {
        FixState::Applying | FixState::Undoing if known.lease_until > now => Ok(busy()),
        FixState::Applying => {
            // What was begun is ended even while changes are paused: a thing half changed is worse than either end.
            let permit = permit::to_finish(known);
            let leased = Fix { lease_until: until(now), ..known.clone() };
            if !ports.store.update_fix(known, &leased, &[]).await? {
                return Ok(busy());
            }
            making::carry_out(ports, settings, in_force, &permit, leased).await
        }
        FixState::Undoing => {
            let (by, reason) = known.undone.as_ref().map(|u| (u.by.clone(), u.reason.clone())).unwrap_or_default();
            let (scope, id) = (known.scope.clone(), known.id.clone());
            undo(ports, settings, &Undo { scope, id, by, reason, force: false, plan_only: false }).await
        }
        _ => Ok(Outcome::Already),
    }
}

/// What does not come back with an undo.
fn stays(fix: &Fix) -> Vec<String> {
    let of = |s: &FixStep| {
        let stays = fixes::action(&s.aim.action).map_or(&[][..], |a| a.stays);
        let whole = s.one_way.then(|| format!("{}: it cannot be undone", s.aim.target));
        whole.into_iter().chain(stays.iter().map(|s| (*s).to_owned())).collect::<Vec<_>>()
    };
    fix.steps.iter().flat_map(of).collect()
}

fn until(now: Timestamp) -> Timestamp {
    now.saturating_add(LEASE).unwrap_or(now)
}

/// Nothing was written: another fix acts on what must not be changed at the same time.
fn waits(id: &CaseId) -> Outcome {
    let why = "another node of its cluster is being changed; they are changed one after another";
    Outcome::Later { id: id.clone(), why: why.to_owned() }
}

/// Whether a fault passes by itself.
fn passes(error: &PortError) -> bool {
    matches!(error.kind, Kind::Transient | Kind::Conflict)
}

#[cfg(test)]
#[path = "fix_tests.rs"]
mod tests;
