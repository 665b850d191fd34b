//! Restore an interface: give it back the groups of its capture, in their order, in one call.
//!
//! Guarantees: doing it twice is doing it once; an interface that is gone is no fault, and is told from one that was restored.
//! Assumptions: a person ordered it, and live state was compared with what containment left.

use picket_model::{GroupId, InterfaceId, Scope};

use crate::permit::Permit;
use crate::ports::{Answer, Containment, Kind};

/// What it needs of IAM: on the interface, its instance, and any group.
pub const PERMISSIONS: &[&str] = &["ec2:ModifyNetworkInterfaceAttribute"];

/// Restores one interface. False if it is gone.
///
/// # Errors
/// As AWS answers.
pub async fn apply(
    aws: &dyn Containment,
    permit: &Permit,
    scope: &Scope,
    interface: &InterfaceId,
    groups: &[GroupId],
) -> Answer<bool> {
    match aws.set_groups(permit, scope, interface, groups).await {
        Err(error) if error.kind == Kind::NotFound => Ok(false),
        other => other.map(|()| true),
    }
}
