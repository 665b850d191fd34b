//! A permission that was missing is given. Until then people know: what is not contained is told as leaking, or its
//! message waits or is a dead letter, on which there is an alarm; a release that is denied says so to who ordered it.

use picket_model::{HoldState, InterfaceId};

use crate::queues::Name;
use crate::rules::Rule;
use crate::verdict;
use crate::world::World;

/// Gives it, and looks back at what was told meanwhile.
pub fn given(w: &mut World) {
    w.weather.denied = None;
    let queue = w.queues.of(Name::Respond);
    let waits = !queue.letters.is_empty() || !queue.dead.is_empty();
    let untold: Vec<InterfaceId> = open(w).into_iter().filter(|_| !waits).collect();
    for nic in untold.into_iter().filter(|n| !w.watched.leaks_told.contains(n)).collect::<Vec<_>>() {
        w.violate(Rule::LeaksAreTold, &format!("{nic} while a permission was missing"));
    }
    w.trace(None, "-- the permission is given --".to_owned());
}

/// Interfaces that are neither contained nor being let go.
fn open(w: &World) -> Vec<InterfaceId> {
    let goes = |s| matches!(s, HoldState::Releasing | HoldState::Released);
    let shown = w.ec2.nics.values().filter_map(|n| n.shown.now().as_ref());
    let held = shown.filter(|i| {
        let hold = i.instance.as_ref().and_then(|id| w.store.holds.get(id));
        hold.is_none_or(|h| !goes(h.state))
    });
    held.filter(|i| !verdict::is_contained(w, i)).map(|i| i.id.clone()).collect()
}
