//! Load balancers, of both generations: their names and tags may speak of Kubernetes.

use picket_model::{Hint, Subject};

use super::agents::words;
use super::cloudtrail::{Look, Record};
use super::malformed::Malformed;

/// `CreateLoadBalancer` (`name`, or `loadBalancerName` in the first generation), `CreateTargetGroup`.
pub(super) fn named(record: &Record<'_>) -> Result<Look, Malformed> {
    let words = words(&record.request(), &["name", "loadBalancerName"], &["tags"]);
    Ok(Look::At(Subject::Sign { words, instances: Vec::new() }, Hint::default()))
}
