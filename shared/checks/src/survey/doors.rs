//! Who may reach the API server, etcd, the kubelet and what joins nodes: by the rules of the nodes' groups, by load
//! balancers, and by the endpoint of EKS. Ranges that only together make up the world are told as the world.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::{IpNet, Ipv4Net};
use picket_model::landscape::{Anonymous, Door, GroupRule, Known, NodeRole, Probe, Reach, ReachFrom};
use picket_model::{GroupId, Untrusted};

use super::evidence::{Judged, targets};
use super::keep::Kept;
use crate::exposure::is_world;
use crate::fingerprints::catalogue::catalogue;

/// At most so many ways are told of a cluster.
const MOST: usize = 48;
/// As many public IPv4 addresses as a /5 holds are the world, however they are cut.
const WORLD_ADDRESSES: u64 = 1 << 27;

/// A group with the port that it opens for the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Opening<'a> {
    door: u8,
    port: u16,
    group: &'a GroupId,
}

/// Who may reach the doors of the nodes `members`.
pub(super) fn of_nodes(kept: &Kept, judged: &Judged, members: &[usize], distribution: usize) -> Vec<Reach> {
    let own: BTreeSet<&GroupId> = members.iter().flat_map(|n| &kept.units[*n].groups).collect();
    let mut openings: BTreeMap<Opening<'_>, bool> = BTreeMap::new();
    for n in members {
        let unit = &kept.units[*n];
        for (door, port) in doors(distribution, judged.verdicts[*n].role) {
            for group in &unit.groups {
                *openings.entry(Opening { door: door as u8, port, group }).or_default() |= unit.public;
            }
        }
    }
    let mut found = Vec::new();
    for (opening, public) in openings {
        let Some(group) = kept.groups.get(opening.group) else { continue };
        let by = Untrusted::new(opening.group.as_str());
        let sources = sources(kept, &group.rules, opening.port, &own);
        found.extend(sources.into_iter().map(|from| Reach {
            door: door_of(opening.door),
            port: opening.port,
            from,
            by: by.clone(),
            public,
        }));
    }
    found.extend(of_balancers(kept, judged, members, &own));
    tidy(found)
}

/// The doors of these nodes that answered a probe without credentials.
pub(super) fn anonymous(kept: &Kept, members: &[usize]) -> Vec<Anonymous> {
    let ids = members.iter().filter_map(|n| kept.units[*n].id.as_ref());
    let mut found: Vec<Anonymous> = ids.filter_map(|id| kept.answered.get(id)).flatten().cloned().collect();
    found.sort();
    found.dedup();
    found.truncate(MOST);
    found
}

/// The door that a probe found open to anybody: it gave what was asked for, and nobody said who asks.
pub(super) fn answered(probe: &Probe) -> Option<(Door, u16)> {
    let door = match (probe.port, probe.path.as_str()) {
        (443 | 6443 | 8443 | 16443, "/version" | "/healthz") => Door::ApiServer,
        (2379, "/version") => Door::Etcd,
        (10250, "/healthz" | "/pods") => Door::Kubelet,
        (10255, "/healthz" | "/pods") => Door::KubeletReadOnly,
        _ => return None,
    };
    (probe.status == Some(200)).then_some((door, probe.port))
}

/// Who may reach the endpoint of a cluster of EKS.
pub(super) fn of_known(kept: &Kept, known: &Known) -> Vec<Reach> {
    let mut found = Vec::new();
    let reach = |from, by: Untrusted, public| Reach { door: Door::ApiServer, port: 443, from, by, public };
    if known.public == Some(true) {
        for cidr in &known.public_cidrs {
            found.push(reach(of_cidr(cidr), Untrusted::new("EKS"), true));
        }
    }
    let own: BTreeSet<&GroupId> = known.groups.iter().collect();
    for group in &known.groups {
        let rules = kept.groups.get(group).map(|g| g.rules.as_slice()).unwrap_or_default();
        let by = Untrusted::new(group.as_str());
        found.extend(sources(kept, rules, 443, &own).into_iter().map(|from| reach(from, by.clone(), false)));
    }
    tidy(found)
}

/// The widest first, each once, so many as fit.
fn tidy(mut found: Vec<Reach>) -> Vec<Reach> {
    let width = |r: &Reach| match r.from {
        ReachFrom::World(_) => 0,
        ReachFrom::Net(_) => 1,
        ReachFrom::PrefixList(_) => 2,
        ReachFrom::Group(_) => 3,
        ReachFrom::Cluster(_) => 4,
    };
    found.sort_by_key(|r| (width(r), !r.public, r.door as u8, r.port));
    found.dedup();
    found.truncate(MOST);
    found
}

/// The doors of a node, with their ports.
fn doors(distribution: usize, role: Option<NodeRole>) -> Vec<(Door, u16)> {
    let print = catalogue().distributions[distribution];
    let mut doors = vec![(Door::Kubelet, 10250), (Door::KubeletReadOnly, 10255)];
    let etcd = [(Door::Etcd, 2379), (Door::Etcd, 2380)];
    match role {
        Some(NodeRole::Worker) => {}
        Some(NodeRole::Etcd) => doors.extend(etcd),
        _ => {
            let api: &[u16] = if print.api_ports.is_empty() { &[6443] } else { &print.api_ports };
            doors.extend(etcd);
            doors.extend(api.iter().map(|p| (Door::ApiServer, *p)));
            doors.extend(print.join_ports.iter().map(|p| (Door::Join, *p)));
        }
    }
    doors
}

fn door_of(number: u8) -> Door {
    let all = [Door::ApiServer, Door::Etcd, Door::Kubelet, Door::KubeletReadOnly, Door::Join];
    all.into_iter().find(|d| *d as u8 == number).unwrap_or(Door::ApiServer)
}

/// From where rules let in on a TCP port.
fn sources(kept: &Kept, rules: &[GroupRule], port: u16, own: &BTreeSet<&GroupId>) -> Vec<ReachFrom> {
    let mut found = Vec::new();
    let mut cidrs: Vec<&str> = Vec::new();
    for rule in rules.iter().filter(|r| covers(r, port)) {
        cidrs.extend(rule.cidrs.iter().map(String::as_str));
        for group in &rule.groups {
            let ours = own.contains(group);
            found.push(if ours { ReachFrom::Cluster(group.clone()) } else { ReachFrom::Group(group.clone()) });
        }
        for list in &rule.prefix_lists {
            match kept.prefix_lists.get(list) {
                Some(known) => cidrs.extend(known.iter().map(String::as_str)),
                None => found.push(ReachFrom::PrefixList(list.clone())),
            }
        }
    }
    if let Some(together) = world_together(&cidrs) {
        found.push(ReachFrom::World(together));
    }
    found.extend(cidrs.into_iter().map(of_cidr));
    found
}

fn of_cidr(cidr: &str) -> ReachFrom {
    if is_world(cidr) { ReachFrom::World(cidr.to_owned()) } else { ReachFrom::Net(cidr.to_owned()) }
}

/// Whether a rule opens a TCP port.
fn covers(rule: &GroupRule, port: u16) -> bool {
    match rule.protocol.as_str() {
        "-1" => true,
        "tcp" | "6" => (rule.first.unwrap_or(0)..=rule.last.unwrap_or(u16::MAX)).contains(&port),
        _ => false,
    }
}

/// Ranges none of which is the world, but all of them together are.
fn world_together(cidrs: &[&str]) -> Option<String> {
    let nets = cidrs.iter().filter(|c| !is_world(c)).filter_map(|c| c.parse::<IpNet>().ok());
    let public = |net: IpNet| match net {
        IpNet::V4(net) if !net.addr().is_private() => Some(net),
        _ => None,
    };
    let nets = Ipv4Net::aggregate(&nets.filter_map(public).collect());
    let addresses: u64 = nets.iter().map(|n| 1_u64 << (32 - n.prefix_len())).sum();
    let some: Vec<String> = nets.iter().take(4).map(ToString::to_string).collect();
    (addresses >= WORLD_ADDRESSES).then(|| format!("{} and more, {} ranges in all", some.join(" + "), nets.len()))
}

/// Load balancers in front of the API of these nodes.
fn of_balancers(kept: &Kept, judged: &Judged, members: &[usize], own: &BTreeSet<&GroupId>) -> Vec<Reach> {
    let api = |port: u16| matches!(port, 6443 | 16443 | 443 | 8443);
    let mut found = Vec::new();
    for (b, balancer) in kept.balancers.iter().enumerate() {
        let behind = targets(kept, &judged.index, b, api);
        let control =
            |n: &usize| members.binary_search(n).is_ok() && judged.verdicts[*n].role == Some(NodeRole::ControlPlane);
        if behind.is_empty() || !behind.iter().all(control) {
            continue;
        }
        for listener in balancer.listeners.iter().filter(|l| api(l.port) || l.to.is_some_and(api)) {
            // A network load balancer without groups hands on the client's address: the nodes' own rules decide.
            let (groups, port): (Vec<&GroupId>, u16) = match balancer.groups.is_empty() {
                true => (own.iter().copied().collect(), listener.to.unwrap_or(listener.port)),
                false => (balancer.groups.iter().collect(), listener.port),
            };
            for group in groups.into_iter().filter_map(|g| kept.groups.get(g)) {
                let sources = sources(kept, &group.rules, port, own);
                found.extend(sources.into_iter().map(|from| Reach {
                    door: Door::ApiServer,
                    port: listener.port,
                    from,
                    by: balancer.name.clone(),
                    public: balancer.public,
                }));
            }
        }
    }
    found
}
