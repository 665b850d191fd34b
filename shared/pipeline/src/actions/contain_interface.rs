//! Contain an interface: replace all its groups by the quarantine group, in one call.
//!
//! Guarantees: doing it twice is doing it once; an interface that is gone counts as done.
//! Assumptions: the capture is written, and the group was checked for emptiness in this run.
//! Caveats: flows that were open and are tracked go on until they idle out (EC2 user guide, connection tracking).

use picket_model::{GroupId, InterfaceId, Scope};

use crate::permit::Permit;
use crate::ports::{Answer, Containment, Kind};

/// What it needs of IAM: on the interface, its instance, and the quarantine group alone.
pub const PERMISSIONS: &[&str] = &["ec2:ModifyNetworkInterfaceAttribute"];

/// Contains one interface.
///
/// # Errors
/// As AWS answers; passing faults were tried again by the client before.
pub async fn apply(
    aws: &dyn Containment,
    permit: &Permit,
    scope: &Scope,
    interface: &InterfaceId,
    quarantine: &GroupId,
) -> Answer<()> {
    match aws.set_groups(permit, scope, interface, std::slice::from_ref(quarantine)).await {
        Err(error) if error.kind == Kind::NotFound => Ok(()),
        other => other,
    }
}
