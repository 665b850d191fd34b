//! The journal: what was meant, before it was done, and what came of it, after. Entries are only ever added.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::case::CaseId;
use crate::text::Untrusted;

/// What an entry says about one subject (an instance, or an interface of it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was decided and planned; in observe mode nothing follows.
    Planned,
    /// A rail said no.
    Refused,
    /// The change will be made next.
    ContainIntended,
    /// The call was answered.
    ContainDone,
    /// The call failed; it will be tried again.
    ContainFailed,
    /// It was read back.
    Verified,
    /// The release will be made next.
    ReleaseIntended,
    /// The call was answered.
    ReleaseDone,
    /// The call failed, or the release was refused for this one.
    ReleaseFailed,
    /// A change beside the groups will be made next.
    MeasureIntended,
    /// It was made.
    MeasureDone,
    /// AWS refused it; containment stands.
    MeasureFailed,
    /// It will be put back next.
    UndoIntended,
    /// It was put back.
    UndoDone,
    /// It could not be put back.
    UndoFailed,
    /// People were asked.
    ApprovalAsked,
    /// Somebody said yes.
    Approved,
    /// Somebody said no, or nobody said yes in time.
    Denied,
}

/// Which event may follow which, for one subject. Anything else is a defect of ours and is refused.
const MAY_FOLLOW: &[(Option<Event>, &[Event])] = &[
    (
        None,
        &[
            Event::Planned,
            Event::Refused,
            Event::ContainIntended,
            Event::ReleaseIntended,
            Event::MeasureIntended,
            Event::UndoIntended,
            Event::ApprovalAsked,
        ],
    ),
    (
        Some(Event::MeasureIntended),
        &[Event::MeasureIntended, Event::MeasureDone, Event::MeasureFailed, Event::UndoIntended, Event::Refused],
    ),
    (Some(Event::MeasureDone), &[Event::MeasureIntended, Event::UndoIntended, Event::Verified]),
    (
        Some(Event::MeasureFailed),
        &[Event::MeasureIntended, Event::UndoIntended, Event::Planned, Event::Refused, Event::ApprovalAsked],
    ),
    (Some(Event::UndoIntended), &[Event::UndoIntended, Event::UndoDone, Event::UndoFailed, Event::MeasureIntended]),
    (
        Some(Event::UndoDone),
        &[Event::MeasureIntended, Event::UndoIntended, Event::Planned, Event::Refused, Event::ApprovalAsked],
    ),
    (
        Some(Event::UndoFailed),
        &[Event::MeasureIntended, Event::UndoIntended, Event::Planned, Event::Refused, Event::ApprovalAsked],
    ),
    (
        Some(Event::Planned),
        &[
            Event::Planned,
            Event::Refused,
            Event::ContainIntended,
            Event::MeasureIntended,
            Event::ApprovalAsked,
            Event::UndoIntended,
        ],
    ),
    (
        Some(Event::Refused),
        &[
            Event::Planned,
            Event::Refused,
            Event::ContainIntended,
            Event::MeasureIntended,
            Event::MeasureDone,
            Event::MeasureFailed,
            Event::ApprovalAsked,
            Event::UndoIntended,
        ],
    ),
    (
        Some(Event::ContainIntended),
        &[Event::ContainIntended, Event::ContainDone, Event::ContainFailed, Event::Verified, Event::ReleaseIntended],
    ),
    (Some(Event::ContainDone), &[Event::ContainIntended, Event::Verified, Event::ReleaseIntended]),
    (Some(Event::ContainFailed), &[Event::ContainIntended, Event::Verified, Event::ReleaseIntended]),
    (
        Some(Event::Verified),
        &[
            Event::ContainIntended,
            Event::Verified,
            Event::ReleaseIntended,
            Event::MeasureIntended,
            Event::UndoIntended,
            Event::Planned,
            Event::Refused,
            Event::ApprovalAsked,
        ],
    ),
    (
        Some(Event::ReleaseIntended),
        &[
            Event::ReleaseIntended,
            Event::ReleaseDone,
            Event::ReleaseFailed,
            Event::ContainIntended,
            // Given up before it changed this one: a containment that follows finds it where it was.
            Event::Verified,
        ],
    ),
    (Some(Event::ReleaseDone), &[Event::Planned, Event::Refused, Event::ContainIntended, Event::ReleaseIntended]),
    (
        Some(Event::ApprovalAsked),
        &[Event::ApprovalAsked, Event::Approved, Event::Denied, Event::Planned, Event::Refused],
    ),
    (Some(Event::Approved), &[Event::MeasureIntended, Event::ApprovalAsked, Event::Planned, Event::Refused]),
    (Some(Event::Denied), &[Event::MeasureIntended, Event::ApprovalAsked, Event::Planned, Event::Refused]),
    (Some(Event::ReleaseFailed), &[Event::ReleaseIntended, Event::ContainIntended, Event::Verified]),
];

/// An entry that may not stand where it would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal of {subject} cannot go from {before:?} to {after:?}")]
pub struct IllegalTransition {
    /// What the entries are about.
    pub subject: String,
    /// The last event, if any.
    pub before: Option<Event>,
    /// The refused one.
    pub after: Event,
}

impl Event {
    /// Checks that `self` may follow `before` for `subject`.
    ///
    /// # Errors
    /// If the transition table does not hold it.
    pub fn may_follow(self, before: Option<Self>, subject: &str) -> Result<(), IllegalTransition> {
        let legal = MAY_FOLLOW.iter().any(|(b, next)| *b == before && next.contains(&self));
        if legal { Ok(()) } else { Err(IllegalTransition { subject: subject.to_owned(), before, after: self }) }
    }
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Of which case.
    pub case: CaseId,
    /// When, by the writer's clock.
    pub at: Timestamp,
    /// About what: an instance or interface id.
    pub subject: String,
    /// What happened.
    pub event: Event,
    /// Who or what did it: a stage, or a person.
    pub by: Untrusted,
    /// In words: from what to what, or why not.
    pub details: Untrusted,
}

/// Checks entries in order, subject by subject.
///
/// # Errors
/// At the first entry that may not follow the one before it.
pub fn check(entries: &[Entry]) -> Result<(), IllegalTransition> {
    let mut last = std::collections::HashMap::new();
    for entry in entries {
        entry.event.may_follow(last.get(&entry.subject).copied(), &entry.subject)?;
        last.insert(entry.subject.clone(), entry.event);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_done_without_an_intent_before_it() {
        assert!(Event::ContainDone.may_follow(None, "eni").is_err());
        assert!(Event::ContainDone.may_follow(Some(Event::Planned), "eni").is_err());
        assert!(Event::ReleaseDone.may_follow(Some(Event::Verified), "eni").is_err());
    }

    #[test]
    fn a_crash_after_an_intent_is_followed_by_the_same_intent() {
        assert!(Event::ContainIntended.may_follow(Some(Event::ContainIntended), "eni").is_ok());
        assert!(Event::ReleaseIntended.may_follow(Some(Event::ReleaseIntended), "eni").is_ok());
    }

    #[test]
    fn every_event_has_its_row() {
        let all = [
            Event::Planned,
            Event::Refused,
            Event::ContainIntended,
            Event::ContainDone,
            Event::ContainFailed,
            Event::Verified,
            Event::ReleaseIntended,
            Event::ReleaseDone,
            Event::ReleaseFailed,
            Event::MeasureIntended,
            Event::MeasureDone,
            Event::MeasureFailed,
            Event::UndoIntended,
            Event::UndoDone,
            Event::UndoFailed,
            Event::ApprovalAsked,
            Event::Approved,
            Event::Denied,
        ];
        for event in all {
            assert!(MAY_FOLLOW.iter().any(|(b, _)| *b == Some(event)), "{event:?} leads nowhere");
            assert!(MAY_FOLLOW.iter().any(|(_, n)| n.contains(&event)), "{event:?} is never reached");
        }
    }
}
