//! Network interfaces, elastic addresses and NAT gateways.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types as ec2;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, tags};
use crate::aws::tell::{Ask, Tell as _};

/// Interfaces and addresses of the Region.
pub async fn collect(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let (interfaces, addresses, nats) = futures::join!(
        client.describe_network_interfaces().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
        client.describe_addresses().send(),
        client.describe_nat_gateways().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
    );
    let addresses = addresses.map(|a| a.addresses.unwrap_or_default());
    let nats = nats.map(|n| n.into_iter().filter(|n| n.state() != Some(&ec2::NatGatewayState::Deleted)).collect());
    let mut all = ask.listed("ec2.network_interface", "ec2:DescribeNetworkInterfaces", interfaces, interface);
    all.extend(ask.listed("ec2.address", "ec2:DescribeAddresses", addresses, address));
    all.extend(ask.listed("ec2.nat_gateway", "ec2:DescribeNatGateways", nats, nat_gateway));
    all
}

fn interface(i: &ec2::NetworkInterface) -> (String, Value) {
    let value = json!({
        "network_interface_id": i.network_interface_id(),
        "vpc_id": i.vpc_id(),
        "subnet_id": i.subnet_id(),
        "description": i.description(),
        "interface_type": i.interface_type().map(|t| t.as_str()),
        "status": i.status().map(|s| s.as_str()),
        "requester_managed": i.requester_managed().unwrap_or_default(),
        "requester_id": i.requester_id(),
        "source_dest_check": i.source_dest_check(),
        "instance_id": i.attachment().and_then(|a| a.instance_id()),
        "public_ip": i.association().and_then(|a| a.public_ip()),
        "groups": i.groups().iter().filter_map(|g| g.group_id()).collect::<Vec<_>>(),
        "tags": tags(i.tag_set().iter().map(|t| (t.key(), t.value()))),
    });
    (i.network_interface_id().text(), value)
}

fn address(a: &ec2::Address) -> (String, Value) {
    let value = json!({
        "allocation_id": a.allocation_id(),
        "public_ip": a.public_ip(),
        "association_id": a.association_id(),
        "network_interface_id": a.network_interface_id(),
        "tags": tags(a.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (a.allocation_id().or(a.public_ip()).text(), value)
}

fn nat_gateway(n: &ec2::NatGateway) -> (String, Value) {
    let addresses = n.nat_gateway_addresses().iter().filter_map(|a| a.allocation_id());
    let value = json!({
        "nat_gateway_id": n.nat_gateway_id(),
        "vpc_id": n.vpc_id(),
        "subnet_id": n.subnet_id(),
        "state": n.state().map(|s| s.as_str()),
        "connectivity_type": n.connectivity_type().map(|c| c.as_str()),
        "allocation_ids": addresses.collect::<Vec<_>>(),
        "tags": tags(n.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (n.nat_gateway_id().text(), value)
}
