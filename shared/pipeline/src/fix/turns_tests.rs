//! Turns, in a world of things: two nodes of one cluster are changed one after another, whatever fails, and none is left
//! behind. The world itself notes a change that is made out of turn.

use futures::FutureExt as _;
use picket_model::fix::{Fix, FixState};
use serde_json::json;

use super::super::tests::{
    FAULTS, FIXING, aim, drive, fix, id, ordered, ports, scope, settings, sound, undo_of, world,
};
use super::super::{Order, Outcome, Work, work};
use crate::fakes::Fault;
use crate::fakes::fixing::FixWorld;
use crate::ports::Kind;

const MODE: &str = "node_set_file_mode";

/// Three nodes with a file that is too open: two of one cluster, and one of another.
fn nodes() -> FixWorld {
    let world = world(FIXING);
    for (node, cluster) in [("i-1", "prod"), ("i-2", "prod"), ("i-3", "other")] {
        let key = (MODE.to_owned(), node.to_owned());
        let mut state = world.state();
        state.things.insert(key.clone(), json!({"mode": "644", "owner": "root:root"}));
        state.facts.insert(key, json!({"healthy": true, "turn": format!("nodes/{cluster}")}));
    }
    world
}

fn tighten(node: &str) -> Order {
    ordered(vec![aim(MODE, node, json!({"path": "/etc/kubernetes/admin.conf", "mode": "600"}))])
}

fn mode(world: &FixWorld, node: &str) -> String {
    world.state().things[&(MODE.to_owned(), node.to_owned())]["mode"].as_str().unwrap().to_owned()
}

fn state(world: &FixWorld, order: &Order) -> Option<FixState> {
    world.state().fixes.get(&id(order)).map(|f: &Fix| f.state)
}

/// A world in which the first node's fix is under way and does not end yet.
async fn under_way() -> FixWorld {
    let world = nodes();
    world.state().slow.insert("i-1".to_owned(), 3);
    assert_eq!(fix(&world, &tighten("i-1")).await.unwrap().name(), "later");
    assert_eq!(state(&world, &tighten("i-1")), Some(FixState::Applying));
    world
}

#[tokio::test]
async fn a_second_node_of_the_cluster_waits_and_one_of_another_does_not() {
    let world = under_way().await;
    match fix(&world, &tighten("i-2")).await.unwrap() {
        Outcome::Later { why, .. } => assert!(why.contains("one after another"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!((mode(&world, "i-2").as_str(), state(&world, &tighten("i-2"))), ("644", None));
    assert_eq!(fix(&world, &tighten("i-3")).await.unwrap().name(), "fixed");
    drive(&world, &Work::Order(tighten("i-1"))).await;
    assert_eq!(fix(&world, &tighten("i-2")).await.unwrap().name(), "fixed");
    assert!(world.state().turns.is_empty());
    sound(&world);
}

#[tokio::test]
async fn an_undo_waits_for_its_turn_too() {
    let world = nodes();
    assert_eq!(fix(&world, &tighten("i-2")).await.unwrap().name(), "fixed");
    world.state().slow.insert("i-1".to_owned(), 3);
    assert_eq!(fix(&world, &tighten("i-1")).await.unwrap().name(), "later");
    let undo = Work::Undo(undo_of(&tighten("i-2")));
    assert_eq!(work(&ports(&world), &settings(), &undo).await.unwrap().name(), "later");
    assert_eq!(mode(&world, "i-2"), "600");
    drive(&world, &Work::Order(tighten("i-1"))).await;
    assert_eq!(drive(&world, &undo).await.name(), "undone");
    assert!(world.state().turns.is_empty());
    sound(&world);
}

#[tokio::test]
async fn a_fix_that_fails_gives_its_turn_back() {
    let world = nodes();
    world.state().refused.insert("i-1".to_owned(), Kind::Other);
    assert_eq!(fix(&world, &tighten("i-1")).await.unwrap().name(), "failed");
    assert_eq!(fix(&world, &tighten("i-2")).await.unwrap().name(), "fixed");
    assert!(world.state().turns.is_empty());
    sound(&world);
}

#[tokio::test]
async fn every_fault_at_every_call_leaves_no_turn_behind_and_keeps_the_order() {
    for call in 0..40 {
        for fault in FAULTS {
            survives(call, fault).await;
        }
    }
}

/// Both nodes are ordered while a worker of the first dies or fails at one call; then both are put back.
async fn survives(call: usize, fault: Fault) {
    let world = nodes();
    world.state().faults.insert(call, fault);
    let (first, second) = (Work::Order(tighten("i-1")), Work::Order(tighten("i-2")));
    // One look of a worker at each, in whichever state the fault left it.
    for work_ in [&first, &second] {
        let _ = work(&ports(&world), &settings(), work_).now_or_never();
    }
    for work_ in [&first, &second] {
        drive(&world, work_).await;
    }
    drive(&world, &Work::LookAfter { scope: scope() }).await;
    assert_eq!((mode(&world, "i-1").as_str(), mode(&world, "i-2").as_str()), ("600", "600"), "{call} {fault:?}");
    for order in [tighten("i-2"), tighten("i-1")] {
        drive(&world, &Work::Undo(undo_of(&order))).await;
    }
    assert_eq!((mode(&world, "i-1").as_str(), mode(&world, "i-2").as_str()), ("644", "644"), "{call} {fault:?}");
    assert!(world.state().turns.is_empty(), "{call} {fault:?}");
    sound(&world);
}
