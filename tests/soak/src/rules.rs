//! The rules that no stage may break, and what the product does not keep yet.

/// What a stage may break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is told in words by `name`")]
pub enum Rule {
    ObserveChangesNothing,
    CapturedBefore,
    IntendedBefore,
    OnlyOurQuarantineGroup,
    GroupWasChecked,
    OnlyWithinItsHold,
    RestoredToItsCapture,
    HealthyUntouched,
    NeverListUntouched,
    CaptureKept,
    CaptureHasNoQuarantineGroup,
    CaptureCanBeRestored,
    JournalIsLegal,
    WithinTheCap,
    ToldOnce,
    CutIsCut,
    RoguesAreContained,
    LeaksAreTold,
    ReleasedAreRestored,
    HoldsAreTerminal,
    NoMessageLost,
    QuarantinesAreTold,
    BranchesAreContained,
    MeasuresStandInAHold,
    MeasuresArePutBack,
    HeldAreSecured,
    NoneLeftOpen,
}

/// A rule that the product does not keep yet, in some cases.
#[derive(Debug)]
pub struct NotYet {
    /// Which.
    pub rule: Rule,
    /// Words of the cases that are meant; empty for all.
    pub like: &'static str,
    /// Why.
    pub why: &'static str,
}

/// What the product does not keep yet. It is counted, printed, and fails nothing.
pub const NOT_YET: &[NotYet] = &[
    NotYet {
        rule: Rule::JournalIsLegal,
        like: "from Some(Release",
        why: "a release whose worker died is taken over by a containment, and the table of transitions lacks that",
    },
    NotYet {
        rule: Rule::JournalIsLegal,
        like: "from Some(Undo",
        why: "measures of a half-done release are made again without a second intent in the journal",
    },
    NotYet {
        rule: Rule::WithinTheCap,
        like: "were held anew",
        why: "what is held again after a release does not count",
    },
    NotYet {
        rule: Rule::MeasuresArePutBack,
        like: "outlived",
        why: "a worker that lives on beyond its time limit, which Lambda does not let it, may make a measure after the release",
    },
    NotYet {
        rule: Rule::MeasuresArePutBack,
        like: "is suspended",
        why: "two holds of a scaling group that froze different processes: the first release leaves its own to the second",
    },
    NotYet {
        rule: Rule::HeldAreSecured,
        like: "after a late read",
        why: "what a late read shows as secured already, soon after a release, is not secured again",
    },
    NotYet {
        rule: Rule::HeldAreSecured,
        like: "were undone",
        why: "a release that failed half way holds the instance again and does not secure it again",
    },
    NotYet {
        rule: Rule::MeasuresStandInAHold,
        like: "overtaken",
        why: "a worker that was overtaken while it secured goes on, and may make a measure after the release",
    },
    NotYet {
        rule: Rule::HoldsAreTerminal,
        like: "is releasing",
        why: "nobody takes up a release whose worker died and whose person gave up, and nobody is told",
    },
];

impl Rule {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ObserveChangesNothing => "observe mode changes nothing",
            Self::CapturedBefore => "an interface is captured before it is changed",
            Self::IntendedBefore => "an intent is journalled before each change",
            Self::OnlyOurQuarantineGroup => "containment knows only our quarantine group, by id",
            Self::GroupWasChecked => "the quarantine group was read without rules before its use",
            Self::OnlyWithinItsHold => "groups change only while the hold says so",
            Self::RestoredToItsCapture => "a release restores exactly the capture",
            Self::HealthyUntouched => "healthy assets are not touched",
            Self::NeverListUntouched => "the never-list is not touched",
            Self::CaptureKept => "a capture is not overwritten",
            Self::CaptureHasNoQuarantineGroup => "a capture does not hold a quarantine group",
            Self::CaptureCanBeRestored => "a capture holds at least one group",
            Self::JournalIsLegal => "the journal's transitions are legal",
            Self::WithinTheCap => "no more holds an hour than the cap",
            Self::ToldOnce => "a notice is told once, unless a crash fell between",
            Self::CutIsCut => "what is told as CUT has no connection",
            Self::RoguesAreContained => "every rogue that is left is contained, or it is on record why not",
            Self::LeaksAreTold => "a leak is told",
            Self::ReleasedAreRestored => "what was released has the groups of its capture",
            Self::HoldsAreTerminal => "every hold reaches an end",
            Self::NoMessageLost => "every message is handled or a dead letter",
            Self::QuarantinesAreTold => "a quarantine is told",
            Self::MeasuresStandInAHold => "a measure stands in an open hold before it is made",
            Self::MeasuresArePutBack => "a release puts every measure back",
            Self::HeldAreSecured => "what is held and secured is as its measures say",
            Self::NoneLeftOpen => "no interface is left in a group of the open window",
            Self::BranchesAreContained => "branch interfaces of a rogue are contained",
        }
    }

    /// Whether the product does not keep it yet in a case like this.
    #[must_use]
    pub fn not_yet(self, what: &str) -> Option<&'static NotYet> {
        NOT_YET.iter().find(|n| n.rule == self && what.contains(n.like))
    }
}
