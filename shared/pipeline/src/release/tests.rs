//! Release, in the fake world: exact, once, and only over what containment left.

use futures::FutureExt as _;

use picket_model::NoticeKind;

use super::*;
use crate::fakes::{Fault, World};
use crate::messages::Message;
use crate::respond::tests as respond;

fn order() -> Order {
    Order {
        scope: respond::scope(),
        case: Some(respond::decision(1).case),
        instances: Vec::new(),
        by: "ann".into(),
        reason: "it was ours".into(),
        force: false,
        because: Because::Asked,
        plan_only: false,
    }
}

fn once(world: &World, order: &Order) -> Option<Answer<Released>> {
    let ports = Ports { cloud: world, containment: world, levers: world, holds: world, queues: world, clock: world };
    run(&ports, &respond::settings(), order).now_or_never()
}

fn held() -> World {
    let world = respond::world(2, 3);
    respond::owned(&world);
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
    let untouched = respond::world(2, 3);
    respond::owned(&untouched);
    let before = untouched.state();
    assert_eq!(state.facts, before.facts, "{context}");
    let suspended =
        |s: &crate::fakes::State| s.scaling_groups.values().map(|g| g.suspended.clone()).collect::<Vec<_>>();
    assert_eq!(suspended(&state), suspended(&before), "{context}");
}

#[test]
fn a_shared_owner_goes_on_only_when_the_last_of_its_instances_is_released() {
    let world = held();
    let suspended = || world.state().scaling_groups.values().next().unwrap().suspended.len();
    let one = |n| Order { case: None, instances: vec![respond::instance_id(n)], ..order() };
    once(&world, &one(0)).unwrap().unwrap();
    assert_eq!(suspended(), 3);
    once(&world, &one(1)).unwrap().unwrap();
    assert_eq!(suspended(), 1);
    assert_restored(&world, "");
}

#[test]
fn a_release_says_what_it_puts_back_and_what_stays() {
    let world = held();
    let Released::Done { undone, stays, .. } = once(&world, &Order { plan_only: true, ..order() }).unwrap().unwrap()
    else {
        panic!("refused")
    };
    assert!(undone.contains(&"termination protection of i-00000000 off".to_owned()), "{undone:?}");
    assert_eq!(stays, ["snapshot all volumes of i-00000000", "snapshot all volumes of i-00000001"]);
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
    assert!(matches!(first, Released::Done { restored, planned: false, .. } if restored.len() == 6));
    assert_restored(&world, "");
    let changes = world.state().calls.len();
    assert_eq!(once(&world, &order()).unwrap().unwrap(), Released::Already);
    assert!(!world.state().calls[changes..].contains(&"set_groups"));
}

#[test]
fn what_two_cases_hold_is_released_with_the_second() {
    let world = held();
    let mut second = respond::decision(2);
    second.case = CaseId::derive(&respond::scope(), "ordered by hand");
    second.targets.truncate(1);
    respond::once(&world, &second, &respond::settings()).unwrap().unwrap();
    let Released::Done { restored, still_held, .. } = once(&world, &order()).unwrap().unwrap() else {
        panic!("refused")
    };
    assert_eq!(still_held, [StillHeld { instance: respond::instance_id(0), by: vec![second.case.clone()] }]);
    assert!(restored.iter().all(|r| r.instance == respond::instance_id(1)), "{restored:?}");
    assert_eq!(world.state().holds[&respond::instance_id(0)].state, HoldState::Contained);
    once(&world, &Order { case: Some(second.case), ..order() }).unwrap().unwrap();
    assert_restored(&world, "");
}

#[test]
fn an_instance_that_is_named_is_released_whoever_holds_it() {
    let world = held();
    let mut second = respond::decision(1);
    second.case = CaseId::derive(&respond::scope(), "ordered by hand");
    respond::once(&world, &second, &respond::settings()).unwrap().unwrap();
    let instances = vec![respond::instance_id(0), respond::instance_id(1)];
    once(&world, &Order { case: None, instances, ..order() }).unwrap().unwrap();
    assert_restored(&world, "");
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
    let calls = {
        let world = held();
        let first = world.state().calls.len();
        once(&world, &order()).unwrap().unwrap();
        world.state().calls.len() - first
    };
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

#[test]
fn what_was_changed_beside_the_groups_is_refused_unless_told() {
    let world = held();
    world.state().facts.get_mut(&respond::instance_id(0)).unwrap().metadata_endpoint = true;
    let Released::Refused { differences } = once(&world, &order()).unwrap().unwrap() else { panic!("not refused") };
    assert_eq!(differences, ["metadata service of i-00000000 off: was turned on since"]);
    once(&world, &Order { force: true, ..order() }).unwrap().unwrap();
    assert_restored(&world, "");
}

#[test]
fn a_release_says_what_does_not_come_back() {
    let world = held();
    let Released::Done { lost, .. } = once(&world, &Order { plan_only: true, ..order() }).unwrap().unwrap() else {
        panic!("refused")
    };
    for word in ["connections of i-00000000", "the health of i-00000000 in arn:tg", "credentials of i-00000001"] {
        assert!(lost.iter().any(|l| l.starts_with(word)), "{word}: {lost:?}");
    }
}

#[test]
fn a_deadline_lifts_only_what_is_due_and_only_what_nobody_kept() {
    let world = held();
    let due = Order { because: Because::Deadline, by: "picket".into(), ..order() };
    assert_eq!(once(&world, &due).unwrap().unwrap(), Released::Already, "nothing has a deadline");
    let set = |world: &World, kept: bool| {
        let mut state = world.state();
        let now = state.now;
        for hold in state.holds.values_mut() {
            let deadline = picket_model::Deadline { at: now, then: AtDeadline::Lift };
            hold.deadline = (!kept).then_some(deadline);
        }
    };
    set(&world, true);
    assert_eq!(once(&world, &due).unwrap().unwrap(), Released::Already);
    set(&world, false);
    assert!(matches!(once(&world, &due).unwrap().unwrap(), Released::Done { .. }));
    assert_restored(&world, "");
}

#[test]
fn two_holds_that_froze_different_processes_let_all_of_them_go_on_in_the_end() {
    let world = respond::world(2, 1);
    respond::owned(&world);
    respond::once(&world, &respond::decision(1), &respond::settings()).unwrap().unwrap();
    // The second makes it the attacker's own group: more is suspended.
    world.state().scaling_groups.values_mut().for_each(|g| g.members.retain(|m| *m != respond::instance_id(999)));
    respond::once(&world, &respond::decision(2), &respond::settings()).unwrap().unwrap();
    let one = |n| Order { case: None, instances: vec![respond::instance_id(n)], ..order() };
    let suspended = || world.state().scaling_groups.values().next().unwrap().suspended.len();
    assert!(suspended() > 3);
    once(&world, &one(0)).unwrap().unwrap();
    assert!(suspended() > 3, "the second still needs all of it");
    once(&world, &one(1)).unwrap().unwrap();
    assert_eq!(suspended(), 1, "what its owner had suspended");
}
