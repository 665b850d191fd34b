//! Groups in the small world, and AWS's answers to a rehearsal.

use async_trait::async_trait;
use picket_model::{GroupId, InterfaceId, Scope, VpcId};

use super::World;
use crate::permit::Permit;
use crate::ports::{Answer, Containment, GroupState, Kind, PortError, Rehearsal};

#[async_trait]
impl Containment for World {
    async fn marked_groups(&self, _: &Scope, vpc: &VpcId) -> Answer<Vec<GroupState>> {
        self.call("marked_groups", |s| Ok(s.groups.values().filter(|g| &g.vpc == vpc).cloned().collect())).await
    }

    async fn create_group(&self, _: &Permit, _: &Scope, vpc: &VpcId) -> Answer<GroupId> {
        self.call("create_group", |s| {
            let text = format!("sg-{:08x}", 0xfeed_0000_u32 + u32::try_from(s.groups.len()).unwrap_or(0));
            let id = GroupId::parse(text)
                .map_err(|e| PortError::new("making a group in", vpc, Kind::Other, &e.to_string()))?;
            s.groups.insert(id.clone(), GroupState { id: id.clone(), vpc: vpc.clone(), rules: 2 });
            Ok(id)
        })
        .await
    }

    async fn empty_group(&self, _: &Permit, _: &Scope, group: &GroupId) -> Answer<()> {
        self.call("empty_group", |s| {
            if let Some(g) = s.groups.get_mut(group) {
                g.rules = 0;
            }
            Ok(())
        })
        .await
    }

    async fn open_group(&self, _: &Permit, _: &Scope, vpc: &VpcId) -> Answer<GroupId> {
        self.call("open_group", |s| s.make_open_group(vpc)).await
    }

    async fn open_groups(&self, _: &Scope, vpc: &VpcId) -> Answer<Vec<GroupId>> {
        self.call("open_groups", |s| {
            let of = |g: &&GroupId| s.groups.get(*g).is_some_and(|g| &g.vpc == vpc);
            Ok(s.open.iter().filter(of).cloned().collect())
        })
        .await
    }

    async fn remove_group(&self, _: &Permit, _: &Scope, group: &GroupId) -> Answer<()> {
        self.call("remove_group", |s| s.remove_open_group(group)).await
    }

    async fn set_groups(&self, _: &Permit, _: &Scope, interface: &InterfaceId, groups: &[GroupId]) -> Answer<()> {
        self.call("set_groups", |s| {
            s.check_change(interface, groups);
            match s.interfaces.iter_mut().find(|i| &i.id == interface) {
                Some(found) => {
                    found.groups = groups.to_vec();
                    Ok(())
                }
                None => Err(PortError::new("setting the groups of", interface, Kind::NotFound, "gone")),
            }
        })
        .await
    }
}

#[async_trait]
impl Rehearsal for World {
    async fn create_group(&self, _: &Scope, _: &VpcId) -> Answer<()> {
        self.call("rehearse_create_group", |_| Ok(())).await
    }

    async fn set_groups(&self, _: &Scope, interface: &InterfaceId, _: &[GroupId]) -> Answer<()> {
        let denied = || PortError::new("asking about", interface, Kind::Denied, "UnauthorizedOperation");
        self.call("rehearse_set_groups", |_| Err(denied())).await
    }
}
