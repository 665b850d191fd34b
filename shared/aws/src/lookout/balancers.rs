//! Load balancers of both generations, with the machines behind the ports of control planes.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancing::Client as Classic;
use aws_sdk_elasticloadbalancing::types as classic;
use aws_sdk_elasticloadbalancingv2::Client as Elb;
use aws_sdk_elasticloadbalancingv2::types as elb;
use picket_model::landscape::{Balancer, Listener, Sight, Tags};
use picket_model::{Region, Untrusted, VpcId};
use picket_pipeline::ports::Answer;
use picket_pipeline::scan::See;

use super::machines::{group_ids, some, text};
use super::{Watch, failed};

/// How many load balancers or target groups one question for tags may name.
const PER_TAGS: usize = 20;
/// Ports behind which a control plane may stand: only of these is it asked which machines they are.
const CONTROL_PORTS: [i32; 7] = [443, 6443, 8443, 9345, 16443, 22623, 50000];

impl Watch {
    /// Load balancers of the second generation. Which machines stand behind is asked only of ports of control planes.
    pub(super) async fn balancers(&self, region: &Region, see: See<'_>) -> Answer<()> {
        let client = Elb::new(&self.clients.in_region(region));
        let mut all: BTreeMap<String, (Balancer, bool)> = BTreeMap::new();
        let mut pages = client.describe_load_balancers().page_size(400).into_paginator().send();
        loop {
            self.turns.wait(region).await;
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(failed("elasticloadbalancing:DescribeLoadBalancers"))?;
            for found in page.load_balancers() {
                let network = found.r#type() == Some(&elb::LoadBalancerTypeEnum::Network);
                all.insert(found.load_balancer_arn().unwrap_or_default().to_owned(), (balancer(found), network));
            }
        }
        if all.is_empty() {
            return Ok(());
        }
        let targets = self.target_groups(&client, region, &mut all).await;
        let listeners = self.listeners(&client, region, &mut all).await;
        let tags = self.tags_of_balancers(&client, region, &mut all).await;
        all.into_values().for_each(|(balancer, _)| see(Sight::Balancer(balancer)));
        targets.and(listeners).and(tags)
    }

    async fn target_groups(&self, client: &Elb, region: &Region, all: &mut Balancers) -> Answer<()> {
        let mut pages = client.describe_target_groups().page_size(400).into_paginator().send();
        loop {
            self.turns.wait(region).await;
            let Some(page) = pages.next().await else { return Ok(()) };
            for group in page.map_err(failed("elasticloadbalancing:DescribeTargetGroups"))?.target_groups() {
                let port = group.port().unwrap_or_default();
                let mut listener = Listener { port: number(port), to: Some(number(port)), targets: Vec::new() };
                if CONTROL_PORTS.contains(&port) {
                    listener.targets = self.targets(client, region, group).await?;
                }
                for arn in group.load_balancer_arns() {
                    if let Some((balancer, _)) = all.get_mut(arn) {
                        balancer.listeners.push(listener.clone());
                    }
                }
            }
        }
    }

    async fn targets(&self, client: &Elb, region: &Region, group: &elb::TargetGroup) -> Answer<Vec<Untrusted>> {
        self.turns.wait(region).await;
        let call = client.describe_target_health().target_group_arn(group.target_group_arn().unwrap_or_default());
        let answer = call.send().await.map_err(failed("elasticloadbalancing:DescribeTargetHealth"))?;
        Ok(answer.target_health_descriptions().iter().filter_map(|t| some(t.target()?.id())).collect())
    }

    /// On which ports network load balancers listen: a control plane stands behind one of these.
    async fn listeners(&self, client: &Elb, region: &Region, all: &mut Balancers) -> Answer<()> {
        for (arn, (balancer, _)) in all.iter_mut().filter(|(_, (b, network))| *network && !b.listeners.is_empty()) {
            self.turns.wait(region).await;
            let answer = client.describe_listeners().load_balancer_arn(arn).send().await;
            let answer = answer.map_err(failed("elasticloadbalancing:DescribeListeners"))?;
            let ports: Vec<u16> = answer.listeners().iter().filter_map(|l| l.port()).map(number).collect();
            match (ports.as_slice(), balancer.listeners.as_mut_slice()) {
                ([port], [only]) => only.port = *port,
                _ => {
                    let more = ports.iter().filter(|p| !balancer.listeners.iter().any(|l| l.port == **p));
                    let more: Vec<_> = more.map(|p| Listener { port: *p, to: None, targets: Vec::new() }).collect();
                    balancer.listeners.extend(more);
                }
            }
        }
        Ok(())
    }

    async fn tags_of_balancers(&self, client: &Elb, region: &Region, all: &mut Balancers) -> Answer<()> {
        let arns: Vec<String> = all.keys().cloned().collect();
        for part in arns.chunks(PER_TAGS) {
            self.turns.wait(region).await;
            let answer = client.describe_tags().set_resource_arns(Some(part.to_vec())).send().await;
            for told in answer.map_err(failed("elasticloadbalancing:DescribeTags"))?.tag_descriptions() {
                if let Some((balancer, _)) = told.resource_arn().and_then(|arn| all.get_mut(arn)) {
                    balancer.tags.extend(told.tags().iter().map(|t| (text(t.key()), text(t.value()))));
                }
            }
        }
        Ok(())
    }

    /// Classic load balancers: `kops` still makes them for its API, and Kubernetes for its services. A page of them tells
    /// of the machines behind as well.
    pub(super) async fn classic_balancers(&self, region: &Region, see: See<'_>) -> Answer<()> {
        let client = Classic::new(&self.clients.in_region(region));
        let mut all: BTreeMap<String, Balancer> = BTreeMap::new();
        let mut pages = client.describe_load_balancers().page_size(400).into_paginator().send();
        let mut listed = Ok(());
        loop {
            self.turns.wait(region).await;
            match pages.next().await.map(|page| page.map_err(failed("elasticloadbalancing:DescribeLoadBalancers"))) {
                Some(Ok(page)) => {
                    let named =
                        |b| Some((classic::LoadBalancerDescription::load_balancer_name(b)?.to_owned(), of_classic(b)));
                    all.extend(page.load_balancer_descriptions().iter().filter_map(named));
                }
                Some(Err(error)) => listed = Err(error),
                None => break,
            }
            if listed.is_err() {
                break;
            }
        }
        let tags = self.tags_of_classic(&client, region, &mut all).await;
        all.into_values().for_each(|balancer| see(Sight::Balancer(balancer)));
        listed.and(tags)
    }

    async fn tags_of_classic(
        &self,
        client: &Classic,
        region: &Region,
        all: &mut BTreeMap<String, Balancer>,
    ) -> Answer<()> {
        let names: Vec<String> = all.keys().cloned().collect();
        for part in names.chunks(PER_TAGS) {
            self.turns.wait(region).await;
            let answer = client.describe_tags().set_load_balancer_names(Some(part.to_vec())).send().await;
            for told in answer.map_err(failed("elasticloadbalancing:DescribeTags"))?.tag_descriptions() {
                if let Some(balancer) = told.load_balancer_name().and_then(|name| all.get_mut(name)) {
                    balancer.tags.extend(told.tags().iter().map(|t| (text(Some(t.key())), text(t.value()))));
                }
            }
        }
        Ok(())
    }
}

/// By ARN, and whether it is one of the network kind.
type Balancers = BTreeMap<String, (Balancer, bool)>;

fn number(port: i32) -> u16 {
    u16::try_from(port).unwrap_or_default()
}

fn balancer(from: &elb::LoadBalancer) -> Balancer {
    Balancer {
        name: text(from.load_balancer_name()),
        dns: text(from.dns_name()),
        public: from.scheme() == Some(&elb::LoadBalancerSchemeEnum::InternetFacing),
        vpc: from.vpc_id().and_then(|v| VpcId::parse(v).ok()),
        groups: group_ids(from.security_groups().iter().map(|id| Some(id.as_str()))),
        ..Balancer::default()
    }
}

fn of_classic(from: &classic::LoadBalancerDescription) -> Balancer {
    let targets: Vec<Untrusted> = from.instances().iter().filter_map(|i| some(i.instance_id())).collect();
    let listener = |l: &classic::Listener| Listener {
        port: number(l.load_balancer_port()),
        to: Some(number(l.instance_port())),
        targets: targets.clone(),
    };
    Balancer {
        name: text(from.load_balancer_name()),
        dns: text(from.dns_name()),
        public: from.scheme() == Some("internet-facing"),
        vpc: from.vpc_id().and_then(|v| VpcId::parse(v).ok()),
        groups: group_ids(from.security_groups().iter().map(|id| Some(id.as_str()))),
        tags: Tags::new(),
        listeners: from.listener_descriptions().iter().filter_map(|d| d.listener().map(listener)).collect(),
    }
}
