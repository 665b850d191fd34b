//! What goes wrong with calls: by chance, or at planned calls.

use std::collections::BTreeMap;

use crate::api::Api;
use crate::dice::Dice;

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It has no effect and fails as passing faults do.
    Fails,
    /// It has its effect, and its answer is lost.
    LosesReply,
    /// The worker dies before the call arrives.
    DiesBefore,
    /// The worker dies after the call had its effect.
    DiesAfter,
    /// It is denied.
    Denied,
    /// Its answer takes up to two minutes.
    Stalls,
    /// A read shows what was there up to 30 seconds ago.
    Stale,
    /// It is throttled in each of the client's attempts.
    Throttled,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Fails,
        Self::LosesReply,
        Self::DiesBefore,
        Self::DiesAfter,
        Self::Denied,
        Self::Stalls,
        Self::Stale,
        Self::Throttled,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fails => "fails before effect",
            Self::LosesReply => "loses its reply",
            Self::DiesBefore => "worker dies before",
            Self::DiesAfter => "worker dies after",
            Self::Denied => "denied",
            Self::Stalls => "stalls",
            Self::Stale => "stale read",
            Self::Throttled => "throttled",
        }
    }

    /// Whether it can meet `api`.
    #[must_use]
    pub fn meets(self, api: Api) -> bool {
        match self {
            Self::Stale => api.reads_ec2(),
            Self::Throttled => api.bucket().is_some(),
            Self::Denied => api.bucket().is_some() && api != Api::Instances,
            _ => true,
        }
    }
}

/// The faults of one simulation.
#[derive(Debug, Clone, Default)]
pub struct Weather {
    /// How many calls of 1,000 meet each.
    pub odds: Vec<(Fault, u64)>,
    /// Which calls, by number from 0, meet which.
    pub planned: BTreeMap<u64, Fault>,
    /// How many events of 1,000 are lost, doubled, or late.
    pub events: (u64, u64, u64),
    /// How many deliveries of a queue of 1,000 are made twice.
    pub doubled: u64,
    /// How many workers of 1,000 live on beyond their time limit.
    pub oversleeps: u64,
    /// How many calls there were.
    pub calls: u64,
    /// From which call on which calls are denied, until somebody gives the permission.
    pub denied: Option<(u64, Api)>,
    /// Whether that happened just now for the first time.
    pub denied_now: bool,
    /// How many planned faults were met.
    pub met: usize,
    /// Whether a read was ever late.
    pub late_reads: bool,
}

impl Weather {
    /// Any weather: each fault is there or not, and rare or common.
    #[must_use]
    pub fn any(dice: &mut Dice) -> Self {
        let mut odds = Vec::new();
        for fault in Fault::ALL {
            if dice.chance(400) {
                odds.push((fault, dice.between(2, if fault == Fault::Stale { 250 } else { 40 })));
            }
        }
        let mut some = |most| if dice.chance(500) { dice.between(1, most) } else { 0 };
        let events = (some(300), some(300), some(500));
        let (doubled, oversleeps) = (some(100), some(50));
        Self { odds, planned: BTreeMap::new(), events, doubled, oversleeps, ..Self::default() }
    }

    /// The fault of the next call.
    pub fn next(&mut self, dice: &mut Dice, api: Api) -> Option<Fault> {
        let number = self.calls;
        self.calls += 1;
        if self.denied.is_some_and(|(from, which)| number >= from && which == api) {
            self.denied_now = self.met == 0;
            self.met += 1;
            return Some(Fault::Denied);
        }
        let fault = match self.planned.get(&number) {
            Some(fault) => {
                let fault = Some(*fault).filter(|f| f.meets(api));
                self.met += usize::from(fault.is_some());
                fault
            }
            None => self.odds.iter().find(|(f, odds)| f.meets(api) && dice.chance(*odds)).map(|(f, _)| *f),
        };
        self.late_reads |= fault == Some(Fault::Stale);
        fault
    }

    /// Clears up: nothing goes wrong any more.
    pub fn clear(&mut self) {
        *self = Self { calls: self.calls, late_reads: self.late_reads, ..Self::default() };
    }
}
