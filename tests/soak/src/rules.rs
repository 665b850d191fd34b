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
    ContainmentIsMonotone,
    HealthyUntouched,
    NeverListUntouched,
    CaptureKept,
    CaptureHasNoQuarantineGroup,
    CaptureIsTheirs,
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
    KeptStays,
    DueIsLifted,
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
pub const NOT_YET: &[NotYet] = &[];

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
            Self::ContainmentIsMonotone => "nothing but a release undoes a containment",
            Self::HealthyUntouched => "healthy assets are not touched",
            Self::NeverListUntouched => "the never-list is not touched",
            Self::CaptureKept => "a capture is not overwritten",
            Self::CaptureHasNoQuarantineGroup => "a capture does not hold a quarantine group",
            Self::CaptureIsTheirs => "a capture is what others gave the interface",
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
            Self::KeptStays => "what people keep is not lifted by time",
            Self::DueIsLifted => "what nobody keeps is lifted, or people are told why not",
            Self::BranchesAreContained => "branch interfaces of a rogue are contained",
        }
    }

    /// Whether the product does not keep it yet in a case like this.
    #[must_use]
    pub fn not_yet(self, what: &str) -> Option<&'static NotYet> {
        NOT_YET.iter().find(|n| n.rule == self && what.contains(n.like))
    }
}
