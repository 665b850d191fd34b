//! One account and Region to read, within one assessment: clients, the time, and what was read already.

use jiff::Timestamp;
use picket_aws::SdkConfig;
use picket_model::{AccountId, Document, Fact, Region, Untrusted};
use serde_json::Value;

use crate::memo::Memo;

/// Where evidence is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// The Region; none for what an account has once.
    pub region: Option<Region>,
}

/// What a collector is given.
#[derive(Debug)]
pub struct Session {
    /// Where.
    pub place: Place,
    /// When, for all documents of this round.
    pub at: Timestamp,
    config: SdkConfig,
    memo: Memo,
}

impl Session {
    /// A session in `place`, with the SDK's configuration for it.
    #[must_use]
    pub fn new(place: Place, at: Timestamp, config: SdkConfig) -> Self {
        Self { place, at, config, memo: Memo::default() }
    }

    /// The SDK's configuration for this place, to make a client of any service from.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The answer to `call`, asked once however many collectors want it.
    pub async fn once<T, F>(&self, call: &str, ask: impl FnOnce() -> F + Send) -> T
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = T> + Send,
    {
        self.memo.once(call, ask).await
    }

    /// A document of what `source` told, such as `eks:DescribeCluster`.
    #[must_use]
    pub fn document(&self, kind: &str, id: &str, value: Value, source: &str) -> Document {
        self.with_facts(kind, id, Fact::known(value, source))
    }

    /// A document that says why there is nothing: the call that failed and how. `code` is AWS's, such as
    /// `AccessDenied`, or what happened instead of an answer. The id `*` stands for the whole list.
    #[must_use]
    pub fn unread(&self, kind: &str, id: &str, call: &str, code: &str) -> Document {
        self.with_facts(kind, id, Fact::unknown(why_unread(call, code)))
    }

    fn with_facts(&self, kind: &str, id: &str, facts: Fact<Value>) -> Document {
        Document {
            kind: kind.to_owned(),
            account: self.place.account.clone(),
            region: self.place.region.clone(),
            id: id.to_owned(),
            read_at: self.at,
            facts,
        }
    }
}

/// Why a call gave nothing, in words that say what to do.
#[must_use]
pub fn why_unread(call: &str, code: &str) -> String {
    let denied = ["AccessDenied", "UnauthorizedOperation", "AuthorizationError", "Forbidden"];
    if denied.iter().any(|d| code.starts_with(d)) {
        format!("{call} was denied; grant it to the role that collects")
    } else {
        format!("{call} failed: {}", Untrusted::new(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_call_names_the_permission_that_is_missing() {
        let why = why_unread("eks:DescribeCluster", "AccessDeniedException");
        assert_eq!(why, "eks:DescribeCluster was denied; grant it to the role that collects");
        assert_eq!(why_unread("eks:ListClusters", "Timeout"), "eks:ListClusters failed: Timeout");
    }
}
