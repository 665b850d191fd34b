//! Take the instance profile away, where the policy says so. The deny of its sessions is what cuts the credentials; this
//! keeps the instance from getting new ones, whatever becomes of its metadata service.
//!
//! Caveats: credentials that it has stay valid until they end, which is why the sessions are denied as well.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM. To give it back, a release passes the role (`iam:PassRole`, to EC2 alone).
pub const PERMISSIONS: &[&str] = &["ec2:DescribeIamInstanceProfileAssociations", "ec2:DisassociateIamInstanceProfile"];

/// The measure, where there is a profile and the policy says so.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    let Some((association, profile)) = subject.facts.profile.clone().filter(|_| subject.remove_profile) else {
        return Vec::new();
    };
    let instance = subject.facts.instance.clone();
    let back = Change::GiveProfile { instance: instance.clone(), profile };
    vec![Measure::new("remove_profile", Change::RemoveProfile { instance, association }, Some(back))]
}
