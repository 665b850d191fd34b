//! The ladder, row by row of its table.

use std::net::Ipv4Addr;

use picket_model::{Elastic, InstanceId, InterfaceId, PublicAddress};

use super::*;

fn address(elastic: bool) -> PublicAddress {
    let elastic = elastic.then(|| Elastic { allocation: "eipalloc-1".into(), association: "eipassoc-1".into() });
    PublicAddress { public: Ipv4Addr::new(203, 0, 113, 9), private: Ipv4Addr::new(10, 0, 0, 5), elastic }
}

fn entry(number: u16, egress: bool, allows: bool, cidr: &str) -> AclEntry {
    AclEntry { number, egress, allows, cidr: cidr.into(), protocol: "-1".to_owned() }
}

fn acl(first: u16) -> Acl {
    let both = |n, allows| [entry(n, false, allows, "0.0.0.0/0"), entry(n, true, allows, "0.0.0.0/0")];
    let entries = [both(first, true), both(LAST_ENTRY, false)].concat();
    Acl { id: "acl-1".into(), ours: true, entries }
}

fn facts(ways: Vec<Way>, public: Vec<PublicAddress>, tracking: Tracking) -> FlowFacts {
    FlowFacts {
        interface: InterfaceId::parse("eni-00000001").unwrap(),
        instance: InstanceId::parse("i-00000001").unwrap(),
        addresses: vec![Ipv4Addr::new(10, 0, 0, 5)],
        prefixes: false,
        ipv6: false,
        public,
        ways,
        tracking,
        idle: None,
        unknown: Vec::new(),
    }
}

fn nat(acl: Option<Acl>) -> Way {
    Way::Nat { gateway: "nat-1".into(), acl }
}

fn names(facts: &FlowFacts, allowed: &Flows) -> Vec<String> {
    let name = |r: Rung| match r {
        Rung::Make(measure) => measure.action.clone(),
        Rung::OpenWindow => "open_window".to_owned(),
        Rung::Stop => "stop".to_owned(),
    };
    choose(facts, allowed).0.into_iter().map(name).collect()
}

fn all() -> Flows {
    Flows { open_window: true, stop: true, ..Flows::default() }
}

#[test]
fn what_is_not_tracked_ends_with_the_swap() {
    let facts = facts(vec![Way::Internet], vec![address(false)], Tracking::Untracked);
    assert_eq!(open_paths(&facts), []);
    assert_eq!(names(&facts, &all()), Vec::<String>::new());
    assert_eq!(word(&facts, false, &[], Timestamp::UNIX_EPOCH), Verification::Cut);
}

#[test]
fn a_tracked_connection_through_a_public_address_ends_with_the_address() {
    let mut facts = facts(vec![Way::Internet], vec![address(true)], Tracking::Tracked);
    assert_eq!(names(&facts, &Flows::default()), ["drop_address"]);
    facts.public.clear();
    let Verification::Pending(why) = word(&facts, false, &[], Timestamp::UNIX_EPOCH) else { panic!() };
    assert!(why.contains("its ways out are cut") && why.contains("1970-01-06 00:00 UTC"), "{why}");
}

#[test]
fn the_policy_decides_which_addresses_may_go() {
    let tries = [
        (DropAddress::Any, false, true),
        (DropAddress::Elastic, true, true),
        (DropAddress::Elastic, false, false),
        (DropAddress::Never, true, false),
    ];
    for (drop_address, elastic, goes) in tries {
        let facts = facts(vec![Way::Internet], vec![address(elastic)], Tracking::Tracked);
        let allowed = Flows { drop_address, ..Flows::default() };
        let (rungs, left) = choose(&facts, &allowed);
        assert_eq!(!rungs.is_empty(), goes, "{drop_address:?} {elastic}");
        assert_eq!(left.iter().any(|l| l.contains("flows.drop_address")), !goes, "{left:?}");
    }
}

#[test]
fn a_connection_through_a_nat_gateway_is_tracked_whatever_the_rules_are_and_ends_at_the_gateway() {
    for tracking in [Tracking::Untracked, Tracking::Tracked] {
        let facts = facts(vec![nat(Some(acl(100)))], Vec::new(), tracking);
        assert!(open_paths(&facts).contains(&Path::Nat));
        assert_eq!(names(&facts, &Flows::default()), ["deny_at_gateway"]);
    }
}

#[test]
fn a_denial_that_is_there_in_both_directions_ahead_of_what_allows_closes_the_way() {
    let mut closed = acl(100);
    closed.entries.push(entry(99, false, false, "10.0.0.5/32"));
    let half = facts(vec![nat(Some(closed.clone()))], Vec::new(), Tracking::Untracked);
    assert_eq!(open_paths(&half), [Path::Nat]);
    closed.entries.push(entry(99, true, false, "10.0.0.5/32"));
    let whole = facts(vec![nat(Some(closed.clone()))], Vec::new(), Tracking::Untracked);
    assert_eq!(open_paths(&whole), []);
    closed.entries.push(entry(50, true, true, "0.0.0.0/0"));
    let behind = facts(vec![nat(Some(closed))], Vec::new(), Tracking::Untracked);
    assert_eq!(open_paths(&behind), [Path::Nat]);
}

#[test]
fn no_acl_that_cannot_take_the_entries_is_changed_and_the_reason_is_told() {
    let mut full = acl(100);
    full.entries.extend((200..219).map(|n| entry(n, true, true, "10.0.0.0/8")));
    let foreign = Acl { ours: false, ..acl(100) };
    for (acl, word) in [
        (Some(acl(1)), "no free number"),
        (Some(full), "20 of 20 outbound"),
        (Some(foreign), "another account"),
        (None, "same subnet"),
    ] {
        let facts = facts(vec![nat(acl)], Vec::new(), Tracking::Untracked);
        let (rungs, left) = choose(&facts, &Flows::default());
        assert_eq!(rungs, []);
        assert!(left[0].contains(word), "{left:?}");
        assert_eq!(names(&facts, &all()), ["stop"]);
    }
}

#[test]
fn a_node_with_whole_prefixes_is_not_denied_address_by_address() {
    let node = FlowFacts { prefixes: true, ..facts(vec![nat(Some(acl(100)))], Vec::new(), Tracking::Tracked) };
    assert!(choose(&node, &Flows::default()).1[0].contains("too many addresses"));
}

#[test]
fn free_numbers_count_down_from_the_first_that_allows_and_skip_those_in_use() {
    let mut entries = acl(4).entries;
    entries.push(entry(3, true, false, "192.0.2.0/24"));
    assert_eq!(free_numbers(&entries, true).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(free_numbers(&entries, false).collect::<Vec<_>>(), [3, 2, 1]);
}

#[test]
fn the_open_window_ends_what_is_tracked_by_rules_and_not_what_is_always_tracked() {
    let public = facts(vec![Way::Internet], vec![address(true)], Tracking::Tracked);
    assert_eq!(names(&public, &all()), ["drop_address", "open_window"]);
    let after = FlowFacts { public: Vec::new(), ..public };
    assert_eq!(word(&after, true, &[], Timestamp::UNIX_EPOCH), Verification::Cut);
    let other = facts(vec![Way::Other { target: "tgw-1".into() }], Vec::new(), Tracking::Untracked);
    assert_eq!(names(&other, &all()), ["stop"]);
    assert!(matches!(word(&other, true, &[], Timestamp::UNIX_EPOCH), Verification::Pending(w) if w.contains("tgw-1")));
}

#[test]
fn a_connection_inside_the_vpc_alone_is_no_reason_to_stop() {
    let inside = facts(Vec::new(), Vec::new(), Tracking::Tracked);
    let allowed = Flows { stop: true, ..Flows::default() };
    assert_eq!(names(&inside, &allowed), Vec::<String>::new());
}

#[test]
fn what_could_not_be_read_is_never_called_cut() {
    let unknown = FlowFacts {
        unknown: vec!["routes: denied".to_owned()],
        ..facts(vec![Way::Internet], Vec::new(), Tracking::Untracked)
    };
    assert!(
        matches!(word(&unknown, true, &[], Timestamp::UNIX_EPOCH), Verification::Pending(w) if w.contains("denied"))
    );
}

fn rule(egress: bool, protocol: &str, ports: Option<(u16, u16)>, other: &str) -> GroupRule {
    GroupRule { egress, protocol: protocol.to_owned(), ports, other: other.to_owned() }
}

#[test]
fn only_rules_that_are_open_both_ways_are_not_tracked() {
    let all = |egress| rule(egress, "-1", None, "0.0.0.0/0");
    let tcp = |egress, ports| rule(egress, "tcp", ports, "0.0.0.0/0");
    for (rules, expected) in [
        (vec![all(false), all(true)], Tracking::Untracked),
        (vec![tcp(false, Some((0, 65_535))), tcp(true, Some((0, 65_535)))], Tracking::Untracked),
        (vec![tcp(false, Some((22, 22))), all(true)], Tracking::Tracked),
        (vec![all(true)], Tracking::Tracked),
        (vec![all(false), all(true), rule(true, "-1", None, "::/0")], Tracking::Tracked),
        (vec![all(false), all(true), rule(false, "tcp", Some((22, 22)), "sg-1")], Tracking::Tracked),
    ] {
        assert_eq!(tracking(&rules), expected, "{rules:?}");
    }
}
