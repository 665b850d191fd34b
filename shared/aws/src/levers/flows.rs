//! How the connections of interfaces leave them: addresses, routes, NAT gateways, network ACLs, rules. One round of reads
//! side by side; what is refused is named in `unknown`, and then nothing is called cut.

use std::net::Ipv4Addr;

use aws_sdk_ec2::types::{
    Filter, IpPermission, NatGateway, NetworkAcl, NetworkInterface, NetworkInterfaceAssociation, Route, RouteState,
    RouteTable, RuleAction, SecurityGroup,
};
use futures::join;
use picket_model::{
    Acl, AclEntry, Capture, Elastic, FlowFacts, GroupId, InstanceId, PublicAddress, Scope, Tracking, Untrusted, Way,
};
use picket_pipeline::flows::{GroupRule, tracking};
use picket_pipeline::ports::Answer;

use super::{AwsLevers, failed, known};
use crate::{cloud, interfaces};

/// What a VPC's paths are made of.
#[derive(Debug, Default)]
struct Network {
    tables: Vec<RouteTable>,
    gateways: Vec<NatGateway>,
    acls: Vec<NetworkAcl>,
    groups: Option<Vec<SecurityGroup>>,
    unknown: Vec<String>,
}

impl AwsLevers<'_> {
    /// `DescribeNetworkInterfaces`, then `DescribeRouteTables`, `DescribeNatGateways`, `DescribeNetworkAcls` and
    /// `DescribeSecurityGroups` side by side.
    pub(super) async fn flows_of(&self, scope: &Scope, of: &[(InstanceId, Capture)]) -> Answer<Vec<FlowFacts>> {
        let ids: Vec<String> = of.iter().map(|(_, c)| c.interface.to_string()).collect();
        let described = interfaces::described(self.clients, scope, "network-interface-id", &ids).await?;
        let mut vpcs: Vec<String> = of.iter().map(|(_, c)| c.vpc.to_string()).collect();
        vpcs.sort();
        vpcs.dedup();
        let mut groups: Vec<GroupId> = of.iter().flat_map(|(_, c)| c.groups.clone()).collect();
        groups.sort();
        groups.dedup();
        let network = self.network(scope, &vpcs, &groups).await?;
        let of = of.iter().filter_map(|(instance, capture)| {
            let shown = described.iter().find(|i| i.network_interface_id() == Some(capture.interface.as_str()))?;
            Some(facts(scope, instance, capture, shown, &network))
        });
        Ok(of.collect())
    }

    async fn network(&self, scope: &Scope, vpcs: &[String], groups: &[GroupId]) -> Answer<Network> {
        let client = self.clients.ec2(&scope.region);
        let within = || Filter::builder().name("vpc-id").set_values(Some(vpcs.to_vec())).build();
        let what = vpcs.join(", ");
        let tables = client.describe_route_tables().filters(within()).into_paginator().items().send();
        let gateways = client.describe_nat_gateways().filter(within()).into_paginator().items().send();
        let acls = client.describe_network_acls().filters(within()).into_paginator().items().send();
        let (tables, gateways, acls, groups) = join!(
            tables.collect::<Result<Vec<_>, _>>(),
            gateways.collect::<Result<Vec<_>, _>>(),
            acls.collect::<Result<Vec<_>, _>>(),
            cloud::groups(self.clients, scope, groups)
        );
        let mut unknown = Vec::new();
        let tables = tables.map_err(|e| failed("reading the route tables of", &what, &e));
        let gateways = gateways.map_err(|e| failed("reading the NAT gateways of", &what, &e));
        let acls = acls.map_err(|e| failed("reading the network ACLs of", &what, &e));
        Ok(Network {
            tables: known(tables, Vec::new(), "routes", &mut unknown)?,
            gateways: known(gateways, Vec::new(), "NAT gateways", &mut unknown)?,
            acls: known(acls, Vec::new(), "network ACLs", &mut unknown)?,
            groups: known(groups.map(Some), None, "rules", &mut unknown)?,
            unknown,
        })
    }
}

fn facts(
    scope: &Scope,
    instance: &InstanceId,
    capture: &Capture,
    shown: &NetworkInterface,
    network: &Network,
) -> FlowFacts {
    let subnet = shown.subnet_id().unwrap_or_default();
    let address = |text: Option<&str>| text.and_then(|t| t.parse::<Ipv4Addr>().ok());
    let private = shown.private_ip_addresses();
    let idle = shown.connection_tracking_configuration().and_then(|c| c.tcp_established_timeout());
    let rules = network.groups.as_ref().map(|all| rules(all, &capture.groups));
    FlowFacts {
        interface: capture.interface.clone(),
        instance: instance.clone(),
        addresses: private.iter().filter_map(|p| address(p.private_ip_address())).collect(),
        prefixes: !shown.ipv4_prefixes().is_empty(),
        ipv6: !shown.ipv6_addresses().is_empty() || !shown.ipv6_prefixes().is_empty(),
        public: addresses(shown),
        ways: ways(scope, subnet, capture.vpc.as_str(), network),
        tracking: rules.map_or(Tracking::Unknown, |r| tracking(&r)),
        idle: idle.and_then(|s| u32::try_from(s).ok()),
        unknown: network.unknown.clone(),
    }
}

/// The public addresses: each is shown with the private address that it stands for, and the first with the interface.
fn addresses(shown: &NetworkInterface) -> Vec<PublicAddress> {
    let address = |text: Option<&str>| text.and_then(|t| t.parse::<Ipv4Addr>().ok());
    let private = shown.private_ip_addresses();
    let each = private.iter().filter_map(|p| public(p.association()?, address(p.private_ip_address())?));
    let mut found: Vec<PublicAddress> = each.collect();
    let first = shown.association().zip(address(shown.private_ip_address())).and_then(|(a, p)| public(a, p));
    found.extend(first.filter(|f| !found.iter().any(|known| known.public == f.public)));
    found
}

/// A public address; an Elastic IP is one with an allocation.
fn public(association: &NetworkInterfaceAssociation, private: Ipv4Addr) -> Option<PublicAddress> {
    let public = association.public_ip()?.parse().ok()?;
    let elastic = association.allocation_id().map(|allocation| Elastic {
        allocation: Untrusted::new(allocation),
        association: Untrusted::new(association.association_id().unwrap_or_default()),
    });
    Some(PublicAddress { public, private, elastic })
}

/// The ways out of a subnet, each once: its own route table's, or the VPC's main one's.
fn ways(scope: &Scope, subnet: &str, vpc: &str, network: &Network) -> Vec<Way> {
    let of_vpc = || network.tables.iter().filter(|t| t.vpc_id() == Some(vpc));
    let own = of_vpc().find(|t| t.associations().iter().any(|a| a.subnet_id() == Some(subnet)));
    let main = || of_vpc().find(|t| t.associations().iter().any(|a| a.main() == Some(true)));
    let Some(table) = own.or_else(main) else { return Vec::new() };
    let mut found: Vec<Way> = Vec::new();
    for way in table.routes().iter().filter_map(|r| way(scope, subnet, r, network)) {
        if !found.contains(&way) {
            found.push(way);
        }
    }
    found
}

fn way(scope: &Scope, subnet: &str, route: &Route, network: &Network) -> Option<Way> {
    if route.state() == Some(&RouteState::Blackhole) {
        return None;
    }
    if let Some(id) = route.nat_gateway_id() {
        let gateway = network.gateways.iter().find(|g| g.nat_gateway_id() == Some(id));
        let elsewhere = gateway.and_then(|g| g.subnet_id()).filter(|s| *s != subnet);
        let acl = elsewhere.and_then(|s| acl_of(scope, s, network));
        return Some(Way::Nat { gateway: Untrusted::new(id), acl });
    }
    match route.gateway_id() {
        Some("local") => return None,
        Some(id) if id.starts_with("igw-") => return Some(Way::Internet),
        // Gateway endpoints lead to S3 and DynamoDB alone, and their routes name them.
        _ => {}
    }
    let others = [
        route.gateway_id(),
        route.egress_only_internet_gateway_id(),
        route.transit_gateway_id(),
        route.vpc_peering_connection_id(),
        route.network_interface_id(),
        route.local_gateway_id(),
        route.carrier_gateway_id(),
        route.core_network_arn(),
    ];
    others.into_iter().flatten().next().map(|target| Way::Other { target: Untrusted::new(target) })
}

fn acl_of(scope: &Scope, subnet: &str, network: &Network) -> Option<Acl> {
    let of = |a: &&NetworkAcl| a.associations().iter().any(|s| s.subnet_id() == Some(subnet));
    network.acls.iter().find(of).map(|a| acl(scope, a))
}

/// A network ACL as it was read.
pub(super) fn acl(scope: &Scope, from: &NetworkAcl) -> Acl {
    let entry = |e: &aws_sdk_ec2::types::NetworkAclEntry| {
        Some(AclEntry {
            number: u16::try_from(e.rule_number()?).ok()?,
            egress: e.egress().unwrap_or(false),
            allows: e.rule_action() == Some(&RuleAction::Allow),
            cidr: Untrusted::new(e.cidr_block().unwrap_or("::/0")),
            protocol: e.protocol().unwrap_or("-1").to_owned(),
        })
    };
    Acl {
        id: Untrusted::new(from.network_acl_id().unwrap_or_default()),
        ours: from.owner_id().is_none_or(|o| o == scope.account.as_str()),
        entries: from.entries().iter().filter_map(entry).collect(),
    }
}

/// All rules of some groups, one row a source.
fn rules(all: &[SecurityGroup], of: &[GroupId]) -> Vec<GroupRule> {
    let mut found = Vec::new();
    for group in all.iter().filter(|g| of.iter().any(|o| g.group_id() == Some(o.as_str()))) {
        found.extend(group.ip_permissions().iter().flat_map(|p| rows(false, p)));
        found.extend(group.ip_permissions_egress().iter().flat_map(|p| rows(true, p)));
    }
    found
}

fn rows(egress: bool, from: &IpPermission) -> Vec<GroupRule> {
    let port = |p: Option<i32>| p.and_then(|p| u16::try_from(p).ok());
    let ports = port(from.from_port()).zip(port(from.to_port()));
    let four = from.ip_ranges().iter().filter_map(|r| r.cidr_ip());
    let six = from.ipv6_ranges().iter().filter_map(|r| r.cidr_ipv6());
    let lists = from.prefix_list_ids().iter().filter_map(|l| l.prefix_list_id());
    let groups = from.user_id_group_pairs().iter().filter_map(|g| g.group_id());
    let others = four.chain(six).chain(lists).chain(groups);
    let row = |other: &str| GroupRule {
        egress,
        protocol: from.ip_protocol().unwrap_or("-1").to_owned(),
        ports,
        other: other.to_owned(),
    };
    others.map(row).collect()
}

#[cfg(test)]
#[path = "flows_tests.rs"]
mod tests;
