//! AWS's answers as flow facts.

use aws_sdk_ec2::types::{NetworkAclAssociation, NetworkAclEntry, RouteTableAssociation};

use super::*;

fn scope() -> Scope {
    serde_json::from_str(r#"{"account":"123456789012","region":"us-east-1"}"#).unwrap()
}

fn table(subnet: Option<&str>, routes: Vec<Route>) -> RouteTable {
    let association =
        RouteTableAssociation::builder().set_subnet_id(subnet.map(str::to_owned)).main(subnet.is_none()).build();
    RouteTable::builder().vpc_id("vpc-1").associations(association).set_routes(Some(routes)).build()
}

fn nat_route() -> Route {
    Route::builder().destination_cidr_block("0.0.0.0/0").nat_gateway_id("nat-1").build()
}

fn gateway(subnet: &str) -> NatGateway {
    NatGateway::builder().nat_gateway_id("nat-1").subnet_id(subnet).build()
}

fn acl_for(subnet: &str) -> NetworkAcl {
    let entry = NetworkAclEntry::builder().rule_number(100).egress(true).rule_action(RuleAction::Allow);
    NetworkAcl::builder()
        .network_acl_id("acl-1")
        .owner_id("123456789012")
        .associations(NetworkAclAssociation::builder().subnet_id(subnet).build())
        .entries(entry.cidr_block("0.0.0.0/0").protocol("-1").build())
        .build()
}

#[test]
fn the_acl_that_counts_is_that_of_the_nat_gateway_s_subnet() {
    let network = Network {
        tables: vec![table(Some("subnet-a"), vec![nat_route()])],
        gateways: vec![gateway("subnet-b")],
        acls: vec![acl_for("subnet-a"), acl_for("subnet-b")],
        ..Network::default()
    };
    let found = ways(&scope(), "subnet-a", "vpc-1", &network);
    let [Way::Nat { acl: Some(acl), .. }] = found.as_slice() else { panic!("{found:?}") };
    assert!(acl.ours && acl.entries[0].allows && acl.entries[0].number == 100);
    let same = Network { gateways: vec![gateway("subnet-a")], ..network };
    assert!(matches!(ways(&scope(), "subnet-a", "vpc-1", &same).as_slice(), [Way::Nat { acl: None, .. }]));
}

#[test]
fn a_subnet_without_a_table_of_its_own_takes_the_main_one() {
    let to = |id: &str| Route::builder().destination_cidr_block("0.0.0.0/0").gateway_id(id).build();
    let network = Network {
        tables: vec![table(Some("subnet-x"), vec![to("vgw-1")]), table(None, vec![to("local"), to("igw-1")])],
        ..Network::default()
    };
    assert_eq!(ways(&scope(), "subnet-a", "vpc-1", &network), [Way::Internet]);
    assert_eq!(ways(&scope(), "subnet-x", "vpc-1", &network), [Way::Other { target: "vgw-1".into() }]);
}

#[test]
fn an_elastic_ip_is_told_from_an_address_that_aws_chose() {
    let association = |allocation: Option<&str>| {
        let builder = NetworkInterfaceAssociation::builder().public_ip("203.0.113.9").association_id("eipassoc-1");
        builder.set_allocation_id(allocation.map(str::to_owned)).build()
    };
    let private = Ipv4Addr::new(10, 0, 0, 5);
    assert!(public(&association(Some("eipalloc-1")), private).unwrap().elastic.is_some());
    assert!(public(&association(None), private).unwrap().elastic.is_none());
}
