//! A fix: what is wrong about one thing, changed to what it should be. What was there before is kept with it from its
//! intent on, so that it can be put back exactly. Quarantines are not fixes: those are `Hold`s.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::case::CaseId;
use crate::id::Scope;
use crate::text::Untrusted;

/// What is to be changed: which action, on what, with which parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aim {
    /// The action's name, such as `eks_set_logging`.
    pub action: String,
    /// The thing, such as a cluster's name.
    pub target: String,
    /// Parameters by name.
    #[serde(default)]
    pub with: serde_json::Map<String, Value>,
}

/// One change of one thing, with both ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixStep {
    /// What is changed.
    pub aim: Aim,
    /// In words, from what to what.
    pub says: Untrusted,
    /// What was there: written before the first change and never overwritten in its round.
    pub before: Value,
    /// What shall be there.
    pub after: Value,
    /// What else was read for it, such as ids that AWS gives anew.
    #[serde(default)]
    pub facts: Value,
    /// Whether AWS gives no way back.
    pub one_way: bool,
    /// Where it stands.
    pub state: StepState,
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "why")]
pub enum StepState {
    /// Planned, or journalled and about to be made: making it twice is making it once.
    Intended,
    /// AWS took it.
    Done,
    /// It was read back.
    Verified,
    /// AWS refused it.
    Failed(Untrusted),
    /// It was put back.
    Undone,
}

/// Where a fix stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixState {
    /// Somebody has to say yes first.
    Proposed,
    /// Nobody may do it: a person said no, or nobody said yes in time.
    Denied,
    /// It is being made.
    Applying,
    /// Made and read back.
    Fixed,
    /// It could not be made; what was made of it was put back.
    Failed,
    /// It is being put back.
    Undoing,
    /// Put back, on purpose.
    Undone,
}

impl std::fmt::Display for FixState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Proposed => "proposed",
            Self::Denied => "denied",
            Self::Applying => "applying",
            Self::Fixed => "fixed",
            Self::Failed => "failed",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        })
    }
}

/// Because of what it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Cause {
    /// A rule failed.
    Finding {
        /// The finding's id.
        id: String,
        /// The rule.
        rule: String,
        /// The asset.
        asset: String,
        /// Controls that ask for it.
        #[serde(default)]
        controls: Vec<String>,
    },
    /// A person ordered it.
    Order {
        /// Who, as AWS knows them.
        by: Untrusted,
        /// Why.
        reason: Untrusted,
    },
}

impl Cause {
    /// Who or what makes it happen, for the journal.
    #[must_use]
    pub fn by(&self) -> Untrusted {
        match self {
            Self::Finding { rule, .. } => Untrusted::new(&format!("rule {rule}")),
            Self::Order { by, .. } => by.clone(),
        }
    }

    /// Why, in one line.
    #[must_use]
    pub fn why(&self) -> Untrusted {
        match self {
            Self::Finding { rule, asset, .. } => Untrusted::new(&format!("{asset} fails {rule}")),
            Self::Order { reason, .. } => reason.clone(),
        }
    }
}

/// What happens when nobody answers in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtExpiry {
    /// Nothing is changed.
    #[default]
    Leave,
    /// It is made. Never for what cannot be undone.
    Fix,
}

/// A question to people, and their answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
    /// What happens then.
    pub at_expiry: AtExpiry,
    /// Why people are asked.
    pub because: String,
    /// Names this question: a link is good for one question, and for one answer.
    pub question: String,
    /// The answer.
    pub answer: Option<Answered>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Yes or no.
    pub approved: bool,
    /// Who, as AWS knows them; or `nobody, in time`.
    pub by: Untrusted,
    /// When.
    pub at: Timestamp,
    /// Why, if they said so.
    pub reason: Untrusted,
}

/// A fix, from its proposal to its way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// Names it; its journal has the same name. The same aims in the same scope are the same fix.
    pub id: CaseId,
    /// Where.
    pub scope: Scope,
    /// Why.
    pub cause: Cause,
    /// What is changed, in order.
    pub steps: Vec<FixStep>,
    /// Where it stands.
    pub state: FixState,
    /// When it was first planned.
    pub since: Timestamp,
    /// When it last came to where it stands.
    pub at: Timestamp,
    /// Until when one worker may act on it alone.
    pub lease_until: Timestamp,
    /// How often it was made, this time included.
    pub round: u32,
    /// What people were asked.
    #[serde(default)]
    pub approval: Option<Approval>,
    /// Who put it back last, and why.
    #[serde(default)]
    pub undone: Option<Answered>,
}

impl Fix {
    /// The id of what these aims come to in `scope`.
    #[must_use]
    pub fn id_of(scope: &Scope, aims: &[Aim]) -> CaseId {
        // Maps of serde_json are in the order of their keys, so that the same parameters give the same text.
        let seed = serde_json::to_string(aims).unwrap_or_default();
        CaseId::derive(scope, &format!("fix/{seed}"))
    }

    /// Whether people are being asked and can still answer.
    #[must_use]
    pub fn is_asked(&self, now: Timestamp) -> bool {
        let open = |a: &Approval| a.answer.is_none() && a.expires_at > now;
        self.state == FixState::Proposed && self.approval.as_ref().is_some_and(open)
    }

    /// Its steps in words.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        self.steps.iter().map(|s| s.says.to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_aims_are_the_same_fix_in_whichever_order_their_parameters_are_written() {
        let scope: Scope = serde_json::from_str(r#"{"account":"123456789012","region":"us-east-1"}"#).unwrap();
        let aim = |text: &str| serde_json::from_str::<Aim>(text).unwrap();
        let one = aim(r#"{"action":"a","target":"t","with":{"x":1,"y":2}}"#);
        let other = aim(r#"{"target":"t","with":{"y":2,"x":1},"action":"a"}"#);
        assert_eq!(Fix::id_of(&scope, std::slice::from_ref(&one)), Fix::id_of(&scope, &[other]));
        let third = aim(r#"{"action":"a","target":"t2","with":{"x":1,"y":2}}"#);
        assert_ne!(Fix::id_of(&scope, &[one]), Fix::id_of(&scope, &[third]));
    }
}
