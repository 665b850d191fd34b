//! The network around machines: groups, interfaces, load balancers, subnets, prefix lists.

use std::collections::BTreeMap;

use aws_sdk_ec2::types as ec2;
use aws_sdk_elasticloadbalancingv2::Client as Elb;
use aws_sdk_elasticloadbalancingv2::types as elb;
use picket_model::landscape::{Balancer, Group, GroupRule, Link, Listener, Place, PlaceKind, PrefixList, Sight};
use picket_model::{GroupId, InstanceId, Region, Untrusted, VpcId};
use picket_pipeline::ports::Answer;
use picket_pipeline::scan::See;

use super::machines::{group_ids, some, tags, text};
use super::{Watch, failed};

const PER_PAGE: i32 = 1_000;
/// How many load balancers or target groups one question for tags may name.
const PER_TAGS: usize = 20;
/// Ports behind which a control plane may stand: only of these is it asked which machines they are.
const CONTROL_PORTS: [i32; 7] = [443, 6443, 8443, 9345, 16443, 22623, 50000];

impl Watch {
    pub(super) async fn groups(&self, region: &Region, see: See<'_>) -> Answer<()> {
        let mut token = None;
        loop {
            self.turns.wait(region).await;
            let call = self.clients.ec2(region).describe_security_groups().max_results(PER_PAGE).set_next_token(token);
            let answer = call.send().await.map_err(failed("ec2:DescribeSecurityGroups"))?;
            answer.security_groups().iter().filter_map(group).for_each(|group| see(Sight::Group(group)));
            token = answer.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
    }

    /// Interfaces that are more than an instance's first: those of others, of pods, and with a tag.
    pub(super) async fn links(&self, region: &Region, see: See<'_>) -> Answer<()> {
        let mut token = None;
        loop {
            self.turns.wait(region).await;
            let call = self.clients.ec2(region).describe_network_interfaces().max_results(PER_PAGE);
            let answer = call.set_next_token(token).send().await.map_err(failed("ec2:DescribeNetworkInterfaces"))?;
            answer.network_interfaces().iter().filter(|l| tells(l)).for_each(|found| see(Sight::Link(link(found))));
            token = answer.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
    }

    pub(super) async fn places(&self, region: &Region, see: See<'_>) -> Answer<()> {
        let mut token = None;
        loop {
            self.turns.wait(region).await;
            let call = self.clients.ec2(region).describe_subnets().max_results(PER_PAGE).set_next_token(token);
            let answer = call.send().await.map_err(failed("ec2:DescribeSubnets"))?;
            for subnet in answer.subnets() {
                see(Sight::Place(Place {
                    kind: PlaceKind::Subnet,
                    id: text(subnet.subnet_id()),
                    vpc: subnet.vpc_id().and_then(|v| VpcId::parse(v).ok()),
                    tags: tags(subnet.tags()),
                    cidrs: subnet.cidr_block().map(ToOwned::to_owned).into_iter().collect(),
                }));
            }
            token = answer.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
    }

    pub(super) async fn prefix_lists_of(&self, region: &Region, ids: &[Untrusted], see: See<'_>) -> Answer<()> {
        for id in ids {
            self.turns.wait(region).await;
            let call = self.clients.ec2(region).get_managed_prefix_list_entries().prefix_list_id(id.as_str());
            let answer = call.send().await.map_err(failed("ec2:GetManagedPrefixListEntries"))?;
            let cidrs = answer.entries().iter().filter_map(|e| e.cidr()).map(ToOwned::to_owned).collect();
            see(Sight::PrefixList(PrefixList { id: id.clone(), cidrs }));
        }
        Ok(())
    }

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

fn group(from: &ec2::SecurityGroup) -> Option<Group> {
    Some(Group {
        id: GroupId::parse(from.group_id()?).ok()?,
        name: text(from.group_name()),
        description: text(from.description()),
        vpc: from.vpc_id().and_then(|v| VpcId::parse(v).ok()),
        tags: tags(from.tags()),
        rules: from.ip_permissions().iter().map(rule).collect(),
    })
}

fn rule(from: &ec2::IpPermission) -> GroupRule {
    let port = |p: Option<i32>| p.and_then(|p| u16::try_from(p).ok());
    let v4 = from.ip_ranges().iter().filter_map(|r| r.cidr_ip());
    let v6 = from.ipv6_ranges().iter().filter_map(|r| r.cidr_ipv6());
    let says = (from.ip_ranges().iter().map(|r| r.description()))
        .chain(from.ipv6_ranges().iter().map(|r| r.description()))
        .chain(from.user_id_group_pairs().iter().map(|r| r.description()))
        .chain(from.prefix_list_ids().iter().map(|r| r.description()));
    GroupRule {
        protocol: from.ip_protocol().unwrap_or("-1").to_owned(),
        first: port(from.from_port()),
        last: port(from.to_port()),
        cidrs: v4.chain(v6).map(ToOwned::to_owned).collect(),
        groups: group_ids(from.user_id_group_pairs().iter().map(|p| p.group_id())),
        prefix_lists: from.prefix_list_ids().iter().filter_map(|p| some(p.prefix_list_id())).collect(),
        says: says.filter_map(some).collect(),
    }
}

/// Whether an interface tells more than its instance does.
fn tells(from: &ec2::NetworkInterface) -> bool {
    let first = from.attachment().and_then(|a| a.device_index()) == Some(0);
    !first || !from.tag_set().is_empty() || from.requester_managed() == Some(true)
}

fn link(from: &ec2::NetworkInterface) -> Link {
    let addresses = from.private_ip_addresses().iter().filter_map(|a| some(a.private_ip_address()));
    Link {
        id: text(from.network_interface_id()),
        description: text(from.description()),
        kind: text(from.interface_type().map(ec2::NetworkInterfaceType::as_str)),
        requester: some(from.requester_id()),
        owner: some(from.owner_id()),
        tags: tags(from.tag_set()),
        instance: from.attachment().and_then(|a| InstanceId::parse(a.instance_id()?).ok()),
        vpc: from.vpc_id().and_then(|v| VpcId::parse(v).ok()),
        groups: group_ids(from.groups().iter().map(|g| g.group_id())),
        addresses: addresses.collect(),
    }
}
