//! Discover, in the fake world: what is late, denied or seen before costs nothing else.

use futures::FutureExt as _;
use picket_model::{Fact, Hint, Signal};

use super::*;
use crate::fakes::{Fault, World};
use crate::respond::tests as respond;

fn trigger(kind: TriggerKind, event: &str, instances: &[u32]) -> Trigger {
    Trigger {
        kind,
        scope: respond::scope(),
        at: "2026-11-02T03:04:05Z".parse().unwrap(),
        event: event.into(),
        subject: Subject::Instances(instances.iter().map(|n| respond::instance_id(*n)).collect()),
        principal: None,
        signal: None,
        hint: Hint::default(),
    }
}

fn discovered(world: &World, trigger: &Trigger) -> Answer<Discovered> {
    let now = world.state().now;
    let ports = Ports { cloud: world, inventory: world, queues: world, policies: Some(world) };
    run(&ports, trigger, now).now_or_never().unwrap()
}

fn seen(found: &Discovered) -> usize {
    found.observations.len()
}

#[test]
fn what_is_not_visible_yet_is_asked_for_again_and_costs_the_rest_nothing() {
    let world = respond::world(3, 1);
    world.state().invisible.insert(respond::instance_id(1));
    let found = discovered(&world, &trigger(TriggerKind::RunInstances, "e", &[0, 1, 2])).unwrap();
    assert_eq!((seen(&found), found.missing), (2, vec![respond::instance_id(1)]));
    let sent = world.state().sent.clone();
    assert!(matches!(&sent[..], [Message::Observed(_), Message::Judge(_)]), "{sent:?}");
}

#[test]
fn what_is_new_is_judged_by_the_rules_once_and_whoever_dies_before_it_is_noted_asks_again() {
    let judged = |world: &World| world.state().sent.iter().filter(|m| matches!(m, Message::Judge(_))).count();
    let world = respond::world(3, 1);
    let launch = trigger(TriggerKind::RunInstances, "e", &[0, 1, 2]);
    discovered(&world, &launch).unwrap();
    discovered(&world, &launch).unwrap();
    assert_eq!(judged(&world), 1, "three machines of a place are one question, asked once");
    let world = respond::world(1, 1);
    let launch = trigger(TriggerKind::RunInstances, "e", &[0]);
    discovered(&world, &launch).unwrap();
    let noting = world.state().calls.iter().position(|c| *c == "asked_for").unwrap();
    let world = respond::world(1, 1);
    world.state().faults.insert(noting, Fault::Fails);
    assert!(discovered(&world, &launch).is_err());
    discovered(&world, &launch).unwrap();
    assert_eq!(judged(&world), 2, "nothing says that it was asked for, so it is asked for again");
}

#[test]
fn what_never_shows_up_is_given_up_after_a_while() {
    let world = respond::world(1, 1);
    let mut late = trigger(TriggerKind::RunInstances, "e", &[0, 7]);
    late.at = late.at.checked_sub(SignedDuration::from_mins(11)).unwrap();
    let found = discovered(&world, &late).unwrap();
    assert_eq!((found.missing.len(), found.never_seen), (0, vec![respond::instance_id(7)]));
}

#[test]
fn the_events_of_a_launch_s_instances_lead_to_one_look_at_all_of_it() {
    let world = respond::world(5, 1);
    let looks: Vec<usize> = (0..5)
        .map(|n| seen(&discovered(&world, &trigger(TriggerKind::InstanceState, &format!("e{n}"), &[n])).unwrap()))
        .collect();
    assert_eq!(looks, [5, 0, 0, 0, 0]);
    let again = discovered(&world, &trigger(TriggerKind::InstanceState, "e0", &[0])).unwrap();
    assert_eq!(seen(&again), 5, "the same event, tried again, may look again");
    let by_name = discovered(&world, &trigger(TriggerKind::RunInstances, "r", &[0, 1])).unwrap();
    assert_eq!(seen(&by_name), 2, "a trigger that names them goes on in any case");
}

#[test]
fn a_finding_is_looked_at_however_often_the_launch_was() {
    let world = respond::world(1, 1);
    discovered(&world, &trigger(TriggerKind::InstanceState, "e", &[0])).unwrap();
    let mut finding = trigger(TriggerKind::GuardDuty, "g", &[0]);
    finding.signal =
        Some(Signal::Finding { finding: "Impact:Runtime/CryptoMinerExecuted".into(), severity_tenths: 80 });
    assert_eq!(seen(&discovered(&world, &finding).unwrap()), 1);
}

#[test]
fn a_miner_in_the_user_data_is_known_with_its_source_and_the_text_goes_no_further() {
    let world = respond::world(1, 1);
    // "#!/bin/sh\n./xmrig -o stratum+tcp://pool.example:3333 --secret hunter2\n"
    let text = "IyEvYmluL3NoCi4veG1yaWcgLW8gc3RyYXR1bSt0Y3A6Ly9wb29sLmV4YW1wbGU6MzMzMyAtLXNlY3JldCBodW50ZXIyCg==";
    world.state().user_data.insert(respond::instance_id(0), text.to_owned());
    let found = discovered(&world, &trigger(TriggerKind::RunInstances, "e", &[0])).unwrap();
    let Fact::Known { value, source } = &found.observations[0].user_data else { panic!("unknown") };
    assert!(value.miners.iter().any(|m| m.found.as_str() == "xmrig"), "{value:?}");
    assert!(source.contains("i-00000000"));
    assert!(!serde_json::to_string(&found.observations).unwrap().contains("hunter2"));
}

#[test]
fn a_passing_fault_fails_the_look_rather_than_losing_a_fact() {
    let world = respond::world(1, 1);
    world.state().faults.insert(0, Fault::Fails);
    assert!(discovered(&world, &trigger(TriggerKind::RunInstances, "e", &[0])).is_err());
    assert!(world.state().sent.is_empty());
}

fn sign(event: &str, words: &[&str], instances: &[u32]) -> Trigger {
    let mut trigger = trigger(TriggerKind::TagResources, event, &[]);
    let words = words.iter().map(|w| (*w).into()).collect();
    trigger.subject = Subject::Sign { words, instances: instances.iter().map(|n| respond::instance_id(*n)).collect() };
    trigger
}

fn surveys(world: &World) -> usize {
    world.state().sent.iter().filter(|m| matches!(m, Message::Survey(_))).count()
}

#[test]
fn a_burst_of_signs_leads_to_one_look_at_the_whole_place() {
    let world = respond::world(1, 1);
    for n in 0..5 {
        discovered(&world, &sign(&format!("e{n}"), &["masters.k.example.com"], &[])).unwrap();
    }
    assert_eq!(surveys(&world), 1);
    let later = world.state().now.checked_add(SignedDuration::from_secs(60)).unwrap();
    world.state().now = later;
    discovered(&world, &sign("late", &["kubernetes.io/cluster/k"], &[])).unwrap();
    assert_eq!(surveys(&world), 2);
}

#[test]
fn words_that_do_not_speak_of_kubernetes_lead_nowhere() {
    let world = respond::world(1, 1);
    discovered(&world, &sign("e", &["web", "an application", "Owner"], &[])).unwrap();
    assert!(world.state().sent.is_empty());
}

#[test]
fn an_instance_that_gets_the_tag_of_a_cluster_is_looked_at_too() {
    let world = respond::world(2, 1);
    let found = discovered(&world, &sign("e", &["kubernetes.io/cluster/k"], &[1])).unwrap();
    assert_eq!((seen(&found), surveys(&world)), (1, 1));
}

#[test]
fn a_caller_that_is_a_part_of_kubernetes_leads_to_one_look_at_its_machine() {
    let world = respond::world(1, 1);
    let looks: Vec<usize> = (0..3)
        .map(|n| seen(&discovered(&world, &trigger(TriggerKind::KubernetesCall, &format!("c{n}"), &[0])).unwrap()))
        .collect();
    assert_eq!(looks, [1, 0, 0]);
}

#[test]
fn a_canary_leaves_its_mark_and_nothing_else() {
    let world = respond::world(1, 1);
    let mut canary = trigger(TriggerKind::Canary, "e", &[]);
    canary.subject = Subject::Canary("123".into());
    assert_eq!(seen(&discovered(&world, &canary).unwrap()), 0);
    let state = world.state();
    assert!(state.sent.is_empty() && state.looks.contains_key(&"canary-123".into()));
}
