//! Simulated time: what happens when. Nothing happens between two entries, and time jumps from one to the next.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::world::World;

/// A worker, by its number.
pub type TaskId = u64;
/// What happens.
pub type Happening = Box<dyn FnOnce(&mut World) + Send>;

/// Microseconds.
pub const MILLI: u64 = 1_000;
/// Microseconds.
pub const SECOND: u64 = 1_000_000;
/// Microseconds.
pub const MINUTE: u64 = 60 * SECOND;
/// 2026-11-02T03:04:05Z, when every simulation begins.
const START: i64 = 1_793_588_645_000_000;

/// The time `micros` after the beginning.
#[must_use]
pub fn stamp(micros: u64) -> Timestamp {
    let at = START.saturating_add(i64::try_from(micros).unwrap_or(i64::MAX));
    Timestamp::from_microsecond(at).unwrap_or(Timestamp::MAX)
}

struct Entry {
    task: Option<TaskId>,
    run: Happening,
}

/// What is still to happen, in order.
#[derive(Default)]
pub struct Agenda {
    due: BTreeMap<(u64, u64), Entry>,
    count: u64,
}

impl std::fmt::Debug for Agenda {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} entries", self.due.len())
    }
}

impl Agenda {
    /// Puts something on the agenda; `task` is the worker whose request it is, if it is one.
    pub fn put(&mut self, at: u64, task: Option<TaskId>, run: Happening) {
        self.count += 1;
        self.due.insert((at, self.count), Entry { task, run });
    }

    /// Takes what is next, with its time.
    pub fn take_next(&mut self) -> Option<(u64, Happening)> {
        self.due.pop_first().map(|((at, _), entry)| (at, entry.run))
    }

    /// When the next happens.
    #[must_use]
    pub fn next_at(&self) -> Option<u64> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// The requests of a dead worker that are on their way: those that `lost` says never arrive.
    pub fn forget(&mut self, task: TaskId, mut lost: impl FnMut() -> bool) {
        self.due.retain(|_, entry| entry.task != Some(task) || !lost());
    }
}
