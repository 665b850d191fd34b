//! What tells of a cluster without being part of it: EKS, CloudTrail, the inventory of Systems Manager.

use std::collections::BTreeMap;

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_sdk_eks::types::Cluster;
use picket_model::landscape::{Agent, Known, Sight};
use picket_model::{Decoded, InstanceId, Region, Subject, TriggerKind, Untrusted, VpcId};
use picket_pipeline::ports::{Answer, Kind, PortError};
use picket_pipeline::scan::{Origin, See};
use serde_json::Value;

use super::machines::{group_ids, some, text};
use super::{Watch, failed};
use crate::events;

/// CloudTrail's history takes two questions a second, of fifty events each: so many pages show who was busy lately.
const PAGES_OF_HISTORY: usize = 2;
/// Of launches, so many pages.
const PAGES_OF_LAUNCHES: usize = 4;
/// Programs that Systems Manager may have found, as their packages are called.
const PROGRAMS: &[&str] = &["k3s-selinux", "kubeadm", "kubelet", "rke2-agent", "rke2-selinux", "rke2-server"];

impl Watch {
    pub(super) async fn clusters(&self, region: &Region, see: See<'_>) -> Answer<()> {
        let client = self.clients.eks(region);
        let mut names = Vec::new();
        let mut pages = client.list_clusters().into_paginator().send();
        loop {
            self.turns.wait(region).await;
            let Some(page) = pages.next().await else { break };
            names.extend(page.map_err(failed("eks:ListClusters"))?.clusters.unwrap_or_default());
        }
        let mut trouble = Ok(());
        for name in names {
            let mut known = Known { name: Untrusted::new(&name), ..Known::default() };
            let read = self.complete(region, &name, &mut known).await;
            see(Sight::Known(known));
            if let Err(error) = read {
                trouble = Err(error);
            }
        }
        trouble
    }

    /// Reads what is to be known of a cluster; its name alone shows that it is there.
    async fn complete(&self, region: &Region, name: &str, known: &mut Known) -> Answer<()> {
        let client = self.clients.eks(region);
        self.turns.wait(region).await;
        let answer = client.describe_cluster().name(name).send().await.map_err(failed("eks:DescribeCluster"))?;
        if let Some(cluster) = &answer.cluster {
            describe(cluster, known);
        }
        self.turns.wait(region).await;
        let groups = client.list_nodegroups().cluster_name(name).send().await.map_err(failed("eks:ListNodegroups"))?;
        known.node_groups = groups.nodegroups().iter().map(|n| Untrusted::new(n)).collect();
        self.turns.wait(region).await;
        let profiles = client.list_fargate_profiles().cluster_name(name).send().await;
        let profiles = profiles.map_err(failed("eks:ListFargateProfiles"))?;
        known.fargate_profiles = profiles.fargate_profile_names().iter().map(|n| Untrusted::new(n)).collect();
        Ok(())
    }

    /// Who changed something lately: one sight a pair of user agent and caller.
    pub(super) async fn agents(&self, region: &Region, see: See<'_>) -> Answer<()> {
        let mut all: BTreeMap<(Untrusted, Untrusted), Agent> = BTreeMap::new();
        let mut token = None;
        for _ in 0..PAGES_OF_HISTORY {
            let changes = (LookupAttributeKey::ReadOnly, "false");
            let (records, next) = self.history(region, changes, token).await?;
            for record in &records {
                let agent = agent(record);
                let known =
                    all.entry((agent.user_agent.clone(), agent.caller.clone())).or_insert_with(|| agent.clone());
                known.events.extend(agent.events.into_iter().filter(|e| !known.events.contains(e)).collect::<Vec<_>>());
            }
            token = next;
            if token.is_none() {
                break;
            }
        }
        all.into_values().for_each(|agent| see(Sight::Agent(agent)));
        Ok(())
    }

    async fn history(
        &self,
        region: &Region,
        (key, value): (LookupAttributeKey, &str),
        token: Option<String>,
    ) -> Answer<(Vec<String>, Option<String>)> {
        const ACTION: &str = "cloudtrail:LookupEvents";
        let wanted = LookupAttribute::builder().attribute_key(key).attribute_value(value).build();
        let wanted = wanted.map_err(|e| PortError::new("calling", ACTION, Kind::Other, &e.to_string()))?;
        self.turns.wait(region).await;
        let call = self.clients.cloudtrail(region).lookup_events().lookup_attributes(wanted).max_results(50);
        let answer = call.set_next_token(token).send().await.map_err(failed(ACTION))?;
        let records = answer.events.unwrap_or_default().into_iter().filter_map(|e| e.cloud_trail_event).collect();
        Ok((records, answer.next_token.filter(|t| !t.is_empty())))
    }

    /// Who launched instances lately: some pages of launches, which tell of most clusters at once.
    pub(super) async fn launchers_of(&self, region: &Region) -> Answer<Vec<(InstanceId, Untrusted)>> {
        let mut all = Vec::new();
        let mut token = None;
        for _ in 0..PAGES_OF_LAUNCHES {
            let (records, next) = self.history(region, (LookupAttributeKey::EventName, "RunInstances"), token).await?;
            all.extend(records.iter().flat_map(|record| launched(record)));
            token = next;
            if token.is_none() {
                break;
            }
        }
        Ok(all)
    }

    /// Who launched an instance, or made an EKS cluster or an Auto Scaling group. The latter are looked for among the calls
    /// of that name, since CloudTrail does not list every resource under its name.
    pub(super) async fn maker_of(&self, region: &Region, of: &Origin) -> Answer<Option<Untrusted>> {
        let wanted = match of {
            Origin::Instance(id) => (LookupAttributeKey::ResourceName, id.as_str()),
            Origin::Cluster(_) => (LookupAttributeKey::EventName, "CreateCluster"),
            Origin::ScalingTier(_) => (LookupAttributeKey::EventName, "CreateAutoScalingGroup"),
        };
        let (records, _) = self.history(region, wanted, None).await?;
        Ok(records.iter().find_map(|record| made(record, of)))
    }

    /// Programs of Kubernetes that Systems Manager's inventory has. Snaps and what was copied are not in it.
    pub(super) async fn programs_of(&self, region: &Region) -> Answer<Vec<(InstanceId, Untrusted)>> {
        const KIND: &str = "AWS:Application";
        let mut filter = aws_sdk_ssm::types::InventoryFilter::builder().key(format!("{KIND}.Name"));
        for program in PROGRAMS {
            filter = filter.values(*program);
        }
        let filter = filter.build();
        let built = filter.map_err(|e| PortError::new("calling", "ssm:GetInventory", Kind::Other, &e.to_string()))?;
        let client = aws_sdk_ssm::Client::new(&self.clients.in_region(region));
        let mut found = Vec::new();
        let mut pages = client.get_inventory().filters(built).into_paginator().page_size(50).send();
        loop {
            self.turns.wait(region).await;
            let Some(page) = pages.next().await else { return Ok(found) };
            for entity in page.map_err(failed("ssm:GetInventory"))?.entities() {
                let Some(id) = entity.id().and_then(|id| InstanceId::parse(id).ok()) else { continue };
                let contents = entity.data().and_then(|d| d.get(KIND)).map(|item| item.content()).unwrap_or_default();
                let programs = contents.iter().filter_map(program).map(|program| (id.clone(), program));
                found.extend(programs);
            }
        }
    }
}

/// The caller of a record that makes the thing.
fn made(record: &str, of: &Origin) -> Option<Untrusted> {
    if let Origin::ScalingTier(name) = of {
        let record: Value = serde_json::from_str(record).unwrap_or_default();
        let same = record["requestParameters"]["autoScalingGroupName"].as_str() == Some(name.as_str());
        return record["userIdentity"]["arn"].as_str().filter(|_| same).map(Untrusted::new);
    }
    let Ok(Decoded::Trigger(trigger)) = events::decode(record) else { return None };
    let is_it = match (&trigger.subject, of, trigger.kind) {
        (Subject::Cluster(name), Origin::Cluster(of), TriggerKind::CreateCluster) => name == of,
        (Subject::Instances(ids), Origin::Instance(of), TriggerKind::RunInstances) => ids.contains(of),
        (Subject::Launch(_), Origin::Instance(_), TriggerKind::RunInstances) => true,
        _ => false,
    };
    trigger.principal.filter(|_| is_it).map(|principal| principal.arn)
}

/// The instances of a record that launches some, each with the caller.
fn launched(record: &str) -> Vec<(InstanceId, Untrusted)> {
    let Ok(Decoded::Trigger(trigger)) = events::decode(record) else { return Vec::new() };
    match (trigger.subject, trigger.kind, trigger.principal) {
        (Subject::Instances(ids), TriggerKind::RunInstances, Some(by)) => {
            ids.into_iter().map(|id| (id, by.arn.clone())).collect()
        }
        _ => Vec::new(),
    }
}

fn program(row: &std::collections::HashMap<String, String>) -> Option<Untrusted> {
    let name = row.get("Name").filter(|name| PROGRAMS.contains(&name.as_str()))?;
    Some(Untrusted::new(format!("{name} {}", row.get("Version").map_or("", String::as_str)).trim()))
}

fn describe(from: &Cluster, known: &mut Known) {
    let network = from.resources_vpc_config();
    known.version = some(from.version());
    known.endpoint = some(from.endpoint());
    known.oidc = from.identity().and_then(|i| some(i.oidc()?.issuer()));
    known.auto_mode = from.compute_config().and_then(|c| c.enabled());
    known.tags = from.tags().into_iter().flatten().map(|(k, v)| (text(Some(k)), text(Some(v)))).collect();
    let Some(network) = network else { return };
    known.vpc = network.vpc_id().and_then(|v| VpcId::parse(v).ok());
    let more = network.security_group_ids().iter().map(|id| Some(id.as_str()));
    known.groups = group_ids([network.cluster_security_group_id()].into_iter().chain(more));
    known.public = Some(network.endpoint_public_access());
    known.public_cidrs = network.public_access_cidrs().to_vec();
}

fn agent(record: &str) -> Agent {
    let record: Value = serde_json::from_str(record).unwrap_or_default();
    let text = |value: &Value| Untrusted::new(value.as_str().unwrap_or_default());
    let identity = &record["userIdentity"];
    Agent {
        user_agent: text(&record["userAgent"]),
        caller: text(&identity["arn"]),
        invoked_by: identity["invokedBy"].as_str().map(Untrusted::new),
        events: vec![text(&record["eventName"])],
    }
}
