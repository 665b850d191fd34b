//! The changing half of release: take the holds, put measures and interfaces back, read again, close.

use futures::future::{join_all, try_join_all};
use jiff::Timestamp;
use picket_model::case::Release;
use picket_model::{Entry, Event, Hold, HoldState, Interface, Untrusted};

use super::{LEASE, Order, Ports, Released, Restored, Says, done, list, tell};
use crate::actions::restore_interface;
use crate::in_force::Settings;
use crate::measures;
use crate::permit;
use crate::ports::{Answer, Kind, PortError};
use crate::reasons::StillHeld;

/// How often an interface that is still shown in quarantine is set and read once more.
const ROUNDS: usize = 3;

/// Takes the holds, puts everything back, and closes what was read back.
pub(super) async fn carry_out(
    ports: &Ports<'_>,
    settings: &Settings,
    order: &Order,
    open: Vec<Hold>,
    restored: Vec<Restored>,
    still_held: Vec<StillHeld>,
    now: Timestamp,
) -> Answer<Released> {
    let begun = try_join_all(open.iter().map(|hold| begin(ports, order, hold, &restored, now))).await?;
    let mut releasing = Vec::new();
    for (hold, found) in begun.into_iter().zip(&open) {
        match hold {
            Some(hold) => releasing.push(hold),
            None => return Ok(Released::Busy { instance: found.instance.clone() }),
        }
    }
    let says = Says::of(&releasing);
    // One after the other: what several holds share is put back by the last of them.
    let (mut attempts, mut ready) = (Vec::new(), Vec::new());
    for hold in releasing {
        match undo_measures(ports, order, &hold).await {
            Ok(Some(next)) => ready.push(next),
            Ok(None) => return Ok(Released::Busy { instance: hold.instance }),
            Err(error) => attempts.push(Attempt::failed(hold, error, ports.clock.now())),
        }
    }
    attempts.extend(join_all(ready.into_iter().map(|hold| restore_one(ports, order, hold, &restored))).await);
    verify(ports, order, &mut attempts).await?;
    let back: Vec<&Attempt> = attempts.iter().filter(|a| a.failed.is_none()).collect();
    let restored: Vec<Restored> = back.iter().flat_map(|a| a.restored.clone()).collect();
    let released: Vec<Hold> = back.iter().map(|a| a.releasing.clone()).collect();
    // Told before it is closed: a crash in between tells the same notice again, which is told once.
    tell::released(ports, settings, order, &released, &restored).await?;
    tell::unfinished(ports, settings, order, &attempts).await?;
    let closed = attempts.iter().map(|a| close(ports, order, a));
    try_join_all(closed).await?;
    match attempts.into_iter().find_map(|a| a.failed) {
        Some(error) => Err(error),
        None => Ok(done(restored, says, still_held, false)),
    }
}

/// An instance whose interfaces were restored, or could not be.
pub(super) struct Attempt {
    /// Its hold, as it is in the store unless that was lost meanwhile.
    pub(super) releasing: Hold,
    /// What was put back.
    restored: Vec<Restored>,
    /// What was not put back, and why.
    not: Vec<(Restored, String)>,
    /// Why it is not released.
    pub(super) failed: Option<PortError>,
    /// Whether its measures are back; if not, the store knows how far that came, and not the hold here.
    measured: bool,
    at: Timestamp,
}

impl Attempt {
    fn failed(releasing: Hold, error: PortError, at: Timestamp) -> Self {
        Self { releasing, restored: Vec::new(), not: Vec::new(), failed: Some(error), measured: false, at }
    }
}

/// Takes the hold and journals what will be restored. `None` if somebody else took it.
async fn begin(
    ports: &Ports<'_>,
    order: &Order,
    hold: &Hold,
    all: &[Restored],
    now: Timestamp,
) -> Answer<Option<Hold>> {
    let release = Release { by: order.by.clone(), reason: order.reason.clone(), at: now };
    let releasing = Hold {
        state: HoldState::Releasing,
        lease_until: now.saturating_add(LEASE).unwrap_or(now),
        released: Some(release),
        ..hold.clone()
    };
    let intents: Vec<_> = own(hold, all).map(|r| entry(hold, order, r, Event::ReleaseIntended, "", now)).collect();
    Ok(ports.holds.update(hold, &releasing, &intents).await?.then_some(releasing))
}

/// Why an interface stays in quarantine after its release.
const NO_GROUP_LEFT: &str =
    "none of the groups that it was in exists any more: it stays in the quarantine group until you give it one by hand";

/// What is to be restored of an instance: every interface, whatever was read. A read may be late and show the groups of
/// before the quarantine; setting what is there already changes nothing, and leaving out what is not would keep it held.
fn own<'a>(hold: &'a Hold, all: &'a [Restored]) -> impl Iterator<Item = &'a Restored> {
    all.iter().filter(|r| r.instance == hold.instance)
}

/// Puts the measures of a hold back, while its interfaces are still in quarantine: if that fails, it is still held.
async fn undo_measures(ports: &Ports<'_>, order: &Order, hold: &Hold) -> Answer<Option<Hold>> {
    let permit = permit::for_release(&order.by, &hold.instance);
    let measuring = measures::Ports { levers: ports.levers, holds: ports.holds, clock: ports.clock };
    measures::undo(measuring, &permit, &order.by, hold).await
}

/// Restores every interface of one instance. One that no group is left for stays in quarantine and ends with its hold:
/// trying again would not bring the groups back, and people are told.
async fn restore_one(ports: &Ports<'_>, order: &Order, hold: Hold, all: &[Restored]) -> Attempt {
    let (lost, mine): (Vec<Restored>, Vec<Restored>) = own(&hold, all).cloned().partition(|r| r.to.is_empty());
    let answers = join_all(mine.iter().map(|r| set(ports, order, &hold, r))).await;
    let (mut restored, mut failed) = (Vec::new(), None);
    let mut not: Vec<_> = lost.into_iter().map(|r| (r, NO_GROUP_LEFT.to_owned())).collect();
    for (one, answer) in mine.into_iter().zip(answers) {
        match answer {
            Ok(true) => restored.push(one),
            Ok(false) => not.push((one, "it is gone".to_owned())),
            Err(error) => {
                not.push((one, error.to_string()));
                failed = Some(error);
            }
        }
    }
    Attempt { releasing: hold, restored, not, failed, measured: true, at: ports.clock.now() }
}

async fn set(ports: &Ports<'_>, order: &Order, hold: &Hold, one: &Restored) -> Answer<bool> {
    measures::in_time(ports.clock, hold)?;
    let permit = permit::for_release(&order.by, &hold.instance);
    restore_interface::apply(ports.containment, &permit, &order.scope, &one.interface, &one.to).await
}

/// Reads every interface again. What is shown in quarantine is set once more: the read may have been late, or somebody
/// may have put it back there. What is so in the end is not released.
async fn verify(ports: &Ports<'_>, order: &Order, attempts: &mut [Attempt]) -> Answer<()> {
    for round in 1..=ROUNDS {
        let ids: Vec<_> =
            attempts.iter().filter(|a| !a.restored.is_empty()).map(|a| a.releasing.instance.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let live = ports.cloud.interfaces(&order.scope, &ids).await?;
        let stuck: Vec<(usize, Restored)> = attempts.iter().enumerate().flat_map(|(n, a)| a.stuck(&live, n)).collect();
        if stuck.is_empty() {
            return Ok(());
        }
        for (n, one) in stuck {
            let attempt = &mut attempts[n];
            let again = match round == ROUNDS {
                true => {
                    let why = "it was put back and is still shown in quarantine; the release goes on";
                    Err(PortError::new("reading back", &one.interface, Kind::Transient, why))
                }
                false => set(ports, order, &attempt.releasing, &one).await,
            };
            if let Err(error) = again {
                attempt.restored.retain(|r| r != &one);
                attempt.not.push((one, error.to_string()));
                attempt.failed = Some(error);
            }
        }
    }
    Ok(())
}

impl Attempt {
    /// What was put back and is shown in quarantine.
    fn stuck<'a>(&'a self, live: &'a [Interface], n: usize) -> impl Iterator<Item = (usize, Restored)> + 'a {
        let held = |r: &&Restored| {
            let shown = live.iter().find(|i| i.id == r.interface);
            shown.is_some_and(|i| i.groups != r.to && i.groups.iter().any(|g| self.releasing.quarantine.contains(g)))
        };
        self.restored.iter().filter(held).map(move |r| (n, r.clone()))
    }
}

/// Closes the hold: released, or still being released where something could not be put back. The sweep goes on with that.
async fn close(ports: &Ports<'_>, order: &Order, attempt: &Attempt) -> Answer<bool> {
    let hold = &attempt.releasing;
    if !attempt.measured {
        return Ok(false);
    }
    let entry_of = |r: &Restored, event, why: &str| entry(hold, order, r, event, why, attempt.at);
    let mut entries: Vec<Entry> =
        attempt.restored.iter().map(|r| entry_of(r, Event::ReleaseDone, "read back")).collect();
    entries.extend(attempt.not.iter().map(|(r, why)| entry_of(r, Event::ReleaseFailed, why)));
    let release = Release { by: order.by.clone(), reason: order.reason.clone(), at: attempt.at };
    let state = if attempt.failed.is_some() { HoldState::Releasing } else { HoldState::Released };
    let closed = Hold { state, lease_until: attempt.at, released: Some(release), ..hold.clone() };
    ports.holds.update(hold, &closed, &entries).await
}

fn entry(hold: &Hold, order: &Order, restored: &Restored, event: Event, why: &str, at: Timestamp) -> Entry {
    let text = format!("{}: {} -> {}; {}", hold.instance, list(&restored.from), list(&restored.to), order.reason);
    let text = if why.is_empty() { text } else { format!("{text}; {why}") };
    Entry {
        case: hold.case.clone(),
        at,
        subject: restored.interface.to_string(),
        event,
        by: order.by.clone(),
        details: Untrusted::new(&text),
    }
}
