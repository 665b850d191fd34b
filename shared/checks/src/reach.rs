//! What a security group's rules reach, and the same without an offending part: networks, port ranges and prefix lists are
//! split around it, so that everything else goes on.
//!
//! Guarantees: what is left reaches exactly what was reached before, without the offending part; rules that it does not
//! touch stay as they are, with description and tags; what comes of a split rule keeps them.
//! Caveats: a rule of all protocols is split into TCP, UDP and ICMP; the others, such as GRE and ESP, go with the part
//! that is cut, since AWS takes no range of protocols. Rules that name a group are left alone.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::exposure::is_world_net;

/// AWS takes this many rules in one direction of a group, IPv4 and IPv6 counted apart, unless a quota was raised.
pub const MOST_RULES: usize = 60;

/// One rule of one source, as AWS describes it; its id is not part of it, for AWS gives a new one each time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `-1` for all, or a number.
    pub protocol: String,
    /// The first port, or the ICMP type.
    pub from: Option<i32>,
    /// The last port, or the ICMP code.
    pub to: Option<i32>,
    /// Where from, or where to.
    pub peer: Peer,
    /// Its owner's words.
    pub description: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// The other side of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// A network.
    Network(IpNet),
    /// A prefix list.
    List(String),
    /// A group, of another account perhaps.
    Group {
        /// Its id.
        id: String,
        /// Its account, where AWS names one.
        account: Option<String>,
    },
}

/// What shall be reached no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offending {
    /// These networks; none: whatever is the world in a rule.
    pub networks: Option<Vec<IpNet>>,
    /// These ports of TCP and UDP; empty: everything.
    pub ports: Vec<RangeInclusive<u16>>,
    /// Of this protocol only.
    pub protocol: Option<String>,
}

/// The networks of prefix lists, by id.
pub type Lists = BTreeMap<String, Vec<IpNet>>;

impl Offending {
    /// Reads it from parameters: networks, ports such as `22` and `30000-32767`, a protocol.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn of(networks: Option<&[String]>, ports: Option<&[String]>, protocol: Option<&str>) -> Result<Self, String> {
        let network = |t: &String| t.parse::<IpNet>().map_err(|_| format!("`{t}` is no network, such as 0.0.0.0/0"));
        let port = |t: &String| -> Result<RangeInclusive<u16>, String> {
            let wrong = || format!("`{t}` is no port, such as 22 or 30000-32767");
            let (first, last) = t.split_once('-').unwrap_or((t, t));
            let (first, last) = (first.trim().parse().map_err(|_| wrong())?, last.trim().parse().map_err(|_| wrong())?);
            if first <= last { Ok(first..=last) } else { Err(wrong()) }
        };
        let protocol = match protocol {
            None | Some("-1" | "all") => None,
            Some(one @ ("tcp" | "udp" | "icmp" | "icmpv6")) => Some(one.to_owned()),
            Some(other) => return Err(format!("`{other}` is no protocol that is cut; use tcp, udp, icmp or icmpv6")),
        };
        let networks = networks.map(|n| n.iter().map(network).collect::<Result<Vec<_>, _>>()).transpose()?;
        let ports = ports.unwrap_or_default().iter().map(port).collect::<Result<Vec<_>, _>>()?;
        if !ports.is_empty() && protocol.as_deref().is_some_and(|p| p.starts_with("icmp")) {
            return Err("ICMP has no ports".to_owned());
        }
        Ok(Self { networks, ports, protocol })
    }

    /// The part of `network` that offends, as networks.
    fn within(&self, network: &IpNet) -> Vec<IpNet> {
        match &self.networks {
            None if is_world_net(network) => vec![*network],
            None => Vec::new(),
            Some(all) => all.iter().filter_map(|n| both(n, network)).collect(),
        }
    }

    /// Whether a rule's protocol and ports are touched, whatever its networks.
    fn touches(&self, rule: &Rule) -> bool {
        let protocol = name(&rule.protocol);
        match &self.protocol {
            Some(wanted) if protocol != "-1" && protocol != wanted => false,
            _ if self.ports.is_empty() || protocol == "-1" => true,
            _ => has_ports(protocol) && self.ports.iter().any(|p| overlap(&ports_of(rule), p)),
        }
    }
}

/// `rules` without the offending part.
#[must_use]
pub fn cut(rules: &[Rule], offending: &Offending, lists: &Lists) -> Vec<Rule> {
    let mut kept = Vec::new();
    for rule in rules {
        let networks = match &rule.peer {
            Peer::Network(network) => vec![*network],
            Peer::List(id) => lists.get(id).cloned().unwrap_or_default(),
            Peer::Group { .. } => Vec::new(),
        };
        let untouched = !offending.touches(rule) || networks.iter().all(|n| offending.within(n).is_empty());
        if untouched {
            kept.push(rule.clone());
        } else {
            kept.extend(networks.iter().flat_map(|n| split(rule, n, offending)));
        }
    }
    let mut seen = std::collections::HashSet::new();
    kept.retain(|r| seen.insert(serde_json::to_string(r).unwrap_or_default()));
    kept
}

/// What is left of a rule for one of its networks: all of it for the addresses that do not offend, and its other ports
/// and protocols for those that do.
fn split(rule: &Rule, network: &IpNet, offending: &Offending) -> Vec<Rule> {
    let bad = offending.within(network);
    let clean = bad.iter().fold(vec![*network], |left, b| left.iter().flat_map(|n| without(n, b)).collect());
    let at = |net: IpNet| Rule { peer: Peer::Network(net), ..rule.clone() };
    let mut left: Vec<Rule> = clean.into_iter().map(at).collect();
    // Networks that offend may lie within each other; each address counts once.
    let mut merged = IpNet::aggregate(&bad);
    merged.sort();
    left.extend(merged.into_iter().flat_map(|net| narrowed(&at(net), offending)));
    left
}

/// A rule whose whole network offends, without the ports and protocols that do.
fn narrowed(rule: &Rule, offending: &Offending) -> Vec<Rule> {
    if offending.ports.is_empty() && offending.protocol.is_none() {
        return Vec::new();
    }
    let protocol = name(&rule.protocol);
    if protocol != "-1" {
        return if offending.ports.is_empty() {
            Vec::new()
        } else {
            other_ports(rule, protocol, ports_of(rule), offending)
        };
    }
    let v6 = matches!(&rule.peer, Peer::Network(IpNet::V6(_)));
    let icmp = if v6 { "icmpv6" } else { "icmp" };
    let mut left = Vec::new();
    for part in ["tcp", "udp", icmp] {
        let hit = offending.protocol.as_deref().is_none_or(|p| p == part);
        let whole = Rule { protocol: part.to_owned(), from: None, to: None, ..rule.clone() };
        if has_ports(part) {
            let all = Rule { from: Some(0), to: Some(65535), ..whole };
            match (hit, offending.ports.is_empty()) {
                (false, _) => left.push(all),
                (true, true) => {}
                (true, false) => left.extend(other_ports(&all, part, 0..=u16::MAX, offending)),
            }
        } else if !(hit && offending.ports.is_empty()) {
            left.push(Rule { from: Some(-1), to: Some(-1), ..whole });
        }
    }
    left
}

/// The ports of a rule that do not offend.
fn other_ports(rule: &Rule, protocol: &str, ports: RangeInclusive<u16>, offending: &Offending) -> Vec<Rule> {
    let mut left = vec![ports];
    for bad in &offending.ports {
        left = left.into_iter().flat_map(|l| ports_without(l, bad)).collect();
    }
    let of = |p: RangeInclusive<u16>| Rule {
        protocol: protocol.to_owned(),
        from: Some(i32::from(*p.start())),
        to: Some(i32::from(*p.end())),
        ..rule.clone()
    };
    left.into_iter().map(of).collect()
}

fn ports_without(range: RangeInclusive<u16>, bad: &RangeInclusive<u16>) -> Vec<RangeInclusive<u16>> {
    if !overlap(&range, bad) {
        return vec![range];
    }
    let (start, end) = (*range.start(), *range.end());
    let before = bad.start().checked_sub(1).filter(|b| *b >= start).map(|b| start..=b);
    let after = bad.end().checked_add(1).filter(|a| *a <= end).map(|a| a..=end);
    before.into_iter().chain(after).collect()
}

fn overlap(a: &RangeInclusive<u16>, b: &RangeInclusive<u16>) -> bool {
    a.start() <= b.end() && b.start() <= a.end()
}

fn ports_of(rule: &Rule) -> RangeInclusive<u16> {
    let port = |p: Option<i32>, otherwise: u16| p.and_then(|p| u16::try_from(p).ok()).unwrap_or(otherwise);
    port(rule.from, 0)..=port(rule.to, u16::MAX)
}

fn has_ports(protocol: &str) -> bool {
    matches!(protocol, "tcp" | "udp")
}

/// AWS takes numbers for names.
fn name(protocol: &str) -> &str {
    match protocol {
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        "58" => "icmpv6",
        other => other,
    }
}

/// What two networks share: the smaller one, or nothing.
fn both(a: &IpNet, b: &IpNet) -> Option<IpNet> {
    match (a.contains(b), b.contains(a)) {
        (true, _) => Some(*b),
        (_, true) => Some(*a),
        _ => None,
    }
}

/// A network without another, as few networks as there can be.
fn without(network: &IpNet, bad: &IpNet) -> Vec<IpNet> {
    if bad.contains(network) {
        return Vec::new();
    }
    if !network.contains(bad) {
        return vec![*network];
    }
    let halves: Vec<IpNet> = match network {
        IpNet::V4(net) => halves_v4(net).into_iter().map(IpNet::V4).collect(),
        IpNet::V6(net) => halves_v6(net).into_iter().map(IpNet::V6).collect(),
    };
    halves.iter().flat_map(|half| without(half, bad)).collect()
}

fn halves_v4(net: &Ipv4Net) -> Vec<Ipv4Net> {
    net.subnets(net.prefix_len() + 1).map(Iterator::collect).unwrap_or_default()
}

fn halves_v6(net: &Ipv6Net) -> Vec<Ipv6Net> {
    net.subnets(net.prefix_len() + 1).map(Iterator::collect).unwrap_or_default()
}

#[cfg(test)]
#[path = "reach_tests.rs"]
mod tests;
