//! Whose turn it is: EC2 answers so many reads a second for each account and Region, and a scan must leave most of them
//! to the account's own controllers. Source: EC2 API, request throttling: 100 at once, 20 a second for filtered or paged
//! reads; 50 and 10 for those that are neither, so half of that is taken here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use picket_model::Region;
use tokio::time::Instant;

/// How many calls may be made at once after a pause, and how many a second follow.
const EC2: (f64, f64) = (40.0, 10.0);
/// Route 53 answers five a second, all callers of the account together.
const ROUTE_53: (f64, f64) = (2.0, 2.0);

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
    made: usize,
}

/// The buckets of an account, one a Region.
#[derive(Debug)]
pub(super) struct Turns {
    buckets: Mutex<HashMap<Region, Bucket>>,
    rate: (f64, f64),
}

impl Default for Turns {
    fn default() -> Self {
        Self { buckets: Mutex::default(), rate: EC2 }
    }
}

impl Turns {
    /// Those of a service that answers few questions.
    pub(super) fn slow() -> Self {
        Self { rate: ROUTE_53, ..Self::default() }
    }

    /// Waits until one more call may be made, and counts it.
    pub(super) async fn wait(&self, region: &Region) {
        let pause = self.take(region, Instant::now());
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }

    /// How many calls were made.
    pub(super) fn made(&self, region: &Region) -> usize {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).get(region).map_or(0, |bucket| bucket.made)
    }

    /// Takes one; the bucket may go below nothing, and whoever took it there waits that long.
    fn take(&self, region: &Region, now: Instant) -> Duration {
        let mut all = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let (at_once, per_second) = self.rate;
        let bucket = all.entry(region.clone()).or_insert(Bucket { left: at_once, at: now, made: 0 });
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + since * per_second).min(at_once) - 1.0;
        bucket.at = now;
        bucket.made += 1;
        Duration::from_secs_f64((-bucket.left / per_second).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_ten_a_second() {
        let (turns, region, now) = (Turns::default(), Region::parse("us-east-1").unwrap(), Instant::now());
        let waits: Vec<_> = (0..60).map(|_| turns.take(&region, now)).collect();
        assert!(waits[..40].iter().all(Duration::is_zero));
        assert_eq!(waits[59].as_millis(), 2000);
        assert_eq!(turns.made(&region), 60);
        let other = Region::parse("eu-west-1").unwrap();
        assert!(turns.take(&other, now).is_zero(), "each Region has its own bucket");
    }

    #[test]
    fn a_pause_fills_the_bucket_again_but_not_beyond_its_size() {
        let (turns, region, now) = (Turns::default(), Region::parse("us-east-1").unwrap(), Instant::now());
        (0..50).for_each(|_| {
            turns.take(&region, now);
        });
        let later = now + Duration::from_secs(3600);
        let waits = (0..41).map(|_| turns.take(&region, later)).filter(|w| !w.is_zero()).count();
        assert_eq!(waits, 1);
    }
}
