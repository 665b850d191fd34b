//! The nouns of Picket: what the stages hand to each other and what is kept.
//! No IO, no async, no clock and no environment: time is an argument, and AWS
//! wire shapes are translated into these types by `picket-aws`.

pub mod assessment;
pub mod asset;
pub mod case;
pub mod change;
pub mod decision;
pub mod document;
pub mod evidence;
pub mod finding;
pub mod fix;
pub mod id;
pub mod journal;
pub mod landscape;
pub mod mode;
pub mod notice;
pub mod outcome;
pub mod plan;
pub mod principal;
pub mod text;
pub mod trigger;

pub use assessment::{Assessment, BenchmarkResult, ControlResult, Unseen};
pub use asset::{Asset, Attempt, Cluster, Instance, InstanceState, Interface, InterfaceKind};
pub use case::{AtDeadline, Capture, CaseId, Deadline, Hold, HoldState, Kept, Tier};
pub use change::{Change, Facts, Measure, MeasureState, ScalingGroup};
pub use decision::{Decision, Reason, Score, Target, Verdict};
pub use document::Document;
pub use evidence::{Exposure, Fact, NodeOf, Observation, Openness, Rule, UserData};
pub use finding::{Finding, Status, Waiver};
pub use fix::{Aim, Fix, FixState, FixStep, StepState};
pub use id::{AccountId, GroupId, IdError, InstanceId, InterfaceId, Region, Scope, VpcId};
pub use journal::{Entry, Event, IllegalTransition};
pub use mode::Mode;
pub use notice::{Notice, NoticeKind};
pub use outcome::{Evaluation, Outcome, Reading, Severity};
pub use plan::{Plan, Step, Verification};
pub use principal::{Principal, PrincipalKind};
pub use text::Untrusted;
pub use trigger::{Decoded, Drop, Hint, Signal, Subject, Trigger, TriggerKind};
