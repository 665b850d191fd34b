//! The quarantine group of a VPC: one, known by the id that we wrote down when we made it, with no rule at all.
//! A group that merely carries our name or mark is not it: anybody can make one.
//!
//! Flow: `check` reads our record and the live group at the same time. `ensure` makes or empties it and checks again.
//! Guarantees: what is returned was read with zero rules, in both directions, IPv4 and IPv6, in this run.
//! Caveats: two runs that make the first group at once leave one of the two unused.

use futures::join;
use picket_model::{GroupId, Scope, VpcId};

use crate::permit::Permit;
use crate::ports::{Answer, Containment, Holds, Kind, PortError};

/// What it needs of IAM. Making and emptying are confined to groups that carry this deployment's mark.
pub const PERMISSIONS: &[&str] = &[
    "ec2:CreateSecurityGroup",
    "ec2:CreateTags",
    "ec2:DescribeSecurityGroups",
    "ec2:RevokeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupIngress",
];

/// How often a new group is read until it shows up without rules.
const READS: u32 = 5;

/// How the quarantine group of a VPC was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It is there and has no rules.
    Ready(GroupId),
    /// It is ours and somebody put rules into it.
    HasRules(GroupId, usize),
    /// We have none here, or the one that we know is gone.
    Missing(Option<GroupId>),
}

/// Reads the group of `vpc`, without changing anything.
///
/// # Errors
/// If the record or the group cannot be read.
pub async fn check(aws: &dyn Containment, holds: &dyn Holds, scope: &Scope, vpc: &VpcId) -> Answer<Check> {
    let (ours, live) = join!(holds.quarantine_group(scope, vpc), aws.marked_groups(scope, vpc));
    let (ours, mut live) = (ours?, live?);
    if ours.as_ref().is_some_and(|id| !live.iter().any(|g| &g.id == id)) {
        // Another worker may have made it after we listed. What is recorded by now was made before this second list.
        live = aws.marked_groups(scope, vpc).await?;
    }
    Ok(match live.into_iter().find(|g| Some(&g.id) == ours.as_ref()) {
        Some(group) if group.rules == 0 => Check::Ready(group.id),
        Some(group) => Check::HasRules(group.id, group.rules),
        None => Check::Missing(ours),
    })
}

/// Makes the group ready, from however it was found.
///
/// # Errors
/// If it cannot be made or emptied, or still has rules afterwards; then nothing may be put into it.
pub async fn ensure(
    aws: &dyn Containment,
    holds: &dyn Holds,
    permit: &Permit,
    scope: &Scope,
    vpc: &VpcId,
    found: Check,
) -> Answer<GroupId> {
    let id = match found {
        Check::Ready(id) => return Ok(id),
        Check::HasRules(id, rules) => {
            tracing::warn!(group = %id, rules, "somebody put rules into the quarantine group; they are removed");
            id
        }
        Check::Missing(gone) => {
            let made = aws.create_group(permit, scope, vpc).await?;
            holds.keep_quarantine_group(scope, vpc, &made, gone.as_ref()).await?
        }
    };
    aws.empty_group(permit, scope, &id).await?;
    for _ in 0..READS {
        if let Check::Ready(ready) = check(aws, holds, scope, vpc).await? {
            return Ok(ready);
        }
    }
    Err(PortError::new("emptying the quarantine group", &id, Kind::Transient, "it still shows rules; try again"))
}
