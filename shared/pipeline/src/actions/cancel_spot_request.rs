//! Cancel a persistent Spot request: it launches the same again when its instance ends. Cancelling terminates nothing,
//! and cannot be undone.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["ec2:CancelSpotInstanceRequests", "ec2:DescribeSpotInstanceRequests"];

/// The measure, where there is such a request.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    let instance = subject.facts.instance.clone();
    let cancel = |request| Change::CancelSpotRequest { request, instance };
    subject
        .facts
        .spot_request
        .clone()
        .map(cancel)
        .map(|c| Measure::new("cancel_spot_request", c, None))
        .into_iter()
        .collect()
}
