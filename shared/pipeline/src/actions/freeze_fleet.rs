//! Freeze an EC2 Fleet or Spot Fleet that keeps its capacity up: it must terminate nothing, and one that is wholly held
//! must launch nothing. It is changed, not deleted: deleting cannot be undone, and some fleets terminate with it.
//!
//! Source: EC2 user guide, "Modify an EC2 Fleet": only fleets of type `maintain` can be changed; others launch once.

use picket_model::{Capacity, Change, Fleet, InstanceId, Measure};

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &[
    "ec2:DescribeFleetInstances",
    "ec2:DescribeFleets",
    "ec2:DescribeSpotFleetInstances",
    "ec2:DescribeSpotFleetRequests",
    "ec2:ModifyFleet",
    "ec2:ModifySpotFleetRequest",
];

/// The measure; none if it is frozen already.
#[must_use]
pub fn plan(fleet: &Fleet, held: &[InstanceId]) -> Option<Measure> {
    let wholly = fleet.members.iter().all(|m| held.contains(m));
    let zero = Capacity {
        total: 0,
        on_demand: fleet.capacity.on_demand.map(|_| 0),
        spot: fleet.capacity.spot.map(|_| 0),
        terminates: false,
    };
    let frozen = if wholly { zero } else { Capacity { terminates: false, ..fleet.capacity } };
    let set = |capacity| Change::SetFleetCapacity { fleet: fleet.id.clone(), capacity };
    (frozen != fleet.capacity).then(|| Measure::new("freeze_fleet", set(frozen), Some(set(fleet.capacity))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_fleet_terminates_nothing_and_one_wholly_held_launches_nothing_either() {
        let id = |n: u32| InstanceId::parse(format!("i-{n:08x}")).unwrap();
        let capacity = Capacity { total: 2, on_demand: Some(1), spot: None, terminates: true };
        let fleet = Fleet { id: "fleet-1".into(), capacity, members: vec![id(1), id(2)] };
        let set = |held: &[InstanceId]| match plan(&fleet, held).map(|m| m.apply) {
            Some(Change::SetFleetCapacity { capacity, .. }) => capacity,
            other => panic!("{other:?}"),
        };
        assert_eq!(set(&[id(1)]), Capacity { terminates: false, ..capacity });
        assert_eq!(set(&[id(1), id(2)]), Capacity { total: 0, on_demand: Some(0), spot: None, terminates: false });
        let back = plan(&fleet, &[id(1)]).and_then(|m| m.undo);
        assert_eq!(back, Some(Change::SetFleetCapacity { fleet: "fleet-1".into(), capacity }));
    }
}
