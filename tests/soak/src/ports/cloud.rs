//! Reads of EC2: each shows one moment, which may be a while ago.

use async_trait::async_trait;
use picket_model::{Cluster, GroupId, Instance, InstanceId, Interface, Principal, Rule, Scope, Untrusted, VpcId};
use picket_pipeline::ports::{Answer, Cloud, Kind, PortError, Which};

use crate::api::Api;
use crate::call::Client;

fn several(of: &[InstanceId]) -> String {
    of.iter().map(InstanceId::as_str).collect::<Vec<_>>().join(",")
}

#[async_trait]
impl Cloud for Client {
    async fn instances(&self, _: &Scope, which: &Which) -> Answer<Vec<Instance>> {
        let (which, what) = (which.clone(), format!("{which:?}"));
        self.call(Api::Instances, what, move |w, view| Ok(w.ec2.instances(&which, view))).await
    }

    async fn interfaces(&self, _: &Scope, of: &[InstanceId]) -> Answer<Vec<Interface>> {
        let of = of.to_vec();
        self.call(Api::Interfaces, several(&of), move |w, view| Ok(w.ec2.interfaces(&of, view))).await
    }

    async fn user_data(&self, _: &Scope, of: &InstanceId) -> Answer<Option<String>> {
        let of = of.clone();
        self.call(Api::UserData, of.to_string(), move |w, view| {
            let found = w.ec2.machines.get(&of).filter(|m| m.shown.at(view).is_some());
            let invisible = || PortError::new("reading the user data of", &of, Kind::NotFound, "not visible");
            found.map(|m| m.user_data.clone()).ok_or_else(invisible)
        })
        .await
    }

    async fn ingress_rules(&self, _: &Scope, of: &[GroupId]) -> Answer<Vec<Rule>> {
        let what = format!("of {} groups", of.len());
        self.call(Api::IngressRules, what, |_, _| Ok(Vec::new())).await
    }

    async fn existing_groups(&self, _: &Scope, groups: &[GroupId]) -> Answer<Vec<GroupId>> {
        let groups = groups.to_vec();
        self.call(Api::ExistingGroups, format!("of {}", groups.len()), move |w, view| {
            let exists = |g: &&GroupId| w.ec2.groups.get(*g).is_some_and(|g| matches!(g.shown.at(view), Some(Some(_))));
            Ok(groups.iter().filter(exists).filter(|g| !w.ec2.open.contains(g)).cloned().collect())
        })
        .await
    }

    async fn cluster(&self, _: &Scope, name: &str) -> Answer<Cluster> {
        let name = name.to_owned();
        let missing = move || PortError::new("reading EKS cluster", &name, Kind::NotFound, "no such cluster");
        self.call(Api::Cluster, String::new(), move |_, _| Err(missing())).await
    }

    async fn vpcs(&self, _: &Scope) -> Answer<Vec<VpcId>> {
        self.call(Api::Vpcs, String::new(), |w, _| Ok(w.ec2.vpcs.clone())).await
    }

    async fn clusters(&self, _: &Scope) -> Answer<Vec<Untrusted>> {
        self.call(Api::Clusters, String::new(), |_, _| Ok(Vec::new())).await
    }

    async fn attached_policies(&self, user: &str) -> Answer<Vec<Untrusted>> {
        self.call(Api::AttachedPolicies, user.to_owned(), |_, _| Ok(Vec::new())).await
    }

    async fn in_open_groups(&self, _: &Scope) -> Answer<Vec<Interface>> {
        self.call(Api::InOpenGroups, String::new(), |w, view| {
            let shown = w.ec2.nics.values().filter_map(|n| n.shown.at(view)?.clone());
            Ok(shown.filter(|i| i.groups.iter().any(|g| w.ec2.open.contains(g))).collect())
        })
        .await
    }

    async fn launched_by(&self, _: &Scope, instance: &InstanceId) -> Answer<Option<Principal>> {
        self.call(Api::LaunchedBy, instance.to_string(), |_, _| Ok(None)).await
    }
}
