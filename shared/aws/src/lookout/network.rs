//! The network around machines: groups, interfaces, subnets, prefix lists.

use aws_sdk_ec2::types as ec2;
use picket_model::landscape::{Group, GroupRule, Link, Place, PlaceKind, PrefixList, Sight};
use picket_model::{GroupId, InstanceId, Region, Untrusted, VpcId};
use picket_pipeline::ports::Answer;
use picket_pipeline::scan::See;

use super::machines::{group_ids, some, tags, text};
use super::{Watch, failed};

const PER_PAGE: i32 = 1_000;

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
