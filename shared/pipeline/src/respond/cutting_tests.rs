//! Connections, owners and the open window, in the fake world.

use std::net::Ipv4Addr;

use picket_model::{
    Acl, AclEntry, Capacity, Change, Elastic, Fleet, FlowFacts, HoldState, NodeGroup, NoticeKind, Owner, PublicAddress,
    Tracking, Verification, Way,
};

use super::super::tests::{alerts, decision, instance_id, notices, once, settings, until_done, world};
use crate::fakes::{Fault, World};

const EVERY_FAULT: [Fault; 4] = [Fault::Fails, Fault::LosesReply, Fault::DiesBefore, Fault::DiesAfter];

fn address(elastic: bool) -> PublicAddress {
    let elastic = elastic.then(|| Elastic { allocation: "eipalloc-1".into(), association: "eipassoc-1".into() });
    PublicAddress { public: Ipv4Addr::new(203, 0, 113, 9), private: Ipv4Addr::new(10, 0, 0, 7), elastic }
}

fn gateway() -> Way {
    let entry = |number, egress, allows| AclEntry {
        number,
        egress,
        allows,
        cidr: "0.0.0.0/0".into(),
        protocol: "-1".to_owned(),
    };
    let entries = [(100, true), (32_767, false)].into_iter().flat_map(|(n, a)| [entry(n, false, a), entry(n, true, a)]);
    Way::Nat { gateway: "nat-1".into(), acl: Some(Acl { id: "acl-1".into(), ours: true, entries: entries.collect() }) }
}

/// A world of one instance with one interface, whose connections leave it like this.
fn leaving(way: Way, public: Vec<PublicAddress>, tracking: Tracking, policy: &str) -> World {
    let world = world(1, 1);
    {
        let mut state = world.state();
        let text = format!("version: 1\nmode: enforce\ncontainment: contain_only\n{policy}");
        state.policy.current = Some(text.clone());
        state.policy.good = Some(text);
        let interface = state.interfaces[0].id.clone();
        let facts = FlowFacts {
            interface: interface.clone(),
            instance: instance_id(0),
            addresses: vec![Ipv4Addr::new(10, 0, 0, 7)],
            prefixes: false,
            ipv6: false,
            public,
            ways: vec![way],
            tracking,
            idle: None,
            unknown: Vec::new(),
        };
        state.flows.insert(interface, facts);
    }
    world
}

fn words(world: &World) -> Vec<Verification> {
    let told = alerts(world);
    let Some(NoticeKind::Quarantined { interfaces, .. }) = told.last().map(|n| n.kind.clone()) else { panic!() };
    interfaces.into_iter().map(|i| i.verification).collect()
}

fn made(world: &World) -> Vec<String> {
    world.state().changes.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_not_tracked_is_cut_by_the_swap_alone() {
    let world = leaving(Way::Internet, vec![address(false)], Tracking::Untracked, "");
    until_done(&world, &decision(1));
    assert_eq!(words(&world), [Verification::Cut]);
    assert_eq!(made(&world), Vec::<String>::new());
}

#[test]
fn a_public_address_goes_after_containment_and_what_is_left_is_said() {
    let world = leaving(Way::Internet, vec![address(true)], Tracking::Tracked, "");
    until_done(&world, &decision(1));
    let state = world.state();
    let first = |name: &str| state.calls.iter().position(|c| *c == name).unwrap();
    assert!(first("set_groups") < first("make"), "containment waits for no rung");
    drop(state);
    assert!(matches!(&words(&world)[..], [Verification::Pending(w)] if w.starts_with("its ways out are cut")));
}

#[test]
fn what_the_policy_or_aws_refuses_is_pending_with_the_reason() {
    let forbidden = leaving(Way::Internet, vec![address(true)], Tracking::Tracked, "flows: {drop_address: never}\n");
    until_done(&forbidden, &decision(1));
    assert!(matches!(&words(&forbidden)[..], [Verification::Pending(w)] if w.contains("flows.drop_address")));
    let refused = leaving(Way::Internet, vec![address(true)], Tracking::Tracked, "");
    refused.state().refused.insert("take");
    until_done(&refused, &decision(1));
    assert!(matches!(&words(&refused)[..], [Verification::Pending(w)] if w.contains("UnauthorizedOperation")));
    let unknown = notices(&refused)[0].decision.score.unknown.clone();
    assert!(unknown.iter().any(|u| u.starts_with("not done: take")), "{unknown:?}");
}

#[test]
fn facts_that_cannot_be_read_cost_the_word_and_not_the_containment() {
    let world = leaving(gateway(), Vec::new(), Tracking::Tracked, "");
    let number = {
        let clean = leaving(gateway(), Vec::new(), Tracking::Tracked, "");
        until_done(&clean, &decision(1));
        clean.state().calls.iter().position(|c| *c == "flow_facts").unwrap()
    };
    world.state().faults.insert(number, Fault::Fails);
    until_done(&world, &decision(1));
    assert!(matches!(&words(&world)[..], [Verification::Pending(w)] if w.contains("could not be read")));
    assert!(world.state().holds.values().all(|h| h.state == HoldState::Contained));
}

/// Every fault at every call of containment, with a gateway and with an address: it ends contained, and cut once.
#[test]
fn every_fault_at_every_call_ends_with_the_way_closed() {
    for (way, public) in [(gateway(), Vec::new()), (Way::Internet, vec![address(true)])] {
        let clean = leaving(way.clone(), public.clone(), Tracking::Tracked, "");
        until_done(&clean, &decision(1));
        let calls = clean.state().calls.len();
        for number in 0..calls {
            for fault in EVERY_FAULT {
                let world = leaving(way.clone(), public.clone(), Tracking::Tracked, "");
                world.state().faults.insert(number, fault);
                until_done(&world, &decision(1));
                let context = format!("{fault:?} at {number}");
                let state = world.state();
                assert_eq!(state.violations, Vec::<String>::new(), "{context}");
                let facts = state.flows.values().next().unwrap();
                let open = crate::flows::open_paths(facts);
                let closed = open == [crate::flows::Path::Inside];
                // Facts that could not be read leave the rung out, and the word says so.
                let unread = clean.state().calls[number] == "flow_facts";
                assert!(closed || unread, "{context}: {open:?}");
                let denials = facts.ways.iter().map(|w| match w {
                    Way::Nat { acl: Some(acl), .. } => {
                        acl.entries.iter().filter(|e| e.denies(facts.addresses[0])).count()
                    }
                    _ => 0,
                });
                assert!(denials.sum::<usize>() <= 2, "{context}: denied twice");
            }
        }
    }
}

const WINDOW: &str = "flows: {open_window: true, drop_address: never}\n";

#[test]
fn an_interface_goes_through_the_window_only_where_the_policy_allows_it_and_none_is_left_open() {
    let world = leaving(Way::Internet, vec![address(true)], Tracking::Tracked, WINDOW);
    until_done(&world, &decision(1));
    assert_eq!(words(&world), [Verification::Cut]);
    let state = world.state();
    assert_eq!(state.calls.iter().filter(|c| **c == "set_groups").count(), 2);
    assert!(state.open.is_empty(), "the open group is removed");
    drop(state);
    let shut = leaving(Way::Internet, vec![address(true)], Tracking::Tracked, "flows: {drop_address: never}\n");
    until_done(&shut, &decision(1));
    assert!(!shut.state().calls.contains(&"open_group"));
}

/// A late read may show what is contained as it was before.
#[test]
fn what_is_held_already_is_not_opened_once_more() {
    let world = leaving(Way::Internet, vec![address(false)], Tracking::Tracked, WINDOW);
    until_done(&world, &decision(1));
    let opened = |world: &World| world.state().calls.iter().filter(|c| **c == "open_group").count();
    assert_eq!(opened(&world), 1);
    {
        let mut state = world.state();
        let before = state.holds[&instance_id(0)].captures[0].groups.clone();
        state.interfaces[0].groups = before;
        state.now = state.now.saturating_add(jiff::SignedDuration::from_mins(5)).unwrap();
    }
    once(&world, &decision(1), &settings()).unwrap().unwrap();
    assert_eq!(opened(&world), 1);
    assert_eq!(world.state().holds[&instance_id(0)].state, HoldState::Contained);
}

#[test]
fn a_window_that_a_fault_interrupts_is_shut_by_the_next_attempt_at_every_call() {
    let clean = leaving(Way::Internet, vec![address(true)], Tracking::Tracked, WINDOW);
    until_done(&clean, &decision(1));
    let calls = clean.state().calls.len();
    for number in 0..calls {
        for fault in EVERY_FAULT {
            let world = leaving(Way::Internet, vec![address(true)], Tracking::Tracked, WINDOW);
            world.state().faults.insert(number, fault);
            until_done(&world, &decision(1));
            let state = world.state();
            let context = format!("{fault:?} at {number}");
            assert_eq!(state.violations, Vec::<String>::new(), "{context}");
            let left: Vec<_> =
                state.interfaces.iter().filter(|i| i.groups.iter().any(|g| state.open.contains(g))).collect();
            assert!(left.is_empty(), "{context}: {left:?}");
            let captured = state.holds.values().flat_map(|h| &h.captures).flat_map(|c| &c.groups);
            assert!(captured.into_iter().all(|g| !state.open.contains(g)), "{context}: the window was captured");
        }
    }
}

#[test]
fn what_a_worker_left_open_is_closed_by_the_sweep() {
    let world = leaving(Way::Internet, vec![address(true)], Tracking::Tracked, "");
    until_done(&world, &decision(1));
    {
        let mut state = world.state();
        let open = state.groups.keys().next().cloned().unwrap();
        state.open.insert(open.clone());
        state.interfaces[0].groups = vec![open];
        state.sent.clear();
        state.now = state.now.saturating_add(jiff::SignedDuration::from_secs(600)).unwrap();
    }
    let ports =
        crate::sweep::Ports { cloud: &world, inventory: &world, holds: &world, queues: &world, releases: &world };
    let now = world.state().now;
    futures::executor::block_on(crate::sweep::run(&ports, "picket", &super::super::tests::scope(), now)).unwrap();
    let sent = world.state().sent.clone();
    let decisions = sent.iter().filter_map(|m| match m {
        crate::messages::Message::Decision(d) => Some(d.as_ref().clone()),
        _ => None,
    });
    let decisions: Vec<_> = decisions.collect();
    assert_eq!(decisions.len(), 1);
    until_done(&world, &decisions[0]);
    let state = world.state();
    assert!(state.interfaces[0].groups.iter().all(|g| !state.open.contains(g)));
}

// --- owners

fn owners() -> Vec<Owner> {
    let members = vec![instance_id(0), instance_id(999)];
    let capacity = Capacity { total: 4, on_demand: None, spot: None, terminates: true };
    vec![
        Owner::NodeGroup(NodeGroup {
            cluster: "prod".into(),
            name: "ng".into(),
            min: 1,
            max: 5,
            desired: 2,
            repairs: true,
            members: members.clone(),
        }),
        Owner::Fleet(Fleet { id: "fleet-1".into(), capacity, members }),
        Owner::CapacityProvider { name: "cp".into(), members: vec![instance_id(0)] },
        Owner::ComputeEnvironment { name: "jobs".into(), members: vec![instance_id(0)] },
        Owner::Node { cluster: "prod".into(), by: "Karpenter".to_owned() },
    ]
}

fn owned() -> World {
    let world = leaving(Way::Internet, Vec::new(), Tracking::Untracked, "");
    {
        let mut state = world.state();
        state.owners.insert(instance_id(0), owners());
        state.instances[0].tags.insert("karpenter.sh/nodepool".into(), "general".into());
    }
    world
}

#[test]
fn every_owner_is_frozen_before_the_first_interface_and_what_is_shared_keeps_its_size() {
    let world = owned();
    once(&world, &decision(1), &settings()).unwrap().unwrap();
    let state = world.state();
    let first = |name: &str| state.calls.iter().position(|c| *c == name).unwrap();
    assert!(first("make") < first("set_groups"));
    drop(state);
    assert_eq!(
        made(&world),
        [
            "node group ng of prod from 2 to 5 nodes, not replacing sick ones",
            "capacity 4 for fleet-1, what is too much is kept",
            "scaling of ECS capacity provider cp off",
            "Batch compute environment jobs off",
            "keep controllers of prod from node i-00000000",
        ]
    );
}

#[test]
fn an_owner_that_refuses_is_told_with_what_was_not_done_and_containment_goes_on() {
    let world = owned();
    world.state().refused.insert("keep controllers");
    until_done(&world, &decision(1));
    assert!(world.state().holds.values().all(|h| h.state == HoldState::Contained));
    let unknown = notices(&world)[0].decision.score.unknown.clone();
    assert!(unknown.iter().any(|u| u.starts_with("not done: keep controllers of prod")), "{unknown:?}");
}

#[test]
fn every_fault_at_every_call_freezes_each_owner_as_it_was_found_first() {
    let clean = owned();
    until_done(&clean, &decision(1));
    let calls = clean.state().calls.len();
    for number in 0..calls {
        for fault in EVERY_FAULT {
            let world = owned();
            world.state().faults.insert(number, fault);
            until_done(&world, &decision(1));
            let state = world.state();
            assert_eq!(state.violations, Vec::<String>::new(), "{fault:?} at {number}");
            for measure in state.holds.values().flat_map(|h| &h.measures) {
                if let Some(Change::SetNodeGroup { min, max, repairs, .. }) = &measure.undo {
                    assert_eq!((*min, *max, *repairs), (1, 5, true), "{fault:?} at {number}");
                }
            }
        }
    }
}
