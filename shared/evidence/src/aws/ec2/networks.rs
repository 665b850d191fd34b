//! VPCs, subnets, route tables, network ACLs, flow logs and endpoints.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types as ec2;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, tags};
use crate::aws::tell::{Ask, Tell as _};

/// The networks of the Region.
pub async fn collect(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let (vpcs, subnets, tables, acls, flow_logs, endpoints) = futures::join!(
        client.describe_vpcs().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
        client.describe_subnets().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
        client.describe_route_tables().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
        client.describe_network_acls().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
        client.describe_flow_logs().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
        client.describe_vpc_endpoints().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
    );
    let mut all = ask.listed("ec2.vpc", "ec2:DescribeVpcs", vpcs, vpc);
    all.extend(ask.listed("ec2.subnet", "ec2:DescribeSubnets", subnets, subnet));
    all.extend(ask.listed("ec2.route_table", "ec2:DescribeRouteTables", tables, route_table));
    all.extend(ask.listed("ec2.network_acl", "ec2:DescribeNetworkAcls", acls, network_acl));
    all.extend(ask.listed("ec2.flow_log", "ec2:DescribeFlowLogs", flow_logs, flow_log));
    all.extend(ask.listed("ec2.vpc_endpoint", "ec2:DescribeVpcEndpoints", endpoints, endpoint));
    all
}

fn vpc(v: &ec2::Vpc) -> (String, Value) {
    let cidrs = v.cidr_block_association_set().iter().filter_map(|c| c.cidr_block());
    let value = json!({
        "vpc_id": v.vpc_id(),
        "cidr_block": v.cidr_block(),
        "cidr_blocks": cidrs.collect::<Vec<_>>(),
        "is_default": v.is_default().unwrap_or_default(),
        "owner_id": v.owner_id(),
        "tags": tags(v.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (v.vpc_id().text(), value)
}

fn subnet(s: &ec2::Subnet) -> (String, Value) {
    let value = json!({
        "subnet_id": s.subnet_id(),
        "vpc_id": s.vpc_id(),
        "availability_zone": s.availability_zone(),
        "cidr_block": s.cidr_block(),
        "map_public_ip_on_launch": s.map_public_ip_on_launch().unwrap_or_default(),
        "tags": tags(s.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (s.subnet_id().text(), value)
}

fn route_table(t: &ec2::RouteTable) -> (String, Value) {
    let associations = t.associations();
    let value = json!({
        "route_table_id": t.route_table_id(),
        "vpc_id": t.vpc_id(),
        "main": associations.iter().any(|a| a.main() == Some(true)),
        "subnet_ids": associations.iter().filter_map(|a| a.subnet_id()).collect::<Vec<_>>(),
        "routes": t.routes().iter().map(route).collect::<Vec<_>>(),
        "tags": tags(t.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (t.route_table_id().text(), value)
}

fn route(r: &ec2::Route) -> Value {
    json!({
        "destination": r.destination_cidr_block().or(r.destination_ipv6_cidr_block()).or(r.destination_prefix_list_id()),
        "gateway_id": r.gateway_id(),
        "nat_gateway_id": r.nat_gateway_id(),
        "egress_only_internet_gateway_id": r.egress_only_internet_gateway_id(),
        "instance_id": r.instance_id(),
        "network_interface_id": r.network_interface_id(),
        "transit_gateway_id": r.transit_gateway_id(),
        "vpc_peering_connection_id": r.vpc_peering_connection_id(),
        "state": r.state().map(|s| s.as_str()),
    })
}

fn network_acl(a: &ec2::NetworkAcl) -> (String, Value) {
    let value = json!({
        "network_acl_id": a.network_acl_id(),
        "vpc_id": a.vpc_id(),
        "is_default": a.is_default().unwrap_or_default(),
        "subnet_ids": a.associations().iter().filter_map(|s| s.subnet_id()).collect::<Vec<_>>(),
        "entries": a.entries().iter().map(entry).collect::<Vec<_>>(),
        "tags": tags(a.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (a.network_acl_id().text(), value)
}

fn entry(e: &ec2::NetworkAclEntry) -> Value {
    json!({
        "rule_number": e.rule_number(),
        "egress": e.egress().unwrap_or_default(),
        "rule_action": e.rule_action().map(|a| a.as_str()),
        "protocol": e.protocol(),
        "cidr": e.cidr_block().or(e.ipv6_cidr_block()),
        "from_port": e.port_range().and_then(|p| p.from()),
        "to_port": e.port_range().and_then(|p| p.to()),
    })
}

fn flow_log(f: &ec2::FlowLog) -> (String, Value) {
    let value = json!({
        "flow_log_id": f.flow_log_id(),
        "resource_id": f.resource_id(),
        "flow_log_status": f.flow_log_status(),
        "traffic_type": f.traffic_type().map(|t| t.as_str()),
        "log_destination_type": f.log_destination_type().map(|t| t.as_str()),
        "log_group_name": f.log_group_name(),
        "tags": tags(f.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (f.flow_log_id().text(), value)
}

fn endpoint(e: &ec2::VpcEndpoint) -> (String, Value) {
    let value = json!({
        "vpc_endpoint_id": e.vpc_endpoint_id(),
        "vpc_id": e.vpc_id(),
        "service_name": e.service_name(),
        "state": e.state().map(|s| s.as_str()),
        "tags": tags(e.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (e.vpc_endpoint_id().text(), value)
}
