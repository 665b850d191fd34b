//! A world of one event, behind the pipeline's ports: it holds what the event says. What the event does not say is
//! denied with that reason, which the stages take for unknown, never for harmless.

use async_trait::async_trait;
use jiff::Timestamp;
use picket_model::{
    AccountId, Cluster, GroupId, Instance, InstanceId, InstanceState, Interface, Observation, Principal, Rule, Scope,
    Subject, Trigger, Untrusted, VpcId,
};
use picket_pipeline::messages::Message;
use picket_pipeline::ports::{Answer, Cloud, Inventory, Kind, PortError, Queues, Seen, Which};

/// Why something is not known offline.
pub(super) const NOT_IN_EVENT: &str = "not in the event; `--live` reads it";
/// Why first sights are not known, live or not.
pub(super) const NOT_IN_INVENTORY: &str = "only Picket's inventory knows, and replay leaves that alone";

/// The world of one event.
#[derive(Debug)]
pub(super) struct Recorded<'a> {
    trigger: &'a Trigger,
}

impl<'a> Recorded<'a> {
    /// The world of `trigger`.
    pub(super) fn new(trigger: &'a Trigger) -> Self {
        Self { trigger }
    }

    /// The instances that the event describes, and those that it only names.
    fn known(&self) -> Vec<Instance> {
        let mut known = self.trigger.hint.instances.clone();
        known.extend(undescribed(self.trigger).into_iter().map(|id| stand_in(self.trigger, id)));
        known
    }
}

/// The instances that an event names without describing them.
pub(super) fn undescribed(trigger: &Trigger) -> Vec<InstanceId> {
    let Subject::Instances(ids) = &trigger.subject else { return Vec::new() };
    ids.iter().filter(|id| !trigger.hint.instances.iter().any(|i| &i.id == *id)).cloned().collect()
}

/// An instance of which nothing but the id is known, so that what the event says against it still counts.
fn stand_in(trigger: &Trigger, id: InstanceId) -> Instance {
    Instance {
        id,
        scope: trigger.scope.clone(),
        reservation: Untrusted::default(),
        instance_type: Untrusted::default(),
        image: Untrusted::default(),
        state: InstanceState::Running,
        launched_at: trigger.at,
        vpc: None,
        interfaces: Vec::new(),
        name: Untrusted::default(),
        tags: Default::default(),
        metadata_v1: None,
        profile: None,
    }
}

fn unknown<T>(doing: &'static str, what: impl std::fmt::Display) -> Answer<T> {
    Err(PortError::new(doing, what, Kind::Denied, NOT_IN_EVENT))
}

#[async_trait]
impl Cloud for Recorded<'_> {
    async fn instances(&self, _: &Scope, which: &Which) -> Answer<Vec<Instance>> {
        let wanted = |i: &Instance| match which {
            Which::Ids(ids) => ids.contains(&i.id),
            Which::Reservation(id) => &i.reservation == id,
            Which::Group(group) => i.groups().contains(group),
            Which::ClientToken(_) | Which::All => true,
            Which::AutoScalingGroup(_) | Which::LaunchTemplate(_) | Which::Fleet(_) => false,
        };
        Ok(self.known().into_iter().filter(wanted).collect())
    }

    async fn interfaces(&self, _: &Scope, of: &[InstanceId]) -> Answer<Vec<Interface>> {
        let of = self.known().into_iter().filter(|i| of.contains(&i.id));
        Ok(of.flat_map(|i| i.interfaces).collect())
    }

    async fn user_data(&self, _: &Scope, of: &InstanceId) -> Answer<Option<String>> {
        unknown("reading the user data of", of)
    }

    async fn ingress_rules(&self, _: &Scope, of: &[GroupId]) -> Answer<Vec<Rule>> {
        unknown("reading the rules of", of.iter().map(GroupId::as_str).collect::<Vec<_>>().join(", "))
    }

    async fn existing_groups(&self, scope: &Scope, _: &[GroupId]) -> Answer<Vec<GroupId>> {
        unknown("reading the groups of", scope)
    }

    /// A cluster of which nothing but the name is known: whether it is public is unknown, not private.
    async fn cluster(&self, scope: &Scope, name: &str) -> Answer<Cluster> {
        Ok(Cluster {
            name: Untrusted::new(name),
            scope: scope.clone(),
            version: Untrusted::default(),
            status: Untrusted::default(),
            public_endpoint: None,
            private_endpoint: None,
            public_cidrs: Vec::new(),
        })
    }

    async fn vpcs(&self, scope: &Scope) -> Answer<Vec<VpcId>> {
        unknown("listing the VPCs of", scope)
    }

    async fn clusters(&self, scope: &Scope) -> Answer<Vec<Untrusted>> {
        unknown("listing the clusters of", scope)
    }

    async fn attached_policies(&self, user: &str) -> Answer<Vec<Untrusted>> {
        unknown("reading the policies of", user)
    }

    async fn in_open_groups(&self, scope: &Scope) -> Answer<Vec<Interface>> {
        unknown("looking for interfaces left in an open group of", scope)
    }

    async fn launched_by(&self, _: &Scope, instance: &InstanceId) -> Answer<Option<Principal>> {
        unknown("looking for the launcher of", instance)
    }
}

/// An inventory that is not asked and not written.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoInventory;

#[async_trait]
impl Inventory for NoInventory {
    /// No answer at all: discover takes what is left out for unknown. Any time made up here would be a fact.
    async fn first_seen(&self, _: &AccountId, _: &[Seen], _: Timestamp) -> Answer<Vec<Timestamp>> {
        Ok(Vec::new())
    }

    async fn remember(&self, _: &[Observation]) -> Answer<Vec<String>> {
        Ok(Vec::new())
    }

    async fn keep_running(&self, _: &Scope, _: usize) -> Answer<()> {
        Ok(())
    }
}

#[async_trait]
impl Queues for NoInventory {
    async fn send(&self, _: Vec<Message>) -> Answer<()> {
        Ok(())
    }
}
