//! Sweep, in the fake world: what is due is handed to the release function, and nothing is changed here.

use futures::FutureExt as _;
use jiff::SignedDuration;
use picket_model::{HoldState, NoticeKind};

use super::*;
use crate::fakes::World;
use crate::keep;
use crate::release::Because;
use crate::respond::tests as respond;

fn held(score: u8) -> World {
    let world = respond::world(2, 1);
    let holds = "holds: {lift_suspected_after: 12h, escalate_confirmed_after: 4h}";
    world.state().policy.current = Some(format!("version: 1\nmode: enforce\n{holds}\n"));
    let mut decision = respond::decision(2);
    decision.score.total = score;
    respond::once(&world, &decision, &respond::settings()).unwrap().unwrap();
    world.state().sent.clear();
    world
}

fn swept(world: &World, hours: i64) -> Swept {
    {
        let mut state = world.state();
        state.now = state.now.saturating_add(SignedDuration::from_hours(hours)).unwrap();
    }
    let ports = Ports { cloud: world, inventory: world, holds: world, queues: world, releases: world };
    let now = world.state().now;
    run(&ports, "picket", &respond::scope(), now).now_or_never().unwrap().unwrap()
}

fn escalated(world: &World) -> Vec<(String, usize)> {
    let of = |m: &Message| match m {
        Message::Notice(n) if matches!(n.kind, NoticeKind::Escalated { held: true, .. }) => {
            Some((n.id.clone(), n.decision.targets.len()))
        }
        _ => None,
    };
    world.state().sent.iter().filter_map(of).collect()
}

#[test]
fn a_suspected_quarantine_is_handed_to_release_after_its_deadline_and_not_before() {
    let world = held(75);
    assert_eq!((swept(&world, 11).due, world.state().started.len()), (0, 0));
    assert_eq!(swept(&world, 2).due, 2);
    assert!(world.state().started.iter().all(|o| o.because == Because::Deadline && !o.force));
    assert!(world.state().holds.values().all(|h| h.state == HoldState::Contained), "sweep itself changes nothing");
}

#[test]
fn what_somebody_keeps_is_not_lifted() {
    let world = held(75);
    let order = keep::Order {
        scope: respond::scope(),
        case: Some(respond::decision(1).case),
        instances: Vec::new(),
        by: "ann".into(),
        reason: "still looking".into(),
    };
    let now = world.state().now;
    for _ in 0..2 {
        let kept = keep::run(&world, &order, now).now_or_never().unwrap().unwrap();
        assert!(matches!(kept, keep::Answered::Kept { instances } if instances.len() == 2));
    }
    assert_eq!(swept(&world, 48).due, 0);
}

#[test]
fn a_confirmed_quarantine_is_never_lifted_by_time_and_told_again_once() {
    let world = held(95);
    swept(&world, 5);
    swept(&world, 40);
    let told = escalated(&world);
    assert_eq!((told.len(), told[0].1), (2, 2));
    assert_eq!(told[0], told[1], "the same notice is told once");
    assert!(world.state().started.is_empty());
}

#[test]
fn a_release_whose_worker_died_is_taken_up_in_the_name_of_who_ordered_it() {
    let world = held(95);
    {
        let mut state = world.state();
        let now = state.now;
        let hold = state.holds.get_mut(&respond::instance_id(0)).unwrap();
        hold.state = HoldState::Releasing;
        hold.lease_until = now;
        let (by, reason) = ("ann".into(), "it is ours".into());
        hold.released = Some(picket_model::case::Release { by, reason, at: now });
    }
    assert_eq!(swept(&world, 1).resumed, 1);
    let started = world.state().started.clone();
    assert_eq!((started[0].by.as_str(), started[0].because), ("ann", Because::LeftHalfDone));
}
