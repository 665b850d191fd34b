//! The rails in the fake world: what is left out is told, and costs the rest nothing.

use picket_model::{NoticeKind, TriggerKind};

use super::*;
use crate::fakes::World;
use crate::messages::Message;
use crate::respond::Responded;
use crate::respond::tests::{decision, group, instance_id, once, owned, settings, world};

fn under(policy: &str, instances: u32, interfaces: u32) -> World {
    let world = world(instances, interfaces);
    world.state().policy.current = Some(format!("version: 1\nmode: enforce\n{policy}\n"));
    world
}

fn kinds(world: &World) -> Vec<NoticeKind> {
    let of = |m: &Message| match m {
        Message::Notice(n) => Some(n.kind.clone()),
        _ => None,
    };
    world.state().sent.iter().filter_map(of).collect()
}

fn contained(world: &World) -> usize {
    let state = world.state();
    state.interfaces.iter().filter(|i| state.quarantine.values().any(|q| i.groups == [q.clone()])).count()
}

#[test]
fn an_interface_in_a_never_listed_group_is_spared_alone_and_told_as_leaking() {
    let world = under("never: [{id: sg-00000001, why: the bank}]", 2, 2);
    once(&world, &decision(2), &settings()).unwrap().unwrap();
    assert_eq!(contained(&world), 2);
    let state = world.state();
    assert!(state.interfaces.iter().filter(|i| i.groups.contains(&group(1))).count() == 2);
    let leaks = state.sent.iter().any(|m| {
        matches!(m, Message::Notice(n) if matches!(&n.kind,
        NoticeKind::Quarantined { interfaces, .. } if interfaces.iter().any(|i| i.verification.word() == "LEAKING")))
    });
    assert!(leaks, "{:?}", state.sent);
}

#[test]
fn an_instance_that_the_policy_names_costs_the_rest_of_its_launch_nothing() {
    let world = under("never: [{id: i-00000001, why: the bank}]", 3, 1);
    once(&world, &decision(3), &settings()).unwrap().unwrap();
    assert_eq!(contained(&world), 2);
    assert!(!world.state().holds.contains_key(&instance_id(1)));
    assert!(kinds(&world).iter().any(|k| matches!(k, NoticeKind::Refused { why } if why.contains("the bank"))));
}

/// The refusals that people were told: which instances, and why.
fn refusals(world: &World) -> Vec<(usize, String)> {
    let of = |m: &Message| match m {
        Message::Notice(n) => match &n.kind {
            NoticeKind::Refused { why } => Some((n.decision.targets.len(), why.clone())),
            _ => None,
        },
        _ => None,
    };
    world.state().sent.iter().filter_map(of).collect()
}

#[test]
fn a_refusal_names_what_is_refused_and_not_what_is_contained_beside_it() {
    let world = under("never: [{id: i-00000001, why: the bank}]", 3, 1);
    once(&world, &decision(3), &settings()).unwrap().unwrap();
    assert!(matches!(refusals(&world).as_slice(), [(1, why)] if why.contains("i-00000001")), "{:?}", refusals(&world));
}

#[test]
fn what_a_pause_had_stopped_and_the_never_list_stops_now_is_told_anew() {
    let world = under("", 1, 1);
    world.state().policy.paused = Some("migration tonight".to_owned());
    once(&world, &decision(1), &settings()).unwrap().unwrap();
    world.state().policy.paused = None;
    world.state().policy.current =
        Some("version: 1\nmode: enforce\nnever: [{id: sg-00000005, why: the bank}]\n".to_owned());
    once(&world, &decision(1), &settings()).unwrap().unwrap();
    let ids: std::collections::BTreeSet<_> = crate::respond::tests::notices(&world).into_iter().map(|n| n.id).collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
}

#[test]
fn an_interface_of_the_never_list_does_not_keep_a_held_instance_from_being_secured() {
    let world = under("", 1, 1);
    crate::respond::tests::until_done(&world, &decision(1));
    {
        let mut state = world.state();
        let mut late = state.interfaces[0].clone();
        late.id = picket_model::InterfaceId::parse("eni-000000aa").unwrap();
        late.groups = vec![group(1)];
        state.interfaces.push(late);
        state.policy.current =
            Some("version: 1\nmode: enforce\nnever: [{id: sg-00000001, why: the bank}]\n".to_owned());
        state.holds.get_mut(&instance_id(0)).unwrap().secured = false;
        state.now = state.now.saturating_add(jiff::SignedDuration::from_mins(5)).unwrap();
    }
    once(&world, &decision(1), &settings()).unwrap().unwrap();
    assert!(world.state().holds[&instance_id(0)].secured);
    assert!(matches!(refusals(&world).as_slice(), [(1, _)]), "{:?}", refusals(&world));
}

#[test]
fn a_dry_run_shows_what_aws_says_and_changes_nothing() {
    let world = under("", 1, 1);
    world.state().policy.current = Some("version: 1\nmode: dry_run\n".to_owned());
    let outcome = once(&world, &decision(1), &settings()).unwrap().unwrap();
    assert!(matches!(outcome, Responded::Refused(Refusal::Rehearsing { .. })), "{outcome:?}");
    let NoticeKind::WouldQuarantine { steps } = &kinds(&world)[0] else { panic!("{:?}", kinds(&world)) };
    assert!(steps[0].contains("[AWS would let us]") && steps[1].contains("[not asked"), "{steps:?}");
    let state = world.state();
    assert!(
        !state.calls.iter().any(|c| ["set_groups", "create_group", "empty_group"].contains(c)),
        "{:?}",
        state.calls
    );
}

#[test]
fn an_override_lets_one_place_act_while_the_rest_looks_on() {
    let world = under("", 1, 1);
    let bold = "version: 1\nmode: observe\noverrides: [{when: {vpc: vpc-12345678}, mode: contain_only, why: lab}]\n";
    world.state().policy.current = Some(bold.to_owned());
    once(&world, &decision(1), &settings()).unwrap().unwrap();
    assert_eq!(contained(&world), 1);
    assert!(world.state().changes.is_empty(), "{:?}", world.state().changes);
}

#[test]
fn a_tag_narrows_a_quarantine_and_never_spares_it() {
    let world = under("trusted_tag: care\noverrides: [{when: {tag: db}, mode: contain_only, why: w}]", 1, 1);
    world.state().instances[0].tags.insert("care".into(), "db".into());
    once(&world, &decision(1), &settings()).unwrap().unwrap();
    assert_eq!((contained(&world), world.state().changes.len()), (1, 0));
}

#[test]
fn a_suspicion_leaves_a_group_its_last_members_and_a_person_may_take_them() {
    let world = under("keep_healthy: {nodes_per_group: 2}", 3, 1);
    owned(&world);
    let mut suspected = decision(3);
    suspected.score.total = 75;
    once(&world, &suspected, &settings()).unwrap().unwrap();
    let members = world.state().scaling_groups.values().next().unwrap().members.len();
    assert_eq!(contained(&world), members - 2);
    assert!(kinds(&world).iter().any(|k| matches!(k, NoticeKind::Refused { why } if why.contains("members working"))));
    let ordered = Decision { ordered: true, trigger: TriggerKind::Manual, ..suspected };
    once(&world, &ordered, &settings()).unwrap().unwrap();
    assert_eq!(contained(&world), 3);
}

#[test]
fn a_share_of_the_fleet_stops_a_plan_before_its_first_action_and_escalates() {
    let world = under("blast_radius: {percent_per_hour: 10}", 3, 1);
    world.state().running = Some(20);
    let outcome = once(&world, &decision(3), &settings()).unwrap().unwrap();
    assert!(matches!(outcome, Responded::Refused(Refusal::BlastRadius { limit: 2, .. })), "{outcome:?}");
    assert!(!world.state().calls.contains(&"set_groups"));
    assert!(kinds(&world).iter().any(|k| matches!(k, NoticeKind::Escalated { held: false, .. })));
}
