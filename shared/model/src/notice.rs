//! What people are told. A notice is data; how it reads on a phone is made by `picket-pipeline`'s `notify`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::case::CaseId;
use crate::case::Deadline;
use crate::decision::Decision;
use crate::id::{GroupId, InstanceId, InterfaceId};
use crate::plan::Verification;
use crate::text::Untrusted;

/// What happened, from the reader's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum NoticeKind {
    /// Assets were cut off.
    Quarantined {
        /// Interface by interface.
        interfaces: Vec<InterfaceOutcome>,
        /// When the last change was answered.
        contained_at: Timestamp,
        /// When it is lifted or told again, unless people say before that it stays.
        #[serde(default)]
        deadline: Option<Deadline>,
    },
    /// What follows a containment is done: owners, evidence, credentials. It completes what `Quarantined` told.
    Secured {
        /// What was changed beside the groups, in words.
        made: Vec<String>,
        /// What was refused, with why: people may have to do it themselves.
        not_made: Vec<String>,
    },
    /// A deadline passed, or a limit was met: somebody has to decide now.
    Escalated {
        /// What, and what to do next.
        why: String,
        /// Whether it is in quarantine.
        #[serde(default)]
        held: bool,
    },
    /// They would have been, were the mode not observe.
    WouldQuarantine {
        /// The steps, in words.
        steps: Vec<String>,
    },
    /// A rail stopped it.
    Refused {
        /// Which, and what to do next.
        why: String,
    },
    /// Something to look at; nothing was or would be changed.
    Suspicious,
    /// A quarantine was lifted.
    Released {
        /// By whom.
        by: Untrusted,
        /// Why.
        reason: Untrusted,
        /// Interface and the groups that it has again.
        restored: Vec<(InterfaceId, Vec<GroupId>)>,
    },
    /// A fix was proposed, made, refused or put back.
    Fix(Box<FixNotice>),
    /// Somebody works against Picket: its rules, its functions, its groups, or with its own role.
    Tampering {
        /// What was seen, and what to do next.
        what: String,
    },
    /// Something is wrong with Picket itself.
    Trouble {
        /// What, and what to do next.
        what: String,
    },
}

impl NoticeKind {
    /// Every name that a kind can have.
    pub const NAMES: [&str; 16] = [
        "escalated",
        "fix_denied",
        "fix_failed",
        "fix_made",
        "fix_proposed",
        "fix_refused",
        "fix_undone",
        "fix_would_be_made",
        "quarantined",
        "refused",
        "released",
        "secured",
        "suspicious",
        "tampering",
        "trouble",
        "would_quarantine",
    ];

    /// Its name, for whoever filters notices by machine.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Quarantined { .. } => "quarantined",
            Self::Escalated { .. } => "escalated",
            Self::WouldQuarantine { .. } => "would_quarantine",
            Self::Refused { .. } => "refused",
            Self::Suspicious => "suspicious",
            Self::Released { .. } => "released",
            Self::Secured { .. } => "secured",
            Self::Tampering { .. } => "tampering",
            Self::Trouble { .. } => "trouble",
            Self::Fix(fix) => match fix.became {
                Became::Proposed => "fix_proposed",
                Became::WouldFix => "fix_would_be_made",
                Became::Fixed => "fix_made",
                Became::Failed => "fix_failed",
                Became::Refused => "fix_refused",
                Became::Denied => "fix_denied",
                Became::Undone => "fix_undone",
            },
        }
    }
}

/// What people are told of a fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixNotice {
    /// Which fix.
    pub id: CaseId,
    /// What became of it.
    pub became: Became,
    /// Its steps, in words.
    pub steps: Vec<String>,
    /// Why: the reason, the refusal, or why people are asked.
    pub says: String,
    /// Who or what caused it.
    pub by: Untrusted,
    /// The command to answer or to undo it.
    pub command: Option<String>,
    /// A link that shows the plan to whoever is asked. Opening it changes nothing.
    pub link: Option<String>,
    /// Until when it can be answered.
    pub expires_at: Option<Timestamp>,
}

/// What became of a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// People are asked.
    Proposed,
    /// It would be made, were the mode not observe.
    WouldFix,
    /// It was made and read back.
    Fixed,
    /// AWS refused it; what was made of it was put back.
    Failed,
    /// A rail or a guard stopped it.
    Refused,
    /// Somebody said no, or nobody said yes in time.
    Denied,
    /// It was put back.
    Undone,
}

/// What became of one interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceOutcome {
    /// The instance that owns it.
    pub instance: InstanceId,
    /// The interface.
    pub interface: InterfaceId,
    /// How it was found afterwards.
    pub verification: Verification,
}

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Names it: a notice of the same id is told once.
    pub id: String,
    /// What happened.
    pub kind: NoticeKind,
    /// Because of what.
    pub decision: Decision,
    /// When it was written.
    pub at: Timestamp,
    /// The stack that sent it, for the commands that it shows.
    pub stack: String,
}
