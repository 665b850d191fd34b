//! The calls that the ports make, and EC2's token buckets (EC2 API, throttling; one bucket an API here).

use std::collections::BTreeMap;

use crate::agenda::SECOND;

/// One kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is named as the method of its port")]
pub enum Api {
    Instances,
    Interfaces,
    UserData,
    IngressRules,
    ExistingGroups,
    Cluster,
    Vpcs,
    Clusters,
    AttachedPolicies,
    LaunchedBy,
    MarkedGroups,
    CreateGroup,
    EmptyGroup,
    SetGroups,
    Policy,
    KeepGood,
    PutPolicy,
    SetPaused,
    FirstSeen,
    Remember,
    Begin,
    Update,
    Hold,
    Holds,
    Note,
    Journal,
    QuarantineGroup,
    KeepQuarantineGroup,
    Facts,
    Owners,
    FlowFacts,
    InOpenGroups,
    OpenGroup,
    OpenGroups,
    RemoveGroup,
    Make,
    Send,
    ClaimNotice,
    Publish,
    KeepTold,
    /// Any method that came later: give it a name of its own when it matters.
    Other,
}

impl Api {
    /// Whether it reads EC2, whose reads are eventually consistent.
    #[must_use]
    pub fn reads_ec2(self) -> bool {
        matches!(
            self,
            Self::Instances
                | Self::Interfaces
                | Self::UserData
                | Self::IngressRules
                | Self::ExistingGroups
                | Self::MarkedGroups
                | Self::Facts
                | Self::Owners
                | Self::FlowFacts
                | Self::InOpenGroups
                | Self::OpenGroups
        )
    }

    /// Whether it changes EC2.
    #[must_use]
    pub fn changes_ec2(self) -> bool {
        matches!(
            self,
            Self::CreateGroup | Self::EmptyGroup | Self::OpenGroup | Self::RemoveGroup | Self::SetGroups | Self::Make
        )
    }

    /// Size and refill a second of its bucket.
    #[must_use]
    pub fn bucket(self) -> Option<(u64, u64)> {
        match self {
            Self::SetGroups => Some((100, 5)),
            Self::CreateGroup | Self::EmptyGroup | Self::OpenGroup | Self::RemoveGroup | Self::Make => Some((50, 5)),
            api if api.reads_ec2() || api == Self::Vpcs => Some((100, 20)),
            _ => None,
        }
    }
}

/// EC2's buckets of one account and Region, in millionths of a token.
#[derive(Debug, Default)]
pub struct Buckets(BTreeMap<Api, (u64, u64)>);

impl Buckets {
    /// Takes a token, if there is one.
    pub fn take(&mut self, api: Api, now: u64) -> bool {
        let Some((size, refill)) = api.bucket() else { return true };
        let (left, at) = self.0.entry(api).or_insert((size * SECOND, now));
        *left = (*left + (now - *at) * refill).min(size * SECOND);
        *at = now;
        let enough = *left >= SECOND;
        if enough {
            *left -= SECOND;
        }
        enough
    }

    /// Somebody else spends all of them.
    pub fn drain(&mut self, api: Api, now: u64) {
        self.0.insert(api, (0, now));
    }
}
