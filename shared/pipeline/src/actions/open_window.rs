//! The open window: an interface goes through a group that is open to everything, for as long as one call takes, and
//! then into the quarantine group. What EC2 remembered it forgets, so that the closing ends it.
//!
//! Guarantees: the second call is sent whatever became of the first, and again while it fails for passing reasons. A
//! worker that dies in between leaves a hold that is being contained, which the next attempt closes; the sweep looks
//! for interfaces in such a group and has them closed.
//! Caveats: the host is open to the whole world meanwhile; the policy and the stack both have to allow it.
//! Sources: AWSSupport-ContainEC2Instance; automated-forensic-orchestrator isolateEc2.py.

use picket_model::{GroupId, InterfaceId, Scope};

use super::contain_interface;
use crate::permit::Permit;
use crate::ports::{Answer, Containment, Kind};

/// What it needs of IAM. All of it is confined to groups that carry this deployment's mark of an open group.
pub const PERMISSIONS: &[&str] = &[
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateSecurityGroup",
    "ec2:DeleteSecurityGroup",
    "ec2:ModifyNetworkInterfaceAttribute",
];

/// How often the closing call is sent.
const CLOSING: u32 = 5;

/// Takes one interface through the window. Answers whether it is known to have been open, and how the closing went: if
/// that failed, it is tried again with its hold.
pub async fn apply(
    aws: &dyn Containment,
    permit: &Permit,
    scope: &Scope,
    interface: &InterfaceId,
    (open, quarantine): (&GroupId, &GroupId),
) -> (bool, Answer<()>) {
    let opened = aws.set_groups(permit, scope, interface, std::slice::from_ref(open)).await;
    if let Err(error) = &opened {
        // The call may have had its effect all the same.
        tracing::warn!(%interface, %error, "the window was not opened");
    }
    let mut answer = contain_interface::apply(aws, permit, scope, interface, quarantine).await;
    for _ in 1..CLOSING {
        match &answer {
            Err(error) if error.kind == Kind::Transient => {
                answer = contain_interface::apply(aws, permit, scope, interface, quarantine).await;
            }
            _ => break,
        }
    }
    (opened.is_ok(), answer)
}
