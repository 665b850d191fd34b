//! What containment is made of. Every change passes the invariants.

use async_trait::async_trait;
use picket_model::{GroupId, InterfaceId, Scope, VpcId};
use picket_pipeline::Permit;
use picket_pipeline::ports::{Answer, Containment, GroupState, Kind, PortError, Rehearsal};

use crate::api::Api;
use crate::call::Client;
use crate::invariants;

#[async_trait]
impl Containment for Client {
    async fn marked_groups(&self, _: &Scope, vpc: &VpcId) -> Answer<Vec<GroupState>> {
        let (vpc, task) = (vpc.clone(), self.task);
        self.call(Api::MarkedGroups, vpc.to_string(), move |w, view| {
            let found = w.ec2.marked(&vpc, view);
            if let Some(known) = w.watched.workers.get_mut(&task) {
                known.read.extend(found.iter().map(|g| (g.id.clone(), g.rules)));
            }
            Ok(found)
        })
        .await
    }

    async fn create_group(&self, _: &Permit, _: &Scope, vpc: &VpcId) -> Answer<GroupId> {
        let (vpc, task) = (vpc.clone(), self.task);
        self.call(Api::CreateGroup, vpc.to_string(), move |w, _| {
            invariants::changes(w, task);
            let now = w.now;
            // AWS gives it an egress rule for IPv4, and one for IPv6 where the VPC has it.
            Ok(w.ec2.make_group(&vpc, 2, true, now))
        })
        .await
    }

    async fn empty_group(&self, _: &Permit, _: &Scope, group: &GroupId) -> Answer<()> {
        let (group, task) = (group.clone(), self.task);
        self.call(Api::EmptyGroup, group.to_string(), move |w, _| {
            invariants::changes(w, task);
            let now = w.now;
            w.ec2.set_rules(&group, now, |_| 0);
            Ok(())
        })
        .await
    }

    async fn open_group(&self, _: &Permit, _: &Scope, vpc: &VpcId) -> Answer<GroupId> {
        let (vpc, task) = (vpc.clone(), self.task);
        self.call(Api::OpenGroup, vpc.to_string(), move |w, _| {
            invariants::changes(w, task);
            let now = w.now;
            Ok(w.ec2.make_open_group(&vpc, now))
        })
        .await
    }

    async fn open_groups(&self, _: &Scope, vpc: &VpcId) -> Answer<Vec<GroupId>> {
        let vpc = vpc.clone();
        self.call(Api::OpenGroups, vpc.to_string(), move |w, view| {
            let of = |id: &&GroupId| w.ec2.groups.get(*id)?.shown.at(view).as_ref()?.as_ref().map(|g| g.vpc == vpc);
            Ok(w.ec2.open.iter().filter(|id| of(id) == Some(true)).cloned().collect())
        })
        .await
    }

    async fn remove_group(&self, _: &Permit, _: &Scope, group: &GroupId) -> Answer<()> {
        let (group, task) = (group.clone(), self.task);
        self.call(Api::RemoveGroup, group.to_string(), move |w, _| {
            invariants::changes(w, task);
            let now = w.now;
            w.ec2.remove_group(&group, now)
        })
        .await
    }

    async fn set_groups(&self, _: &Permit, _: &Scope, interface: &InterfaceId, groups: &[GroupId]) -> Answer<()> {
        let (interface, groups, task) = (interface.clone(), groups.to_vec(), self.task);
        let list = groups.iter().map(GroupId::as_str).collect::<Vec<_>>().join(",");
        self.call(Api::SetGroups, format!("{interface} -> {list}"), move |w, _| {
            let wrong = |kind, why| Err(PortError::new("setting the groups of", &interface, kind, why));
            let Some(nic) = w.ec2.nics.get(&interface) else { return wrong(Kind::NotFound, "no such interface") };
            let Some(shown) = nic.shown.now().clone() else { return wrong(Kind::NotFound, "deleted") };
            if groups.is_empty() {
                return wrong(Kind::Other, "InvalidParameterCombination: No attributes specified");
            }
            if matches!(shown.kind, picket_model::InterfaceKind::Requester(_)) {
                return wrong(Kind::Denied, "AuthFailure: managed by its requester");
            }
            let exists = |g: &GroupId| w.ec2.groups.get(g).and_then(|g| g.shown.now().as_ref()).is_some();
            if !groups.iter().all(exists) {
                return wrong(Kind::NotFound, "InvalidGroup.NotFound");
            }
            invariants::set_groups(w, task, &shown, &groups);
            let now = w.now;
            w.ec2.set_groups(&interface, &groups, now);
            w.watched.set_last.insert(interface.clone(), groups.clone());
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Rehearsal for Client {
    async fn create_group(&self, _: &Scope, vpc: &VpcId) -> Answer<()> {
        self.call(Api::CreateGroup, format!("{vpc}, dry run"), |_, _| Ok(())).await
    }

    async fn set_groups(&self, _: &Scope, interface: &InterfaceId, _: &[GroupId]) -> Answer<()> {
        self.call(Api::SetGroups, format!("{interface}, dry run"), |_, _| Ok(())).await
    }
}
