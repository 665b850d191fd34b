//! The changes beside the groups, in the fake world: what they do to what is read later, and that each stands in a hold.

use async_trait::async_trait;
use picket_model::{
    Capture, Change, Facts, FlowFacts, Instance, InstanceId, InstanceState, Owner, Owners, ScalingGroup, Scope,
    Untrusted,
};

use super::{State, World};
use crate::permit::Permit;
use crate::ports::{Answer, Kind, Levers, PortError};

#[async_trait]
impl Levers for World {
    async fn facts(&self, _: &Scope, instance: &InstanceId) -> Answer<Facts> {
        self.call("facts", |s| {
            let found = s.facts.get(instance).cloned();
            found.ok_or_else(|| PortError::new("reading", instance, Kind::NotFound, "no such instance"))
        })
        .await
    }

    async fn scaling_group(&self, _: &Scope, name: &Untrusted) -> Answer<ScalingGroup> {
        self.call("scaling_group", |s| {
            let found = s.scaling_groups.get(name).cloned();
            found.ok_or_else(|| PortError::new("reading Auto Scaling group", name, Kind::NotFound, "no such group"))
        })
        .await
    }

    async fn owners(&self, _: &Scope, instance: &Instance) -> Answer<Owners> {
        self.call("owners", |s| {
            let name = instance.tags.get(&Untrusted::new("aws:autoscaling:groupName"));
            let group = name.and_then(|n| s.scaling_groups.get(n)).cloned();
            let others = s.owners.get(&instance.id).cloned().unwrap_or_default();
            let found = others.into_iter().chain(group.map(Owner::ScalingGroup)).collect();
            Ok(Owners { found, unknown: Vec::new() })
        })
        .await
    }

    async fn flow_facts(&self, _: &Scope, of: &[(InstanceId, Capture)]) -> Answer<Vec<FlowFacts>> {
        self.call("flow_facts", |s| Ok(s.flow_facts(of))).await
    }

    async fn make(&self, _: &Permit, _: &Scope, change: &Change) -> Answer<()> {
        self.call("make", |s| {
            s.check_measure(change);
            if s.refused.iter().any(|word| change.to_string().starts_with(word)) {
                return Err(PortError::new("changing", change, Kind::Denied, "UnauthorizedOperation"));
            }
            s.turn(change);
            s.turn_flows(change);
            s.changes.push(change.clone());
            Ok(())
        })
        .await
    }
}

impl State {
    /// A change beside the groups stands in a hold, as its intent or as its way back.
    fn check_measure(&mut self, change: &Change) {
        let planned = |m: &picket_model::Measure| m.apply == *change || m.undo.as_ref() == Some(change);
        if !self.holds.values().any(|h| h.measures.iter().any(planned)) {
            self.violations.push(format!("`{change}` was made without an intent"));
        }
    }

    fn power(&mut self, instance: &InstanceId, state: InstanceState) {
        self.instances.iter_mut().filter(|i| &i.id == instance).for_each(|i| i.state = state);
    }

    /// What a change does to what is read later.
    fn turn(&mut self, change: &Change) {
        match change {
            Change::SuspendProcesses { group, processes } => {
                if let Some(g) = self.scaling_groups.get_mut(group) {
                    g.suspended
                        .extend(processes.iter().filter(|p| !g.suspended.contains(p)).cloned().collect::<Vec<_>>());
                }
            }
            Change::ResumeProcesses { group, processes } => {
                if let Some(g) = self.scaling_groups.get_mut(group) {
                    g.suspended.retain(|p| !processes.contains(p));
                }
            }
            Change::SetTerminationProtection { instance, on } => {
                self.facts.entry(instance.clone()).and_modify(|f| f.termination_protection = *on);
            }
            Change::SetShutdownBehaviour { instance, behaviour } => {
                self.facts.entry(instance.clone()).and_modify(|f| f.shutdown_behaviour.clone_from(behaviour));
            }
            Change::SetDeleteOnTermination { instance, device, on } => {
                self.facts.entry(instance.clone()).and_modify(|f| {
                    f.deleted_with_it.retain(|d| d != device);
                    f.deleted_with_it.extend(on.then(|| device.clone()));
                });
            }
            Change::SetMetadataEndpoint { instance, on } => {
                self.facts.entry(instance.clone()).and_modify(|f| f.metadata_endpoint = *on);
            }
            Change::Deregister { target_group, instance, port } => {
                let one = (target_group.clone(), *port);
                self.facts.entry(instance.clone()).and_modify(|f| f.target_groups.retain(|t| *t != one));
            }
            Change::Register { target_group, instance, port } => {
                let one = (target_group.clone(), *port);
                self.facts.entry(instance.clone()).and_modify(|f| {
                    f.target_groups.retain(|t| *t != one);
                    f.target_groups.push(one);
                });
            }
            Change::SetStopProtection { instance, on } => {
                self.facts.entry(instance.clone()).and_modify(|f| f.stop_protection = *on);
            }
            Change::Stop { instance } => self.power(instance, InstanceState::Stopped),
            Change::Start { instance } => self.power(instance, InstanceState::Running),
            _ => {}
        }
    }
}
