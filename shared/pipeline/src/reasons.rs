//! Holds are counted: an instance that two cases hold is released when the last of them is lifted. The first case keeps
//! the captures and the measures; a later one adds itself, and lifting one leaves the others standing.

use jiff::Timestamp;
use picket_model::{CaseId, Deadline, Entry, Event, Hold, HoldState, InstanceId, Tier, Untrusted};
use serde::{Deserialize, Serialize};

use crate::ports::{Answer, Holds};

/// An instance that stays in quarantine because other cases hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillHeld {
    /// Which.
    pub instance: InstanceId,
    /// The cases that still hold it.
    pub by: Vec<CaseId>,
}

/// Whether `case` is not among those that hold it yet.
#[must_use]
pub fn is_new(hold: &Hold, case: &CaseId) -> bool {
    hold.state != HoldState::Released && !hold.cases().any(|c| c == case)
}

/// Adds a case to a hold. Answers the hold as it is then, or `None` if somebody else changed it meanwhile.
///
/// # Errors
/// If the store cannot be written.
pub async fn add(
    holds: &dyn Holds,
    hold: &Hold,
    case: &CaseId,
    (tier, deadline): (Tier, Option<Deadline>),
    now: Timestamp,
) -> Answer<Option<Hold>> {
    let mut next = hold.clone();
    if hold.kept.is_none() && tier >= hold.tier {
        // The surer reason counts; of two that are as sure, the later deadline.
        let later = deadline.filter(|d| tier > hold.tier || hold.deadline.as_ref().is_some_and(|h| h.at < d.at));
        next.deadline = if tier > hold.tier { later } else { later.or(next.deadline) };
        next.tier = tier;
    }
    next.lifted.retain(|c| c != case);
    if next.case != *case && !next.also.contains(case) {
        next.also.push(case.clone());
    }
    let details = format!("it is held already, for {}; now for {case} too", list(hold.cases()));
    let entry = note(hold, case, now, Event::Planned, "respond", &details);
    Ok(holds.update(hold, &next, &[entry]).await?.then_some(next))
}

/// The other cases that go on holding it when `case` is lifted.
#[must_use]
pub fn others(hold: &Hold, case: &CaseId) -> Vec<CaseId> {
    hold.cases().filter(|c| *c != case).cloned().collect()
}

/// Lifts one of several cases. The instance stays where it is.
///
/// # Errors
/// If the store cannot be written.
pub async fn lift(holds: &dyn Holds, hold: &Hold, case: &CaseId, by: &Untrusted, now: Timestamp) -> Answer<bool> {
    let mut next = hold.clone();
    next.lifted.push(case.clone());
    let details = format!("{case} was lifted; it is still held for {}", list(others(hold, case).iter()));
    let entry = note(hold, case, now, Event::Refused, by.as_str(), &details);
    holds.update(hold, &next, &[entry]).await
}

fn list<'a>(cases: impl Iterator<Item = &'a CaseId>) -> String {
    cases.map(CaseId::as_str).collect::<Vec<_>>().join(", ")
}

fn note(hold: &Hold, case: &CaseId, at: Timestamp, event: Event, by: &str, details: &str) -> Entry {
    Entry {
        case: case.clone(),
        at,
        subject: format!("{} for {case}", hold.instance),
        event,
        by: Untrusted::new(by),
        details: Untrusted::new(details),
    }
}
