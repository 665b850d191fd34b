//! The changes beside the groups. As in `picket-aws`, putting something back on what is gone is done.

use async_trait::async_trait;
use picket_model::{Capture, Change, Facts, FlowFacts, Instance, InstanceId, Owners, ScalingGroup, Scope, Untrusted};
use picket_pipeline::Permit;
use picket_pipeline::ports::{Answer, Kind, Levers, PortError};

use crate::api::Api;
use crate::call::Client;
use crate::{invariants, levers};

#[async_trait]
impl Levers for Client {
    async fn facts(&self, _: &Scope, instance: &InstanceId) -> Answer<Facts> {
        let instance = instance.clone();
        self.call(Api::Facts, instance.to_string(), move |w, view| {
            let found = w.ec2.machines.get(&instance).filter(|m| !m.shown.now().state.is_gone());
            let missing = || PortError::new("reading instance", &instance, Kind::NotFound, "it is not there");
            found.and_then(|m| m.facts.at(view).cloned()).ok_or_else(missing)
        })
        .await
    }

    async fn scaling_group(&self, _: &Scope, name: &Untrusted) -> Answer<ScalingGroup> {
        let name = name.clone();
        self.call(Api::Owners, name.to_string(), move |w, view| {
            let members = w.ec2.living().filter(|(_, m)| m.group.as_deref() == Some(name.as_str()));
            let members = members.map(|(id, _)| id.clone()).collect();
            let suspended = w.ec2.suspended.get(name.as_str()).and_then(|s| s.at(view)).cloned().unwrap_or_default();
            Ok(ScalingGroup { name: name.clone(), members, suspended: suspended.into_iter().collect() })
        })
        .await
    }

    async fn owners(&self, _: &Scope, instance: &Instance) -> Answer<Owners> {
        let id = instance.id.clone();
        self.call(Api::Owners, id.to_string(), move |w, view| Ok(w.ec2.owners(&id, view))).await
    }

    async fn flow_facts(&self, _: &Scope, of: &[(InstanceId, Capture)]) -> Answer<Vec<FlowFacts>> {
        let of = of.to_vec();
        self.call(Api::FlowFacts, format!("of {} interfaces", of.len()), move |w, view| Ok(w.ec2.flow_facts(&of, view)))
            .await
    }

    async fn make(&self, _: &Permit, _: &Scope, change: &Change) -> Answer<()> {
        let (change, task) = (change.clone(), self.task);
        self.call(Api::Make, change.to_string(), move |w, _| {
            invariants::makes(w, task, &change);
            levers::make(w, &change)
        })
        .await
    }
}
