//! Measures: what is done to a held instance beside its groups, and how that is put back. It knows no action by name;
//! what is done is data, planned by `actions`.
//!
//! Flow: intents into hold and journal -> make, one after the other -> outcomes into hold and journal. Undoing is the
//! same, backwards, by a release.
//! Guarantees: nothing is made without its intent and its way back in the hold; a crash is resumed by making what is
//! intended once more, which is making it once; a refusal by AWS is recorded and undoes nothing. What several holds
//! share is put back by the last of them. Nothing is sent that could arrive after the lease of its hold.

use jiff::{SignedDuration, Timestamp};
use picket_model::{Change, Entry, Event, Facts, Hold, HoldState, Measure, MeasureState, Untrusted};

use crate::permit::Permit;
use crate::ports::{Answer, Clock, Holds, Kind, Levers, PortError};

/// How long before the end of its lease a worker stops: longer than any call is under way.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

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
    let mut entries = Vec::new();
    for measure in more {
        match next.measures.iter_mut().find(|known| known.apply == measure.apply) {
            // What was put back once is made anew.
            Some(known) if known.state == MeasureState::Undone => known.state = MeasureState::Intended,
            Some(_) => continue,
            None => next.measures.push(measure.clone()),
        }
        entries.push(entry(hold, by, &measure, Event::MeasureIntended, "", ports.clock.now()));
    }
    if !entries.is_empty() && !ports.holds.update(hold, &next, &entries).await? {
        return Ok(None);
    }
    let before = next.clone();
    let mut entries = Vec::new();
    let mut passing = None;
    for n in 0..next.measures.len() {
        if next.measures[n].state != MeasureState::Intended {
            continue;
        }
        let answer = match in_time(ports.clock, &next) {
            Ok(()) => ports.levers.make(permit, &hold.scope, &next.measures[n].apply).await,
            late => late,
        };
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

/// Whether a worker may still act on its hold: a call that it sends now arrives before another may take over.
///
/// # Errors
/// A passing fault, if it may not.
pub fn in_time(clock: &dyn Clock, hold: &Hold) -> Answer<()> {
    if hold.lease_until.duration_since(clock.now()) > MARGIN {
        return Ok(());
    }
    Err(PortError::new("acting on", &hold.instance, Kind::Transient, "the time that was taken for it is over"))
}

/// Puts back what a hold did, last first, but for what another open hold still needs. Answers the hold as it is then.
///
/// # Errors
/// If a call failed for a passing reason or was denied; what was put back is recorded.
pub async fn undo(ports: Ports<'_>, permit: &Permit, by: &Untrusted, hold: &Hold) -> Answer<Option<Hold>> {
    let wanted: Vec<usize> = (0..hold.measures.len()).rev().filter(|n| is_to_undo(&hold.measures[*n])).collect();
    if wanted.is_empty() {
        return Ok(Some(hold.clone()));
    }
    let mut next = hold.clone();
    for n in &wanted {
        if !matches!(next.measures[*n].state, MeasureState::Failed(_)) {
            next.measures[*n].state = MeasureState::Undoing;
        }
    }
    let intent = |n: &usize| entry(hold, by, &hold.measures[*n], Event::UndoIntended, "", ports.clock.now());
    let intents: Vec<Entry> = wanted.iter().map(intent).collect();
    if !ports.holds.update(hold, &next, &intents).await? {
        return Ok(None);
    }
    // Read after ours are marked: of two releases at once, at least one sees that the other needs nothing any more.
    let mut others =
        if hold.measures.iter().any(is_shared) { ports.holds.holds(&hold.scope).await? } else { Vec::new() };
    others.retain(|o| o.instance != hold.instance && o.state != HoldState::Released);
    let before = next.clone();
    let (mut entries, mut failed) = (Vec::new(), None);
    for n in wanted {
        let measure = &hold.measures[n];
        let answer = match (rest(measure, &others), in_time(ports.clock, hold)) {
            (None, _) => Ok(()),
            (Some(_), Err(late)) => Err(late),
            (Some(undo), Ok(())) => ports.levers.make(permit, &hold.scope, &undo).await,
        };
        let now = ports.clock.now();
        match answer {
            Ok(()) => {
                next.measures[n].state = MeasureState::Undone;
                entries.push(entry(hold, by, measure, Event::UndoDone, "", now));
            }
            Err(error) => {
                entries.push(entry(hold, by, measure, Event::UndoFailed, &error.to_string(), now));
                // What AWS could not make, it need not be able to put back: that must not keep the instance held. A denial
                // or a passing fault says nothing about that, and is told.
                let was_made = !matches!(measure.state, MeasureState::Failed(_));
                if was_made || matches!(error.kind, Kind::Denied | Kind::Transient) {
                    failed = Some(error);
                }
            }
        }
    }
    if !ports.holds.update(&before, &next, &entries).await? {
        return Ok(None);
    }
    failed.map_or(Ok(Some(next)), Err)
}

/// The intents of measures that `next` will make once more though `found` had made them: a release that was given up
/// had begun to put them back.
#[must_use]
pub fn intents_again(found: &Hold, next: &Hold, by: &Untrusted, at: Timestamp) -> Vec<Entry> {
    let intended = |h: &Hold, m: &Measure| {
        h.measures.iter().any(|known| known.apply == m.apply && known.state == MeasureState::Intended)
    };
    let again = next.measures.iter().filter(|m| m.state == MeasureState::Intended && !intended(found, m));
    again.map(|measure| entry(next, by, measure, Event::MeasureIntended, "", at)).collect()
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

/// Whether it is about something that several instances share.
fn is_shared(measure: &Measure) -> bool {
    measure.apply.shared().is_some()
}

/// What is left to put back of a measure, when other open holds go on needing their share of it. They put that back.
fn rest(measure: &Measure, others: &[Hold]) -> Option<Change> {
    let relied = |m: &&Measure| matches!(m.state, MeasureState::Intended | MeasureState::Done);
    let needed = || others.iter().flat_map(|o| &o.measures).filter(relied);
    match measure.undo.clone()? {
        Change::ResumeProcesses { group, processes } => {
            let of_another = |process: &String| {
                needed().any(|m| match &m.apply {
                    Change::SuspendProcesses { group: theirs, processes } => {
                        *theirs == group && processes.contains(process)
                    }
                    _ => false,
                })
            };
            let rest: Vec<String> = processes.into_iter().filter(|p| !of_another(p)).collect();
            (!rest.is_empty()).then_some(Change::ResumeProcesses { group, processes: rest })
        }
        undo => (!is_shared(measure) || !needed().any(|m| m.apply.shared() == measure.apply.shared())).then_some(undo),
    }
}

/// What somebody changed since among what a hold did, as far as live facts show it.
#[must_use]
pub fn differences(hold: &Hold, facts: &Facts) -> Vec<String> {
    let changed = |m: &Measure| match &m.apply {
        Change::SetTerminationProtection { on: true, .. } => {
            (!facts.termination_protection).then_some("was turned off")
        }
        Change::SetShutdownBehaviour { behaviour, .. } => {
            (facts.shutdown_behaviour != *behaviour).then_some("was set to something else")
        }
        Change::SetDeleteOnTermination { device, on: false, .. } => {
            facts.deleted_with_it.contains(device).then_some("was set back")
        }
        Change::SetMetadataEndpoint { on: false, .. } => facts.metadata_endpoint.then_some("was turned on"),
        Change::Deregister { target_group, port, .. } => {
            facts.target_groups.contains(&(target_group.clone(), *port)).then_some("was registered again")
        }
        Change::DenySessions { role_id, .. } => {
            let same = facts.role.as_ref().is_some_and(|(_, id)| id == role_id);
            (!same).then_some("is for a role that it does not have any more")
        }
        _ => None,
    };
    let done = hold.measures.iter().filter(|m| m.state == MeasureState::Done);
    done.filter_map(|m| changed(m).map(|how| format!("{}: {how} since", m.apply))).collect()
}

/// What a release cannot bring back, in words.
#[must_use]
pub fn lost(hold: &Hold) -> Vec<String> {
    let mut lost = vec![format!("connections of {} that ended while it was held", hold.instance)];
    for measure in hold.measures.iter().filter(|m| m.state != MeasureState::Undone) {
        match &measure.apply {
            Change::Deregister { target_group, instance, .. } => {
                lost.push(format!("the health of {instance} in {target_group}: it is checked anew"));
            }
            Change::SetMetadataEndpoint { on: false, instance } => {
                lost.push(format!("credentials of {instance} that expired while its metadata service was off"));
            }
            Change::DropAddress { instance, address, .. } if address.elastic.is_none() => {
                lost.push(format!("the address {address} of {instance}: another one comes"));
            }
            Change::Stop { instance } => lost.push(format!("what {instance} held in memory and on instance stores")),
            Change::CancelSpotRequest { request, .. } => lost.push(format!("{request}: ask for a new one")),
            _ => {}
        }
    }
    lost
}

/// The change in words; what several instances share is journalled by each of them.
pub(crate) fn subject(hold: &Hold, measure: &Measure) -> String {
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
