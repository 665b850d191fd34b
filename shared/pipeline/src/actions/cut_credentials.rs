//! Cut the credentials of this one instance: a deny for the sessions whose `aws:userid` is its role's id and its own.
//! Every other user of the role, such as the rest of a node group, goes on.
//! Caveats: IAM takes seconds to minutes to hold everywhere; what was copied to another machine is cut as well, since
//! the session's name travels with the credentials.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM: a managed policy under our own path, and attaching nothing but those.
/// A policy that is there already under our name is read first: somebody may have planted it.
pub const PERMISSIONS: &[&str] =
    &["iam:AttachRolePolicy", "iam:CreatePolicy", "iam:GetInstanceProfile", "iam:GetPolicy", "iam:GetPolicyVersion"];

/// The measure, where the instance has a role.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    let Some((role, role_id)) = &subject.facts.role else { return Vec::new() };
    let instance = subject.facts.instance.clone();
    let deny = Change::DenySessions { role: role.clone(), role_id: role_id.clone(), instance: instance.clone() };
    let allow = Change::AllowSessions { role: role.clone(), role_id: role_id.clone(), instance };
    vec![Measure::new("cut_credentials", deny, Some(allow))]
}
