//! A local token bucket for each of EC2's published buckets (EC2 API, request throttling), so that what matters most is
//! sent first: containment takes the last token, and protection, copies and tags leave some for it.
//!
//! Guarantees: what is let through at once never passes the published bucket; a wait is bounded by the deficit over the
//! refill. Pure: who waits is up to the caller.
//! Caveats: it knows what this process sent. Other processes share the bucket in AWS, whose throttling still counts.

use std::collections::HashMap;
use std::hash::Hash;

use jiff::{SignedDuration, Timestamp};

/// One of EC2's buckets of changes, each an account's in a Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// `ModifyNetworkInterfaceAttribute`.
    Interfaces,
    /// Changes without a bucket of their own: groups, `ModifyInstanceAttribute`.
    Changes,
    /// `CreateSnapshots`.
    Snapshots,
    /// `ModifyInstanceMetadataOptions`.
    Metadata,
    /// `CreateTags`, `DeleteTags`.
    Tags,
}

impl Lane {
    /// Its size, and its refill a second.
    #[must_use]
    pub fn bucket(self) -> (f64, f64) {
        match self {
            Self::Changes => (50.0, 5.0),
            Self::Interfaces | Self::Metadata | Self::Snapshots => (100.0, 5.0),
            Self::Tags => (100.0, 10.0),
        }
    }
}

/// What a change is for, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// It cuts something off, or lets it go again.
    Contain,
    /// It protects the evidence.
    Protect,
    /// It copies it.
    Copy,
    /// It marks it.
    Mark,
}

impl Rank {
    /// Which part of a bucket it leaves to what is more important.
    fn leaves(self) -> f64 {
        match self {
            Self::Contain => 0.0,
            Self::Protect => 0.1,
            Self::Copy => 0.3,
            Self::Mark => 0.5,
        }
    }
}

/// The buckets, by place.
#[derive(Debug)]
pub struct Pace<P>(HashMap<(P, Lane), (f64, Timestamp)>);

impl<P> Default for Pace<P> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<P: Clone + Eq + Hash> Pace<P> {
    /// Takes a token, and says how long to wait before it may be used. What is taken is taken: later callers queue
    /// behind it.
    pub fn take(&mut self, place: &P, lane: Lane, rank: Rank, now: Timestamp) -> SignedDuration {
        let (size, refill) = lane.bucket();
        let (left, at) = self.0.entry((place.clone(), lane)).or_insert((size, now));
        let passed = now.duration_since(*at).as_secs_f64().max(0.0);
        *left = (*left + passed * refill).min(size);
        *at = now.max(*at);
        *left -= 1.0;
        let short = (size * rank.leaves() - *left).max(0.0);
        SignedDuration::try_from_secs_f64(short / refill).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(rank: Rank, taken: u32) -> f64 {
        let mut pace = Pace::default();
        let now = Timestamp::UNIX_EPOCH;
        for _ in 0..taken {
            pace.take(&"here", Lane::Interfaces, Rank::Contain, now);
        }
        pace.take(&"here", Lane::Interfaces, rank, now).as_secs_f64()
    }

    #[test]
    fn containment_waits_for_nothing_until_the_bucket_is_empty_and_then_for_the_refill() {
        assert_eq!((waits(Rank::Contain, 0), waits(Rank::Contain, 99)), (0.0, 0.0));
        assert!((waits(Rank::Contain, 100) - 0.2).abs() < 1e-9);
        assert!((waits(Rank::Contain, 999) - 180.0).abs() < 1e-6, "the published floor of 1,000 interfaces");
    }

    #[test]
    fn what_matters_less_leaves_tokens_for_what_matters_more() {
        let taken = 60;
        let [contain, protect, copy, mark] =
            [Rank::Contain, Rank::Protect, Rank::Copy, Rank::Mark].map(|rank| waits(rank, taken));
        assert_eq!((contain, protect, copy), (0.0, 0.0, 0.0));
        assert!(mark > 0.0);
        assert!(waits(Rank::Copy, 80) > 0.0 && waits(Rank::Protect, 80) == 0.0);
    }

    #[test]
    fn buckets_of_two_regions_and_two_calls_are_apart_and_time_fills_them() {
        let mut pace = Pace::default();
        let now = Timestamp::UNIX_EPOCH;
        for _ in 0..100 {
            pace.take(&"here", Lane::Interfaces, Rank::Contain, now);
        }
        assert!(pace.take(&"there", Lane::Interfaces, Rank::Contain, now).is_zero());
        assert!(pace.take(&"here", Lane::Tags, Rank::Contain, now).is_zero());
        let later = now.saturating_add(SignedDuration::from_secs(20)).unwrap();
        assert!(pace.take(&"here", Lane::Interfaces, Rank::Contain, later).is_zero());
    }
}
