//! Security groups, their permissions flattened: one rule a source, with ports as numbers and prefix lists resolved.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types as ec2;
use futures::StreamExt as _;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::tags;
use crate::aws::tell::{AT_ONCE, Ask, Tell as _, WHOLE_LIST, reason};
use crate::aws::world::mark_world;

const KIND: &str = "ec2.security_group";

/// The entries of each prefix list, or why they are not known.
type Lists = BTreeMap<String, Result<Vec<String>, String>>;

/// All groups.
pub async fn collect(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let listed = client.describe_security_groups().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let groups = match listed {
        Ok(groups) => groups,
        Err(error) => return vec![ask.failed(KIND, WHOLE_LIST, "ec2:DescribeSecurityGroups", &error)],
    };
    let lists = prefix_lists(client, &groups).await;
    let document =
        |g| ask.known(KIND, ec2::SecurityGroup::group_id(g), "ec2:DescribeSecurityGroups", describe(g, &lists));
    groups.iter().map(document).collect()
}

async fn prefix_lists(client: &Client, groups: &[ec2::SecurityGroup]) -> Lists {
    let rules = groups.iter().flat_map(|g| g.ip_permissions().iter().chain(g.ip_permissions_egress()));
    let ids: BTreeSet<String> =
        rules.flat_map(|p| p.prefix_list_ids()).filter_map(|l| l.prefix_list_id().map(str::to_owned)).collect();
    futures::stream::iter(ids).map(|id| entries(client, id)).buffer_unordered(AT_ONCE).collect().await
}

async fn entries(client: &Client, id: String) -> (String, Result<Vec<String>, String>) {
    let pages = client.get_managed_prefix_list_entries().prefix_list_id(&id).into_paginator().items().send();
    let read = pages.collect::<Result<Vec<_>, _>>().await;
    let cidrs = |e: Vec<ec2::PrefixListEntry>| e.iter().filter_map(|e| e.cidr().map(str::to_owned)).collect();
    (id, read.map(cidrs).map_err(|e| reason("ec2:GetManagedPrefixListEntries", &e)))
}

fn describe(g: &ec2::SecurityGroup, lists: &Lists) -> Value {
    let mut value = json!({
        "group_id": g.group_id(),
        "group_name": g.group_name(),
        "vpc_id": g.vpc_id(),
        "description": g.description(),
        "tags": tags(g.tags().iter().map(|t| (t.key(), t.value()))),
        "unread": {},
    });
    for (field, permissions) in [("ingress", g.ip_permissions()), ("egress", g.ip_permissions_egress())] {
        match flatten(permissions, lists) {
            Ok(rules) => value[field] = Value::Array(mark_world(rules)),
            Err(why) => value["unread"][field] = why.into(),
        }
    }
    value
}

fn flatten(permissions: &[ec2::IpPermission], lists: &Lists) -> Result<Vec<Value>, String> {
    let each = permissions.iter().map(|p| sources(p, lists));
    Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

fn sources(p: &ec2::IpPermission, lists: &Lists) -> Result<Vec<Value>, String> {
    let rule = |extra: Value| with(&ports(p), &extra);
    let v4 = p.ip_ranges().iter().map(|r| rule(json!({"cidr": r.cidr_ip(), "description": r.description()})));
    let v6 = p.ipv6_ranges().iter().map(|r| rule(json!({"cidr": r.cidr_ipv6(), "description": r.description()})));
    let groups = p
        .user_id_group_pairs()
        .iter()
        .map(|g| rule(json!({"group_id": g.group_id(), "user_id": g.user_id(), "description": g.description()})));
    let mut all: Vec<Value> = v4.chain(v6).chain(groups).collect();
    for id in p.prefix_list_ids().iter().filter_map(|l| l.prefix_list_id()) {
        let entries = lists.get(id).cloned().unwrap_or_else(|| Err(format!("the prefix list {id} was not read")))?;
        all.extend(entries.iter().map(|cidr| rule(json!({"cidr": cidr, "prefix_list_id": id}))));
    }
    Ok(all)
}

/// Protocol and ports, all ports as 0 to 65535, and -1 for protocols that have none.
fn ports(p: &ec2::IpPermission) -> Value {
    let protocol = match p.ip_protocol().unwrap_or("-1") {
        "6" => "tcp",
        "17" => "udp",
        other => other,
    };
    let (from, to) = match protocol {
        "-1" => (0, 65535),
        "tcp" | "udp" => (p.from_port().unwrap_or(0), p.to_port().unwrap_or(65535)),
        _ => (-1, -1),
    };
    json!({"protocol": protocol, "from_port": from, "to_port": to})
}

fn with(base: &Value, extra: &Value) -> Value {
    let mut all = base.clone();
    if let (Some(all), Some(extra)) = (all.as_object_mut(), extra.as_object()) {
        all.extend(extra.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(protocol: &str) -> ec2::builders::IpPermissionBuilder {
        ec2::IpPermission::builder().ip_protocol(protocol)
    }

    #[test]
    fn all_traffic_is_all_ports_and_icmp_has_none() {
        let all = permission("-1").ip_ranges(ec2::IpRange::builder().cidr_ip("0.0.0.0/0").build()).build();
        let ping = permission("icmp").from_port(8).to_port(-1).build();
        assert_eq!(ports(&all), json!({"protocol": "-1", "from_port": 0, "to_port": 65535}));
        assert_eq!(ports(&ping), json!({"protocol": "icmp", "from_port": -1, "to_port": -1}));
        assert_eq!(ports(&permission("6").build())["protocol"], "tcp");
    }

    #[test]
    fn a_prefix_list_is_its_entries_and_one_that_cannot_be_read_is_told() {
        let list = ec2::PrefixListId::builder().prefix_list_id("pl-1").build();
        let p = permission("tcp").from_port(22).to_port(22).prefix_list_ids(list).build();
        let lists = |entries| BTreeMap::from([("pl-1".to_owned(), entries)]);
        let read = flatten(std::slice::from_ref(&p), &lists(Ok(vec!["0.0.0.0/0".to_owned()]))).unwrap();
        assert_eq!(read[0]["cidr"], "0.0.0.0/0");
        assert!(flatten(&[p], &lists(Err("denied".to_owned()))).is_err());
    }
}
