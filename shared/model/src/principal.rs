//! Who made a call, as CloudTrail tells it. Names are the caller's own words.

use serde::{Deserialize, Serialize};

use crate::text::Untrusted;

/// The kinds of caller that CloudTrail's `userIdentity.type` distinguishes, as far as they matter for a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// The account's root user.
    Root,
    /// A long-lived IAM user.
    User,
    /// A role session (`AssumedRole`, `FederatedUser`, `WebIdentityUser`, ...).
    Role,
    /// An AWS service on its own behalf.
    Service,
    /// A type that this version does not know.
    Other,
}

/// A caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// What kind of caller.
    pub kind: PrincipalKind,
    /// The ARN without its session name: the same person or role has one value.
    pub arn: Untrusted,
    /// The user or role name, for people.
    pub name: Untrusted,
    /// The access key that signed, where the record names it.
    pub access_key: Option<Untrusted>,
    /// The AWS service that called for the principal (`userIdentity.invokedBy`), such as `autoscaling.amazonaws.com`.
    pub invoked_by: Option<Untrusted>,
    /// Where the call came from.
    pub source_ip: Option<Untrusted>,
    /// What the caller says it is.
    pub user_agent: Option<Untrusted>,
}

impl Principal {
    /// Whether an AWS service made the call, for itself or for the principal.
    #[must_use]
    pub fn is_aws_service(&self) -> bool {
        self.kind == PrincipalKind::Service
            || self.invoked_by.as_ref().is_some_and(|by| by.as_str().ends_with(".amazonaws.com"))
    }
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            PrincipalKind::Root => return f.write_str("the root user"),
            PrincipalKind::User => "IAM user",
            PrincipalKind::Role => "role",
            PrincipalKind::Service => "service",
            PrincipalKind::Other => "principal",
        };
        write!(f, "{kind} {}", self.name)
    }
}
