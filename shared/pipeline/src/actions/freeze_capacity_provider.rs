//! Switch off the scaling of an ECS capacity provider whose instances are all held: it would size their Auto Scaling group
//! by the tasks that wait. A shared one goes on scaling; its group is frozen against terminating. Services are left as
//! they are: to set them to none would end the containers, which are evidence.

use picket_model::{Change, InstanceId, Measure, Untrusted};

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["ecs:DescribeCapacityProviders", "ecs:UpdateCapacityProvider"];

/// The measure, where all of its instances are held.
#[must_use]
pub fn plan(name: &Untrusted, members: &[InstanceId], held: &[InstanceId]) -> Option<Measure> {
    let set = |on| Change::SetCapacityProvider { provider: name.clone(), on };
    let wholly = members.iter().all(|m| held.contains(m));
    wholly.then(|| Measure::new("freeze_capacity_provider", set(false), Some(set(true))))
}
