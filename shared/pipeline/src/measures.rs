//! Measures: what is done to a held instance beside its groups, and how that is put back. It knows no action by name;
//! what is done is data, planned by `actions`.
//!
//! Flow: intents into hold and journal -> make, one after the other -> outcomes into hold and journal. Undoing is the
//! same, backwards, by a release.
//! Guarantees: nothing is made without its intent and its way back in the hold; a crash is resumed by making what is
//! intended once more, which is making it once; a refusal by AWS is recorded and undoes nothing.

use jiff::Timestamp;
use picket_model::{Entry, Event, Hold, Measure, MeasureState, Untrusted};

use crate::permit::Permit;
use crate::ports::{Answer, Clock, Holds, Kind, Levers, PortError};

/// What measures need.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// Makes changes.
    pub levers: &'a dyn Levers,
    /// Keeps holds and the journal.
    pub holds: &'a dyn Holds,
    /// Tells the time.
    pub clock: &'a dyn Clock,
}

/// A hold after its measures.
#[derive(Debug)]
pub struct Made {
    /// As it is in the store.
    pub hold: Hold,
    /// A call that failed for a passing reason; its measure is still intended.
    pub passing: Option<PortError>,
}

/// Makes the measures that a hold intends, and `more`. Answers the hold as it is then, or `None` if somebody else
/// changed it meanwhile.
///
/// # Errors
/// If the store cannot be written.
pub async fn make(
    ports: Ports<'_>,
    permit: &Permit,
    by: &Untrusted,
    hold: &Hold,
    more: Vec<Measure>,
) -> Answer<Option<Made>> {
    let mut next = hold.clone();
    let new: Vec<Measure> =
        more.into_iter().filter(|m| !hold.measures.iter().any(|known| known.apply == m.apply)).collect();
    if !new.is_empty() {
        let entries: Vec<Entry> =
            new.iter().map(|m| entry(hold, by, m, Event::MeasureIntended, "", ports.clock.now())).collect();
        next.measures.extend(new);
        if !ports.holds.update(hold, &next, &entries).await? {
            return Ok(None);
        }
    }
    let before = next.clone();
    let mut entries = Vec::new();
    let mut passing = None;
    for n in 0..next.measures.len() {
        if next.measures[n].state != MeasureState::Intended {
            continue;
        }
        let answer = ports.levers.make(permit, &hold.scope, &next.measures[n].apply).await;
        let (state, event, why) = match answer {
            Ok(()) => (MeasureState::Done, Event::MeasureDone, String::new()),
            Err(error) if error.kind == Kind::Transient => {
                passing = Some(error);
                continue;
            }
            Err(error) => {
                (MeasureState::Failed(Untrusted::new(&error.to_string())), Event::MeasureFailed, error.to_string())
            }
        };
        entries.push(entry(hold, by, &next.measures[n], event, &why, ports.clock.now()));
        next.measures[n].state = state;
    }
    if next != before && !ports.holds.update(&before, &next, &entries).await? {
        return Ok(None);
    }
    Ok(Some(Made { hold: next, passing }))
}

/// Puts back what a hold did, last first, but for what another open hold still needs. Answers the hold as it is then.
///
/// # Errors
/// If a call failed for a passing reason; what was put back is recorded.
pub async fn undo(
    ports: Ports<'_>,
    permit: &Permit,
    by: &Untrusted,
    hold: &Hold,
    others: &[Hold],
) -> Answer<Option<Hold>> {
    let shared = |m: &Measure| others.iter().any(|o| o.measures.iter().any(|theirs| same_thing(m, theirs)));
    let wanted: Vec<usize> = (0..hold.measures.len()).rev().filter(|n| is_to_undo(&hold.measures[*n])).collect();
    let mine: Vec<usize> = wanted.iter().copied().filter(|n| !shared(&hold.measures[*n])).collect();
    let mut next = hold.clone();
    // Another hold goes on needing it, and will put it back.
    for n in wanted.into_iter().filter(|n| !mine.contains(n)) {
        next.measures[n].state = MeasureState::Undone;
    }
    let intents: Vec<Entry> =
        mine.iter().map(|n| entry(hold, by, &hold.measures[*n], Event::UndoIntended, "", ports.clock.now())).collect();
    if &next != hold || !intents.is_empty() {
        // The intent changes nothing in the hold: what was done is done until it was put back.
        if !ports.holds.update(hold, &next, &intents).await? {
            return Ok(None);
        }
    }
    let before = next.clone();
    let mut entries = Vec::new();
    let mut failed = None;
    for n in mine {
        let Some(undo) = hold.measures[n].undo.clone() else { continue };
        match ports.levers.make(permit, &hold.scope, &undo).await {
            Ok(()) => {
                next.measures[n].state = MeasureState::Undone;
                entries.push(entry(hold, by, &hold.measures[n], Event::UndoDone, "", ports.clock.now()));
            }
            Err(error) => {
                entries.push(entry(
                    hold,
                    by,
                    &hold.measures[n],
                    Event::UndoFailed,
                    &error.to_string(),
                    ports.clock.now(),
                ));
                // What AWS could not make, it need not be able to put back: that must not keep the instance held. A denial
                // or a passing fault says nothing about that, and is told.
                let was_made = !matches!(hold.measures[n].state, MeasureState::Failed(_));
                if was_made || matches!(error.kind, Kind::Denied | Kind::Transient) {
                    failed = Some(error);
                }
            }
        }
    }
    if !entries.is_empty() && !ports.holds.update(&before, &next, &entries).await? {
        return Ok(None);
    }
    failed.map_or(Ok(Some(next)), Err)
}

/// The intents of measures that `next` will make once more though `found` had made them: a release that was given up
/// had begun to put them back.
#[must_use]
pub fn intents_again(found: &Hold, next: &Hold, by: &Untrusted, at: Timestamp) -> Vec<Entry> {
    let again = next
        .measures
        .iter()
        .zip(&found.measures)
        .filter(|(new, old)| new.state == MeasureState::Intended && old.state != MeasureState::Intended);
    again.map(|(measure, _)| entry(next, by, measure, Event::MeasureIntended, "", at)).collect()
}

/// What a release would put back, in words, in its order; and what stays.
#[must_use]
pub fn to_undo(hold: &Hold) -> (Vec<String>, Vec<String>) {
    let back = hold.measures.iter().rev().filter(|m| is_to_undo(m)).filter_map(|m| m.undo.as_ref());
    let stays = hold.measures.iter().filter(|m| m.undo.is_none() && m.state == MeasureState::Done);
    (back.map(ToString::to_string).collect(), stays.map(|m| m.apply.to_string()).collect())
}

fn is_to_undo(measure: &Measure) -> bool {
    // What failed may have been made by an attempt before, or by a call whose answer was lost.
    measure.undo.is_some() && measure.state != MeasureState::Undone
}

/// Whether another hold relies on the same change: only changes of things that several instances share.
fn same_thing(ours: &Measure, theirs: &Measure) -> bool {
    is_to_undo(theirs) && ours.apply.shared().is_some() && ours.apply.shared() == theirs.apply.shared()
}

/// The change in words; what several instances share is journalled by each of them.
fn subject(hold: &Hold, measure: &Measure) -> String {
    let change = measure.apply.to_string();
    if change.contains(hold.instance.as_str()) { change } else { format!("{change} for {}", hold.instance) }
}

fn entry(hold: &Hold, by: &Untrusted, measure: &Measure, event: Event, why: &str, at: Timestamp) -> Entry {
    let details = if why.is_empty() { format!("{}, for {}", measure.action, hold.instance) } else { why.to_owned() };
    Entry {
        case: hold.case.clone(),
        at,
        subject: subject(hold, measure),
        event,
        by: by.clone(),
        details: Untrusted::new(&details),
    }
}
