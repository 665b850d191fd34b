//! Release, in the fake world: exact, once, and only over what containment left.

use futures::FutureExt as _;

use super::*;
use crate::fakes::{Fault, World};
use crate::respond::tests as respond;

fn order() -> Order {
    Order {
        scope: respond::scope(),
        case: Some(respond::decision(1).case),
        instances: Vec::new(),
        by: "ann".into(),
        reason: "it was ours".into(),
        force: false,
        plan_only: false,
    }
}

fn once(world: &World, order: &Order) -> Option<Answer<Released>> {
    let ports = Ports { cloud: world, containment: world, holds: world, queues: world, clock: world };
    run(&ports, &respond::settings(), order).now_or_never()
}

fn held() -> World {
    let world = respond::world(2, 3);
    respond::once(&world, &respond::decision(2), &respond::settings()).unwrap().unwrap();
    world
}

fn assert_restored(world: &World, context: &str) {
    let state = world.state();
    assert_eq!(state.violations, Vec::<String>::new(), "{context}");
    for (n, interface) in state.interfaces.iter().enumerate() {
        let groups = [respond::group(9), respond::group(n as u32 % 3), respond::group(5)];
        assert_eq!(interface.groups, groups, "{context}");
    }
    assert!(state.holds.values().all(|h| h.state == HoldState::Released), "{context}");
}

/// How many different notices of a release were sent; the same one twice is told once.
fn told(world: &World) -> usize {
    let state = world.state();
    let id = |m: &Message| match m {
        Message::Notice(n) if matches!(n.kind, NoticeKind::Released { .. }) => Some(n.id.clone()),
        _ => None,
    };
    state.sent.iter().filter_map(id).collect::<std::collections::BTreeSet<_>>().len()
}

#[test]
fn every_interface_has_its_groups_again_in_their_order_and_twice_is_once() {
    let world = held();
    let first = once(&world, &order()).unwrap().unwrap();
    assert!(matches!(first, Released::Done { restored, planned: false } if restored.len() == 6));
    assert_restored(&world, "");
    let changes = world.state().calls.len();
    assert_eq!(once(&world, &order()).unwrap().unwrap(), Released::Already);
    assert!(!world.state().calls[changes..].contains(&"set_groups"));
}

#[test]
fn a_plan_changes_nothing() {
    let world = held();
    let before = world.state().interfaces.clone();
    let planned = once(&world, &Order { plan_only: true, ..order() }).unwrap().unwrap();
    assert!(matches!(planned, Released::Done { planned: true, .. }));
    assert_eq!(world.state().interfaces, before);
}

#[test]
fn what_was_changed_since_is_refused_unless_told() {
    let world = held();
    world.state().interfaces[1].groups = vec![respond::group(3)];
    let Released::Refused { differences } = once(&world, &order()).unwrap().unwrap() else { panic!("not refused") };
    assert_eq!(differences.len(), 1);
    assert!(differences[0].contains("was changed since"), "{differences:?}");
    once(&world, &Order { force: true, ..order() }).unwrap().unwrap();
    assert_restored(&world, "");
}

#[test]
fn a_group_that_is_gone_is_named() {
    let world = held();
    world.state().groups.remove(&respond::group(5));
    let Released::Refused { differences } = once(&world, &order()).unwrap().unwrap() else { panic!("not refused") };
    assert!(differences[0].contains("sg-00000005, which does not exist any more"), "{differences:?}");
}

#[test]
fn nothing_held_is_said_and_not_done() {
    let world = respond::world(1, 1);
    assert_eq!(once(&world, &order()).unwrap().unwrap(), Released::NotHeld);
}

#[test]
fn a_fault_of_each_kind_at_every_call_converges_to_restored() {
    let calls = 16;
    for fault in [Fault::Fails, Fault::LosesReply, Fault::DiesBefore, Fault::DiesAfter] {
        for at in 0..calls {
            let world = held();
            let first = world.state().calls.len();
            world.state().faults.insert(first + at, fault);
            for _ in 0..6 {
                let _ = once(&world, &order());
                let mut state = world.state();
                state.now = state.now.saturating_add(SignedDuration::from_secs(120)).unwrap();
            }
            assert_restored(&world, &format!("{fault:?} at call {at}"));
            // Two where one instance came back in a first attempt and the other in a second.
            assert!((1..=2).contains(&told(&world)), "{fault:?} at call {at}: {} notices", told(&world));
        }
    }
}
