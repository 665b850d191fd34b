//! Section `holds`: what becomes of a quarantine that nobody looks at. One that is only suspected can be lifted after a
//! while unless people keep it; one that is confirmed is never lifted by itself, and people are told again.

use jiff::SignedDuration;
use picket_model::{AtDeadline, Deadline, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, Points};

/// The shortest time that people get.
const SHORTEST: SignedDuration = SignedDuration::from_mins(10);

/// What becomes of a quarantine that nobody looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Holds {
    /// From this score on a quarantine is confirmed; below, it is suspected. What a person ordered is confirmed.
    pub confirmed_at: Points,
    /// After how long a suspected quarantine is lifted, unless somebody says `picket keep`. Never, if it is not given.
    #[schemars(with = "Option<String>")]
    pub lift_suspected_after: Option<SignedDuration>,
    /// After how long people are told again of a confirmed one that nobody kept or released. Never, if it is not given.
    #[schemars(with = "Option<String>")]
    pub escalate_confirmed_after: Option<SignedDuration>,
}

impl Default for Holds {
    fn default() -> Self {
        Self { confirmed_at: Points(90), lift_suspected_after: None, escalate_confirmed_after: None }
    }
}

impl Holds {
    /// How sure a quarantine with this score is.
    #[must_use]
    pub fn tier(&self, score: u8, ordered: bool) -> Tier {
        if ordered || score >= self.confirmed_at.0 { Tier::Confirmed } else { Tier::Suspected }
    }

    /// What becomes of a quarantine of that tier that begins at `since`.
    #[must_use]
    pub fn deadline(&self, tier: Tier, since: jiff::Timestamp) -> Option<Deadline> {
        let (after, then) = match tier {
            Tier::Suspected => (self.lift_suspected_after?, AtDeadline::Lift),
            Tier::Confirmed => (self.escalate_confirmed_after?, AtDeadline::Escalate),
        };
        since.saturating_add(after).ok().map(|at| Deadline { at, then })
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        let short = |d: Option<SignedDuration>| d.is_some_and(|d| d < SHORTEST);
        let why = || "is shorter than ten minutes; people need time to look".to_owned();
        match (short(self.lift_suspected_after), short(self.escalate_confirmed_after)) {
            (true, _) => Err(("lift_suspected_after", why())),
            (_, true) => Err(("escalate_confirmed_after", why())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_suspected_is_ever_lifted_by_time() {
        let holds = Holds {
            lift_suspected_after: Some(SignedDuration::from_hours(12)),
            escalate_confirmed_after: Some(SignedDuration::from_hours(4)),
            ..Holds::default()
        };
        let since: jiff::Timestamp = "2026-11-02T03:00:00Z".parse().unwrap();
        let then =
            |score, ordered| holds.deadline(holds.tier(score, ordered), since).map(|d| (d.at.to_string(), d.then));
        assert_eq!(then(75, false), Some(("2026-11-02T15:00:00Z".to_owned(), AtDeadline::Lift)));
        assert_eq!(then(90, false), Some(("2026-11-02T07:00:00Z".to_owned(), AtDeadline::Escalate)));
        assert_eq!(then(10, true), Some(("2026-11-02T07:00:00Z".to_owned(), AtDeadline::Escalate)));
    }

    #[test]
    fn without_the_section_nothing_is_lifted_and_nobody_is_told_twice() {
        let since = jiff::Timestamp::UNIX_EPOCH;
        for tier in [Tier::Suspected, Tier::Confirmed] {
            assert_eq!(Holds::default().deadline(tier, since), None);
        }
    }
}
