//! A case: one launch, or one order, and all that is done about it. A hold: one instance kept in quarantine.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::change::Measure;
use crate::id::{GroupId, InstanceId, InterfaceId, Scope, VpcId};
use crate::text::Untrusted;

/// Names a case: `case-` and 12 hexadecimal digits. The same scope and seed always give the same case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaseId(String);

impl CaseId {
    /// The case of what `seed` names in `scope`: a reservation for a launch, an instance and a time for an order.
    #[must_use]
    pub fn derive(scope: &Scope, seed: &str) -> Self {
        let digest = Sha256::digest(format!("{scope}/{seed}"));
        let hex: String = digest.iter().take(6).map(|b| format!("{b:02x}")).collect();
        Self(format!("case-{hex}"))
    }

    /// The id in words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CaseId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix("case-") {
            Some(hex) if hex.len() == 12 && hex.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(Self(text)),
            _ => Err(format!("`{text}` is not a case id, such as `case-0123456789ab`")),
        }
    }
}

impl std::str::FromStr for CaseId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }
}

impl From<CaseId> for String {
    fn from(id: CaseId) -> String {
        id.0
    }
}

impl std::fmt::Display for CaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an interface had before the first change. Written once, before it, and never overwritten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// The interface.
    pub interface: InterfaceId,
    /// Its VPC.
    pub vpc: VpcId,
    /// Its groups, in order.
    pub groups: Vec<GroupId>,
}

/// Where a hold stands. `Contained` is left only by a release that a person asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// Captured; interfaces are being moved.
    Containing,
    /// Every interface was read back in the quarantine group.
    Contained,
    /// A release began.
    Releasing,
    /// All put back.
    Released,
}

impl std::fmt::Display for HoldState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Containing => "containing",
            Self::Contained => "contained",
            Self::Releasing => "releasing",
            Self::Released => "released",
        })
    }
}

/// How sure it is that what is held is rogue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// The signs speak for it.
    Suspected,
    /// It was proved, or a person ordered it. What says nothing else is held for sure.
    #[default]
    Confirmed,
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Suspected => "suspected",
            Self::Confirmed => "confirmed",
        })
    }
}

/// What happens to a hold at some time, unless people have said before that it stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// When.
    pub at: Timestamp,
    /// What.
    pub then: AtDeadline,
}

/// What a deadline brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtDeadline {
    /// The hold is lifted.
    Lift,
    /// People are told again, louder; it stays.
    Escalate,
}

/// That a hold stays until it is released, as people said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Who said so, as AWS knows them.
    pub by: Untrusted,
    /// Why.
    pub reason: Untrusted,
    /// When.
    pub at: Timestamp,
}

/// One instance in quarantine, with all that is needed to put it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Where.
    pub scope: Scope,
    /// Which instance.
    pub instance: InstanceId,
    /// Under which case.
    pub case: CaseId,
    /// Other cases that hold it too.
    #[serde(default)]
    pub also: Vec<CaseId>,
    /// Cases among these that people have lifted.
    #[serde(default)]
    pub lifted: Vec<CaseId>,
    /// How often it was contained anew: after a release, or because somebody had opened it.
    #[serde(default)]
    pub times: u32,
    /// Where it stands.
    pub state: HoldState,
    /// The state before, interface by interface.
    pub captures: Vec<Capture>,
    /// The quarantine groups in use.
    pub quarantine: Vec<GroupId>,
    /// When it began.
    pub since: Timestamp,
    /// Until when one worker may act on it alone.
    pub lease_until: Timestamp,
    /// Who released it, or is about to, when and why.
    pub released: Option<Release>,
    /// How sure it is.
    #[serde(default)]
    pub tier: Tier,
    /// When it is lifted or told again, unless people say before that it stays.
    #[serde(default)]
    pub deadline: Option<Deadline>,
    /// Who said that it stays.
    #[serde(default)]
    pub kept: Option<Kept>,
    /// The changes beside the groups, in the order in which they were made.
    #[serde(default)]
    pub measures: Vec<Measure>,
    /// Whether all measures were planned and made, or refused: nothing is left to resume.
    #[serde(default)]
    pub secured: bool,
}

impl Hold {
    /// The cases that still hold it.
    pub fn cases(&self) -> impl Iterator<Item = &CaseId> {
        std::iter::once(&self.case).chain(&self.also).filter(|c| !self.lifted.contains(c))
    }

    /// What its deadline brings, once that is over.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Option<AtDeadline> {
        let held = matches!(self.state, HoldState::Containing | HoldState::Contained);
        self.deadline.as_ref().filter(|d| held && d.at <= now).map(|d| d.then)
    }
}

/// A release, as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Who asked, as AWS knows them.
    pub by: Untrusted,
    /// Why.
    pub reason: Untrusted,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AccountId, Region};

    #[test]
    fn the_same_launch_is_the_same_case_and_another_account_s_is_not() {
        let scope =
            |a: &str| Scope { account: AccountId::parse(a).unwrap(), region: Region::parse("us-east-1").unwrap() };
        let one = CaseId::derive(&scope("123456789012"), "r-1");
        assert_eq!(one, CaseId::derive(&scope("123456789012"), "r-1"));
        assert_ne!(one, CaseId::derive(&scope("210987654321"), "r-1"));
        assert!(CaseId::try_from(one.to_string()).is_ok());
        assert!(CaseId::try_from("case-zz".to_owned()).is_err());
    }
}
