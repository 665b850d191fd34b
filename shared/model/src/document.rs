//! Evidence as rules read it: one document about one thing, in the words of the API that told it, or why there is none.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::evidence::Fact;
use crate::id::{AccountId, Region};

/// What was read of one thing. Rules select documents by kind and read their value by path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Service and thing, such as `ec2.security_group`, `eks.cluster`, `kubernetes.pod`, `node`.
    pub kind: String,
    /// The account that it belongs to.
    pub account: AccountId,
    /// Its Region; none for what has none, such as IAM.
    pub region: Option<Region>,
    /// The thing within account, Region and kind, such as `sg-0123456789abcdef0` or `prod`.
    pub id: String,
    /// When it was read.
    pub read_at: Timestamp,
    /// What was read, with the call that told it; or why it is not known, such as a denied call and its permission.
    pub facts: Fact<Value>,
}

impl Document {
    /// The thing in one word for people and identities: `ec2.security_group/sg-0123456789abcdef0`.
    #[must_use]
    pub fn asset(&self) -> String {
        format!("{}/{}", self.kind, self.id)
    }
}
