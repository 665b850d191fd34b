//! Networks: where subnets route to, what VPCs log and reach privately, which ports network ACLs let through.

use ipnet::IpNet;
use picket_model::Document;
use serde_json::{Value, json};

use super::{Added, Around, Join};
use crate::aws::json::texts;
use crate::aws::world::is_world;

/// Ports that administer.
const ADMIN: &[i64] = &[22, 3389];

/// Joins of the networks.
pub const JOINS: &[Join] = &[
    Join { kind: "ec2.subnet", needs: &["ec2.route_table"], add: subnet },
    Join {
        kind: "ec2.vpc",
        needs: &["ec2.flow_log", "ec2.network_interface", "ec2.subnet", "ec2.vpc_endpoint"],
        add: vpc,
    },
    Join { kind: "ec2.network_acl", needs: &[], add: network_acl },
    Join { kind: "ec2.route_table", needs: &["ec2.vpc_peering_connection", "ec2.subnet"], add: route_table },
    Join { kind: "ec2.nat_gateway", needs: &["ec2.subnet"], add: nat_gateway },
];

fn subnet(document: &Document, subnet: &Value, around: &Around<'_>) -> Added {
    let tables = around.having(document, "ec2.route_table", "vpc_id", subnet["vpc_id"].as_str().unwrap_or_default());
    let tables = match tables {
        Ok(tables) => tables,
        Err(why) => return vec![("default_route", Err(why.clone())), ("own_route_table", Err(why))],
    };
    let own = tables.iter().find(|t| texts(&t["subnet_ids"]).any(|s| Some(s) == subnet["subnet_id"].as_str()));
    let table = own.or_else(|| tables.iter().find(|t| t["main"] == true));
    vec![
        ("default_route", Ok(table.map_or("none", |t| default_route(t)).into())),
        ("own_route_table", Ok(own.is_some().into())),
    ]
}

/// Where traffic for the world goes: `internet`, `nat`, `other` or `none`.
fn default_route(table: &Value) -> &'static str {
    let routes = table["routes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let to_world = routes.iter().filter(|r| r["destination"].as_str().is_some_and(is_world));
    let mut found = "none";
    for route in to_world.filter(|r| r["state"] != "blackhole") {
        match route["gateway_id"].as_str() {
            Some(gateway) if gateway.starts_with("igw-") => return "internet",
            _ if route["nat_gateway_id"].is_string() => found = "nat",
            _ if found == "none" => found = "other",
            _ => {}
        }
    }
    found
}

fn vpc(document: &Document, vpc: &Value, around: &Around<'_>) -> Added {
    let id = vpc["vpc_id"].as_str().unwrap_or_default();
    let interfaces = around.having(document, "ec2.network_interface", "vpc_id", id).map(|i| i.len().into());
    let endpoints = around.having(document, "ec2.vpc_endpoint", "vpc_id", id).map(|all| {
        let live = all.into_iter().filter(|e| e["state"].as_str().is_none_or(|s| s.eq_ignore_ascii_case("available")));
        json!(live.filter_map(|e| e["service_name"].as_str()).map(service).collect::<Vec<_>>())
    });
    vec![
        ("flow_logs_active", flow_logs(document, id, around)),
        ("interfaces", interfaces),
        ("endpoint_services", endpoints),
    ]
}

/// `ecr.api` of `com.amazonaws.us-east-1.ecr.api`.
fn service(name: &str) -> &str {
    name.splitn(4, '.').nth(3).unwrap_or(name)
}

/// Whether a flow log of the VPC, or of each of its subnets, takes at least what is rejected.
fn flow_logs(document: &Document, vpc: &str, around: &Around<'_>) -> Result<Value, String> {
    let logs = around.all(document, "ec2.flow_log")?;
    let takes = |id: &str| {
        let active = |l: &&&Value| l["flow_log_status"] == "ACTIVE" && l["traffic_type"] != "ACCEPT";
        logs.iter().filter(active).any(|l| l["resource_id"] == id)
    };
    let subnets = around.having(document, "ec2.subnet", "vpc_id", vpc)?;
    let each = !subnets.is_empty() && subnets.iter().all(|s| s["subnet_id"].as_str().is_some_and(takes));
    Ok((takes(vpc) || each).into())
}

fn network_acl(_: &Document, acl: &Value, _: &Around<'_>) -> Added {
    let entries = acl["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let open: Vec<i64> = ADMIN.iter().copied().filter(|p| lets_the_world_to(entries, *p)).collect();
    vec![("open_admin_ports", Ok(json!(open)))]
}

/// Entries are tried in order, and the first that fits decides; IPv4 and IPv6 are apart.
fn lets_the_world_to(entries: &[Value], port: i64) -> bool {
    let mut inbound: Vec<&Value> = entries.iter().filter(|e| e["egress"] == false).collect();
    inbound.sort_by_key(|e| e["rule_number"].as_i64());
    let fits = |e: &&&Value| {
        let tcp = matches!(e["protocol"].as_str(), Some("-1" | "6"));
        let (from, to) = (e["from_port"].as_i64().unwrap_or(0), e["to_port"].as_i64().unwrap_or(65535));
        tcp && (from..=to).contains(&port) && e["cidr"].as_str().is_some_and(is_world)
    };
    let family = |v6: bool| {
        let mut of = inbound.iter().filter(|e| e["cidr"].as_str().is_some_and(|c| c.contains(':')) == v6);
        of.find(fits).is_some_and(|e| e["rule_action"] == "allow")
    };
    family(false) || family(true)
}

fn route_table(document: &Document, table: &Value, around: &Around<'_>) -> Added {
    let peerings = match around.all(document, "ec2.vpc_peering_connection") {
        Ok(peerings) => peerings,
        Err(why) => return vec![("whole_peer_routes", Err(why))],
    };
    let routes = table["routes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let whole = routes.iter().filter(|r| {
        let peering = peerings.iter().find(|p| p["vpc_peering_connection_id"] == r["vpc_peering_connection_id"]);
        let to = r["destination"].as_str().and_then(|d| d.parse::<IpNet>().ok());
        let covers = |cidr: &str| matches!((to, cidr.parse::<IpNet>()), (Some(to), Ok(peer)) if to.contains(&peer));
        r["vpc_peering_connection_id"].is_string() && peering.is_some_and(|p| texts(&p["cidrs"]).any(covers))
    });
    let whole: Vec<&str> = whole.filter_map(|r| r["destination"].as_str()).collect();
    let peers = routes.iter().filter(|r| r["vpc_peering_connection_id"].is_string()).count();
    vec![
        ("whole_peer_routes", Ok(json!(whole))),
        ("peering_routes", Ok(peers.into())),
        ("default_route", Ok(default_route(table).into())),
    ]
}

fn nat_gateway(document: &Document, nat: &Value, around: &Around<'_>) -> Added {
    let zone = around.having(document, "ec2.subnet", "subnet_id", nat["subnet_id"].as_str().unwrap_or_default());
    vec![("availability_zone", zone.map(|s| s.first().map_or(Value::Null, |s| s["availability_zone"].clone())))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: i64, action: &str, protocol: &str, cidr: &str, ports: Option<(i64, i64)>) -> Value {
        json!({"rule_number": number, "egress": false, "rule_action": action, "protocol": protocol, "cidr": cidr,
            "from_port": ports.map(|p| p.0), "to_port": ports.map(|p| p.1)})
    }

    #[test]
    fn entries_of_a_network_acl_decide_in_their_order() {
        let open = |entries: &[Value]| lets_the_world_to(entries, 22);
        let all = entry(100, "allow", "-1", "0.0.0.0/0", None);
        let deny = |n| entry(n, "deny", "6", "0.0.0.0/0", Some((22, 22)));
        assert!(open(std::slice::from_ref(&all)));
        assert!(!open(&[all.clone(), deny(50)]), "denied before");
        assert!(open(&[all.clone(), deny(200)]), "denied too late");
        assert!(open(&[deny(50), entry(100, "allow", "6", "::/0", Some((0, 65535)))]), "IPv6 is apart");
        assert!(!open(&[entry(100, "allow", "17", "0.0.0.0/0", Some((22, 22)))]), "UDP");
        assert!(!open(&[entry(100, "allow", "6", "10.0.0.0/8", Some((22, 22)))]));
    }

    #[test]
    fn a_default_route_is_named_by_where_it_goes() {
        let to = |route: Value| {
            default_route(&json!({"routes": [{"destination": "10.0.0.0/16", "gateway_id": "local"}, route]}))
        };
        assert_eq!(to(json!({"destination": "0.0.0.0/0", "gateway_id": "igw-1"})), "internet");
        assert_eq!(to(json!({"destination": "::/0", "gateway_id": "igw-1"})), "internet");
        assert_eq!(to(json!({"destination": "0.0.0.0/0", "nat_gateway_id": "nat-1"})), "nat");
        assert_eq!(to(json!({"destination": "0.0.0.0/0", "transit_gateway_id": "tgw-1"})), "other");
        assert_eq!(to(json!({"destination": "0.0.0.0/0", "gateway_id": "igw-1", "state": "blackhole"})), "none");
        assert_eq!(to(json!({"destination": "192.0.2.0/24", "gateway_id": "igw-1"})), "none");
    }

    #[test]
    fn services_keep_all_of_their_name() {
        assert_eq!(service("com.amazonaws.us-east-1.ecr.api"), "ecr.api");
        assert_eq!(service("com.amazonaws.us-east-1.s3"), "s3");
    }
}
