//! Freeze an EKS managed node group: EKS must not replace the node as a sick one, and nothing may shrink the group by
//! taking this node out. Its Auto Scaling group is frozen as every other; this is what EKS does on top.
//!
//! A shared group may still grow, so that the rest of its work finds room. One that is wholly held is brought to zero
//! growth. How many nodes it wants is never set: an autoscaler may have changed that by the time of the release.
//! Source: EKS user guide, "Node health"; cluster autoscaler takes nodes out only above the group's minimum.

use picket_model::{Change, InstanceId, Measure, NodeGroup};

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["eks:DescribeNodegroup", "eks:UpdateNodegroupConfig"];

/// The measure; none if it is frozen already.
#[must_use]
pub fn plan(group: &NodeGroup, held: &[InstanceId]) -> Option<Measure> {
    let wholly = group.members.iter().all(|m| held.contains(m));
    let set = |min, max, repairs| Change::SetNodeGroup {
        cluster: group.cluster.clone(),
        node_group: group.name.clone(),
        min,
        max,
        repairs,
    };
    let now = set(group.min, group.max, group.repairs);
    let frozen = set(group.desired, if wholly { group.desired.max(1) } else { group.max }, false);
    (now != frozen).then(|| Measure::new("freeze_node_group", frozen, Some(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> InstanceId {
        InstanceId::parse(format!("i-{n:08x}")).unwrap()
    }

    fn group() -> NodeGroup {
        let members = vec![id(1), id(2)];
        NodeGroup { cluster: "prod".into(), name: "ng".into(), min: 1, max: 5, desired: 2, repairs: true, members }
    }

    #[test]
    fn a_shared_group_may_grow_and_not_shrink_and_one_wholly_held_may_do_neither() {
        let words = |held: &[InstanceId]| plan(&group(), held).unwrap().apply.to_string();
        assert_eq!(words(&[id(1)]), "node group ng of prod from 2 to 5 nodes, not replacing sick ones");
        assert_eq!(words(&[id(1), id(2)]), "node group ng of prod from 2 to 2 nodes, not replacing sick ones");
    }

    #[test]
    fn it_goes_back_to_what_it_was_whatever_it_wants_by_then() {
        let back = plan(&group(), &[id(1)]).unwrap().undo.unwrap();
        assert_eq!(back.to_string(), "node group ng of prod from 1 to 5 nodes, replacing sick ones");
        let frozen = NodeGroup { min: 2, repairs: false, ..group() };
        assert_eq!(plan(&frozen, &[id(1)]), None);
    }
}
