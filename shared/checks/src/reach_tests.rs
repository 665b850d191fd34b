//! Cutting rules: by hand for what people ask for, and at random against a plain reading of what rules reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::*;

fn rule(protocol: &str, ports: Option<(i32, i32)>, peer: Peer) -> Rule {
    Rule {
        protocol: protocol.to_owned(),
        from: ports.map(|p| p.0),
        to: ports.map(|p| p.1),
        peer,
        description: Some("team blue".to_owned()),
        tags: BTreeMap::from([("owner".to_owned(), "blue".to_owned())]),
    }
}

fn net(text: &str) -> Peer {
    Peer::Network(text.parse().unwrap())
}

fn offending(networks: &[&str], ports: &[&str], protocol: Option<&str>) -> Offending {
    let own = |t: &[&str]| t.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    let networks = (!networks.is_empty()).then(|| own(networks));
    Offending::of(networks.as_deref(), Some(&own(ports)), protocol).unwrap()
}

fn words(rules: &[Rule]) -> Vec<String> {
    let peer = |p: &Peer| match p {
        Peer::Network(n) => n.to_string(),
        Peer::List(id) => id.clone(),
        Peer::Group { id, .. } => id.clone(),
    };
    let ports = |r: &Rule| format!("{}-{}", r.from.unwrap_or(-1), r.to.unwrap_or(-1));
    rules.iter().map(|r| format!("{} {} {}", r.protocol, ports(r), peer(&r.peer))).collect()
}

#[test]
fn the_world_goes_and_an_office_stays() {
    let rules = [rule("tcp", Some((22, 22)), net("0.0.0.0/0")), rule("tcp", Some((22, 22)), net("203.0.113.7/32"))];
    let left = cut(&rules, &offending(&[], &["22"], None), &Lists::new());
    assert_eq!(left, rules[1..]);
}

#[test]
fn halves_of_the_world_and_ipv6_are_the_world_too() {
    let rules: Vec<_> =
        ["0.0.0.0/1", "128.0.0.0/1", "::/0", "fd00::/8"].map(|n| rule("tcp", Some((6443, 6443)), net(n))).into();
    assert_eq!(words(&cut(&rules, &offending(&[], &["6443"], None), &Lists::new())), ["tcp 6443-6443 fd00::/8"]);
}

#[test]
fn a_port_range_is_split_around_the_kubernetes_ports_and_keeps_its_words_and_tags() {
    let rules = [rule("tcp", Some((2000, 11000)), net("0.0.0.0/0"))];
    let left = cut(&rules, &offending(&[], &["2379-2380", "10250", "10255"], None), &Lists::new());
    let expected = ["tcp 2000-2378", "tcp 2381-10249", "tcp 10251-10254", "tcp 10256-11000"];
    assert_eq!(words(&left), expected.map(|e| format!("{e} 0.0.0.0/0")));
    assert!(left.iter().all(|r| r.description == rules[0].description && r.tags == rules[0].tags));
}

#[test]
fn a_network_is_split_around_the_one_that_offends() {
    let rules = [rule("tcp", Some((443, 443)), net("10.0.0.0/8"))];
    let left = cut(&rules, &offending(&["10.64.0.0/10"], &[], None), &Lists::new());
    assert_eq!(words(&left), ["tcp 443-443 10.0.0.0/10", "tcp 443-443 10.128.0.0/9"]);
}

#[test]
fn all_traffic_is_split_into_what_has_ports_and_what_has_none() {
    let rules = [rule("-1", None, net("0.0.0.0/0")), rule("-1", None, net("::/0"))];
    let left = cut(&rules, &offending(&[], &["22"], Some("tcp")), &Lists::new());
    let of = |net: &str, icmp: &str| {
        [
            format!("tcp 0-21 {net}"),
            format!("tcp 23-65535 {net}"),
            format!("udp 0-65535 {net}"),
            format!("{icmp} -1--1 {net}"),
        ]
    };
    assert_eq!(words(&left), [of("0.0.0.0/0", "icmp"), of("::/0", "icmpv6")].concat());
    assert!(cut(&rules, &offending(&[], &[], None), &Lists::new()).is_empty());
}

#[test]
fn a_prefix_list_is_taken_apart_where_a_part_of_it_offends() {
    let rules = [
        rule("tcp", Some((22, 22)), Peer::List("pl-1".to_owned())),
        rule("tcp", Some((22, 22)), Peer::List("pl-2".to_owned())),
    ];
    let parse = |t: &str| t.parse::<IpNet>().unwrap();
    let lists = Lists::from([
        ("pl-1".to_owned(), vec![parse("0.0.0.0/0"), parse("192.0.2.0/24")]),
        ("pl-2".to_owned(), vec![parse("192.0.2.0/24")]),
    ]);
    let left = cut(&rules, &offending(&[], &["22"], None), &lists);
    assert_eq!(words(&left), ["tcp 22-22 192.0.2.0/24", "tcp 22-22 pl-2"]);
}

#[test]
fn groups_and_other_ports_are_left_alone() {
    let group = Peer::Group { id: "sg-1".to_owned(), account: None };
    let rules = [
        rule("-1", None, group),
        rule("tcp", Some((443, 443)), net("0.0.0.0/0")),
        rule("icmp", Some((8, -1)), net("0.0.0.0/0")),
    ];
    assert_eq!(cut(&rules, &offending(&[], &["22"], None), &Lists::new()), rules);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let own = |t: &str| vec![t.to_owned()];
    assert!(Offending::of(Some(&own("world")), None, None).is_err());
    for port in ["ssh", "5-3", "70000"] {
        assert!(Offending::of(None, Some(&own(port)), None).is_err(), "{port}");
    }
    assert!(Offending::of(None, Some(&own("22")), Some("icmp")).is_err());
    assert!(Offending::of(None, None, Some("gre")).is_err());
}

// --- at random, against a plain reading

/// A small generator, so that a failing seed can be played again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn network(&mut self) -> IpNet {
        if self.roll(3) == 0 {
            let address = Ipv6Addr::new(0x2001, 0xdb8, self.roll(4) as u16, 0, 0, 0, 0, self.roll(8) as u16);
            IpNet::new(IpAddr::V6(address), [0, 16, 33, 40, 48, 64, 125, 128][self.roll(8) as usize]).unwrap().trunc()
        } else {
            let address = Ipv4Addr::new(10, self.roll(4) as u8 * 64, self.roll(4) as u8, self.roll(256) as u8);
            IpNet::new(IpAddr::V4(address), [0, 1, 8, 10, 16, 24, 30, 32][self.roll(8) as usize]).unwrap().trunc()
        }
    }

    fn ports(&mut self) -> (u16, u16) {
        let edges = [0, 1, 21, 22, 23, 443, 2375, 2380, 6443, 10250, 10255, 30000, 32767, 65534, 65535];
        let (a, b) = (edges[self.roll(15) as usize], edges[self.roll(15) as usize]);
        (a.min(b), a.max(b))
    }

    fn rule(&mut self) -> Rule {
        let peer = match self.roll(5) {
            0 => Peer::List(format!("pl-{}", self.roll(2))),
            _ => Peer::Network(self.network()),
        };
        let (from, to) = self.ports();
        let ports = Some((i32::from(from), i32::from(to)));
        match self.roll(5) {
            0 => rule("-1", None, peer),
            1 => rule("icmp", Some((-1, -1)), peer),
            2 => rule("udp", ports, peer),
            3 => rule("6", ports, peer),
            _ => rule("tcp", ports, peer),
        }
    }

    fn offending(&mut self) -> Offending {
        let networks = (self.roll(4) != 0).then(|| (0..=self.roll(2)).map(|_| self.network()).collect());
        let protocol = [None, None, Some("tcp"), Some("udp")][self.roll(4) as usize].map(str::to_owned);
        let ports = (0..self.roll(3)).map(|_| self.ports()).map(|(a, b)| a..=b).collect();
        Offending { networks, ports, protocol }
    }
}

/// A packet: protocol, port, other side. ICMP comes with port 0.
type Packet = (&'static str, u16, IpAddr);

fn reaches(rules: &[Rule], lists: &Lists, packet: &Packet) -> bool {
    rules.iter().any(|r| matches(r, lists, packet))
}

fn matches(rule: &Rule, lists: &Lists, (protocol, port, address): &Packet) -> bool {
    let networks = match &rule.peer {
        Peer::Network(n) => vec![*n],
        Peer::List(id) => lists[id].clone(),
        Peer::Group { .. } => Vec::new(),
    };
    let on = match name(&rule.protocol) {
        "-1" => true,
        p if p != *protocol => false,
        p => !has_ports(p) || ports_of(rule).contains(port),
    };
    on && networks.iter().any(|n| n.contains(address))
}

/// Whether a packet belongs to the offending part of the rules that let it in.
fn offends(offending: &Offending, rules: &[Rule], lists: &Lists, packet: &Packet) -> bool {
    let (protocol, port, address) = packet;
    let of_protocol = offending.protocol.as_deref().is_none_or(|p| p == *protocol);
    let of_ports =
        offending.ports.is_empty() || (has_ports(protocol) && offending.ports.iter().any(|p| p.contains(port)));
    let of_network = match &offending.networks {
        Some(all) => all.iter().any(|n| n.contains(address)),
        // The world is a matter of the rule: whoever is let in by a narrower one as well stays.
        None => !rules.iter().any(|r| {
            let narrow = |n: &IpNet| !is_world_net(n) && n.contains(address);
            let by_narrow = match &r.peer {
                Peer::Network(n) => narrow(n),
                Peer::List(id) => lists[id].iter().any(narrow),
                Peer::Group { .. } => false,
            };
            by_narrow && matches(r, lists, packet)
        }),
    };
    of_protocol && of_ports && of_network
}

#[test]
fn what_is_reached_afterwards_is_what_was_reached_before_without_what_offends() {
    let mut checked = 0;
    for seed in 1..=3000_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let lists = Lists::from([
            ("pl-0".to_owned(), (0..2).map(|_| dice.network()).collect()),
            ("pl-1".to_owned(), (0..2).map(|_| dice.network()).collect()),
        ]);
        let rules: Vec<Rule> = (0..=dice.roll(4)).map(|_| dice.rule()).collect();
        let offending = dice.offending();
        let left = cut(&rules, &offending, &lists);
        for packet in packets(&mut dice, &rules, &offending, &lists) {
            let expected = reaches(&rules, &lists, &packet) && !offends(&offending, &rules, &lists, &packet);
            assert_eq!(
                reaches(&left, &lists, &packet),
                expected,
                "seed {seed}: {packet:?}\n{rules:?}\n{offending:?}\n{left:?}"
            );
            checked += 1;
        }
        assert_eq!(cut(&left, &offending, &lists), left, "seed {seed}: cutting twice is cutting once");
    }
    assert!(checked > 100_000, "{checked}");
}

/// Packets at the edges of every network and port range there is, and some anywhere.
fn packets(dice: &mut Dice, rules: &[Rule], offending: &Offending, lists: &Lists) -> Vec<Packet> {
    let mut networks: Vec<IpNet> = offending.networks.clone().unwrap_or_default();
    networks.extend(lists.values().flatten());
    networks.extend(rules.iter().filter_map(|r| if let Peer::Network(n) = &r.peer { Some(*n) } else { None }));
    let mut ports: Vec<u16> = vec![0, 22, 65535];
    let edges =
        |p: &RangeInclusive<u16>| [p.start().saturating_sub(1), *p.start(), *p.end(), p.end().saturating_add(1)];
    ports.extend(offending.ports.iter().flat_map(edges));
    ports.extend(rules.iter().flat_map(|r| edges(&ports_of(r))));
    let pick = |n: u64, of: usize| usize::try_from(n).unwrap() % of;
    (0..48)
        .map(|_| {
            let network = networks[pick(dice.roll(97), networks.len())];
            let address = match dice.roll(4) {
                0 => network.network(),
                1 => network.broadcast(),
                2 => next(network.broadcast()),
                _ => dice.network().addr(),
            };
            let protocol = ["tcp", "udp", "icmp"][pick(dice.roll(3), 3)];
            // ICMP within IPv6 is another protocol.
            let protocol = if protocol == "icmp" && address.is_ipv6() { "icmpv6" } else { protocol };
            (protocol, ports[pick(dice.roll(89), ports.len())], address)
        })
        .collect()
}

fn next(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(a) => IpAddr::V4(Ipv4Addr::from(u32::from(a).wrapping_add(1))),
        IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from(u128::from(a).wrapping_add(1))),
    }
}
