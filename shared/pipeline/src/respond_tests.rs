//! Respond, in the fake world: what it does, what it refuses, and that every fault at every call converges.

use std::collections::BTreeMap;

use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use picket_model::{
    AccountId, CaseId, Facts, GroupId, HoldState, Instance, InstanceId, InstanceState, Interface, InterfaceId,
    InterfaceKind, Mode, Principal, PrincipalKind, Region, Scope, Score, Target, TriggerKind, Verdict, Verification,
};

use super::*;
use crate::fakes::{Fault, World};

pub(crate) fn scope() -> Scope {
    Scope { account: AccountId::parse("123456789012").unwrap(), region: Region::parse("us-east-1").unwrap() }
}

pub(crate) fn instance_id(n: u32) -> InstanceId {
    InstanceId::parse(format!("i-{n:08x}")).unwrap()
}

pub(crate) fn group(n: u32) -> GroupId {
    GroupId::parse(format!("sg-{n:08x}")).unwrap()
}

pub(crate) fn vpc() -> VpcId {
    VpcId::parse("vpc-12345678").unwrap()
}

fn start() -> Timestamp {
    "2026-11-02T03:04:05Z".parse().unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings { stack: "picket".to_owned(), mode: Mode::Enforce }
}

/// A world that enforces, with `instances` of `interfaces` each, in two groups in a telling order.
pub(crate) fn world(instances: u32, interfaces: u32) -> World {
    let world = World::default();
    {
        let mut state = world.state();
        state.now = start();
        state.policy.current = Some("version: 1\nmode: enforce\n".to_owned());
        state.policy.good = state.policy.current.clone();
        for n in 0..instances {
            state.instances.push(instance(n));
            state.facts.insert(instance_id(n), facts(n));
            for e in 0..interfaces {
                let id = InterfaceId::parse(format!("eni-{:08x}", n * 16 + e)).unwrap();
                state.interfaces.push(Interface {
                    id,
                    instance: Some(instance_id(n)),
                    vpc: vpc(),
                    groups: vec![group(9), group(e), group(5)],
                    kind: InterfaceKind::Own,
                    public_ip: None,
                });
            }
        }
        for g in 0..16 {
            let state_of = crate::ports::GroupState { id: group(g), vpc: vpc(), rules: 3 };
            state.groups.insert(group(g), state_of);
        }
    }
    world
}

fn facts(n: u32) -> Facts {
    Facts {
        instance: instance_id(n),
        termination_protection: false,
        shutdown_behaviour: "terminate".to_owned(),
        deleted_with_it: vec!["/dev/xvda".to_owned()],
        metadata_endpoint: true,
        role: Some(("node".into(), "AROA1".into())),
        target_groups: vec![("arn:tg".into(), 80)],
        spot: false,
        profile: None,
        spot_request: None,
        stop_protection: false,
        volumes: Vec::new(),
        unknown: Vec::new(),
    }
}

fn instance(n: u32) -> Instance {
    Instance {
        id: instance_id(n),
        scope: scope(),
        reservation: "r-1".into(),
        instance_type: "g5.48xlarge".into(),
        image: "ami-1".into(),
        state: InstanceState::Running,
        launched_at: start(),
        vpc: Some(vpc()),
        interfaces: Vec::new(),
        name: "x".into(),
        tags: BTreeMap::new(),
        metadata_v1: Some(true),
        profile: None,
    }
}

pub(crate) fn decision(instances: u32) -> Decision {
    Decision {
        case: CaseId::derive(&scope(), "r-1"),
        verdict: Verdict::Quarantine,
        scope: scope(),
        targets: (0..instances).map(|n| target(instance_id(n))).collect(),
        score: Score { total: 100, ..Score::default() },
        principal: Some(Principal {
            kind: PrincipalKind::User,
            arn: "arn".into(),
            name: "dev".into(),
            access_key: None,
            invoked_by: None,
            source_ip: None,
            user_agent: None,
        }),
        trigger: TriggerKind::RunInstances,
        triggered_at: start(),
        policy: "v".to_owned(),
        ordered: false,
    }
}

fn target(id: InstanceId) -> Target {
    Target {
        asset: id.to_string(),
        instance: Some(id),
        vpc: Some(vpc()),
        instance_type: None,
        name: Untrusted::default(),
        node_of: None,
    }
}

/// Runs once. `None` if the worker died on the way.
pub(crate) fn once(world: &World, decision: &Decision, settings: &Settings) -> Option<Answer<Responded>> {
    let ports = Ports {
        cloud: world,
        containment: world,
        rehearsal: world,
        levers: world,
        policies: world,
        holds: world,
        queues: world,
        clock: world,
    };
    run(&ports, settings, decision).now_or_never()
}

/// Lets the time pass that a message stays hidden; every lease is over then.
pub(crate) fn later(world: &World) {
    let mut state = world.state();
    state.now = state.now.saturating_add(SignedDuration::from_secs(180)).unwrap();
}

/// Runs as the queue would: again, later, until it is done.
pub(crate) fn until_done(world: &World, decision: &Decision) -> usize {
    for attempt in 1..10 {
        match once(world, decision, &settings()) {
            Some(Ok(Responded::Later(_)) | Err(_)) | None => {}
            Some(Ok(_)) => return attempt,
        }
        later(world);
    }
    panic!("did not converge: {:?}", world.state().calls);
}

fn quarantine_group(world: &World) -> GroupId {
    world.state().quarantine.get(&vpc()).cloned().unwrap()
}

pub(crate) fn assert_contained(world: &World, context: &str) {
    let quarantine = quarantine_group(world);
    let state = world.state();
    assert_eq!(state.violations, Vec::<String>::new(), "{context}");
    for interface in &state.interfaces {
        assert_eq!(interface.groups, std::slice::from_ref(&quarantine), "{context}");
    }
    assert_eq!(state.groups[&quarantine].rules, 0, "{context}");
    for hold in state.holds.values() {
        assert_eq!(hold.state, HoldState::Contained, "{context}");
        assert!(hold.secured, "{context}: {:?}", hold.measures);
        for (e, capture) in hold.captures.iter().enumerate() {
            assert_eq!(capture.groups, [group(9), group(e as u32), group(5)], "{context}");
        }
    }
}

pub(crate) fn notices(world: &World) -> Vec<Notice> {
    let state = world.state();
    let notice = |m: &Message| match m {
        Message::Notice(n) => Some(n.as_ref().clone()),
        _ => None,
    };
    state.sent.iter().filter_map(notice).collect()
}

/// What was told first; what completes an alert is left out.
pub(crate) fn alerts(world: &World) -> Vec<Notice> {
    let is_first = |n: &Notice| !matches!(n.kind, NoticeKind::Secured { .. });
    notices(world).into_iter().filter(is_first).collect()
}

#[test]
fn every_interface_ends_in_an_empty_quarantine_group_with_its_capture_kept() {
    let world = world(3, 4);
    assert_eq!(once(&world, &decision(3), &settings()).unwrap().unwrap(), Responded::Contained(12));
    assert_contained(&world, "");
    assert_eq!(alerts(&world).len(), 1);
}

#[test]
fn with_the_group_ready_three_calls_in_sequence_lead_to_the_last_cut() {
    let world = world(50, 2);
    until_done(&world, &decision(1));
    world.state().calls.clear();
    assert_eq!(once(&world, &decision(50), &settings()).unwrap().unwrap(), Responded::Contained(98));
    let calls = world.state().calls.clone();
    let rounds: Vec<_> = calls.iter().take_while(|c| **c != "set_groups").copied().collect();
    // One round of reads at once, one write that holds everything already held back, one for the rest.
    assert_eq!(
        rounds,
        ["policy", "instances", "interfaces", "quarantine_group", "marked_groups", "begin", "begin"][..rounds.len()]
    );
}

#[test]
fn the_same_decision_ten_times_changes_and_tells_once() {
    let world = world(2, 2);
    for _ in 0..10 {
        once(&world, &decision(2), &settings()).unwrap().unwrap();
    }
    let changes = world.state().calls.iter().filter(|c| **c == "set_groups").count();
    assert_eq!((changes, alerts(&world).len()), (4, 1));
    assert_contained(&world, "");
}

/// Puts every instance into an Auto Scaling group, which has one member more.
pub(crate) fn owned(world: &World) {
    let mut state = world.state();
    let mut members: Vec<_> = state.instances.iter().map(|i| i.id.clone()).collect();
    members.push(instance_id(999));
    for instance in &mut state.instances {
        instance.tags.insert("aws:autoscaling:groupName".into(), "web".into());
    }
    let group = picket_model::ScalingGroup { name: "web".into(), members, suspended: vec!["AZRebalance".into()] };
    state.scaling_groups.insert("web".into(), group);
}

#[test]
fn observe_mode_changes_nothing_and_says_what_it_would_do() {
    let world = world(2, 1);
    for (ceiling, policy) in
        [(Mode::Observe, "mode: enforce"), (Mode::Enforce, "mode: observe"), (Mode::Enforce, "mode: oops")]
    {
        world.state().policy.current = Some(policy.to_owned());
        world.state().policy.good = None;
        let settings = Settings { mode: ceiling, ..settings() };
        let outcome = once(&world, &decision(2), &settings).unwrap().unwrap();
        assert!(matches!(outcome, Responded::Refused(Refusal::Observing { .. })), "{outcome:?}");
    }
    let state = world.state();
    let mutating = ["set_groups", "create_group", "empty_group"];
    assert!(!state.calls.iter().any(|c| mutating.contains(c)), "{:?}", state.calls);
    assert!(state.holds.is_empty());
    assert!(
        matches!(state.sent.first(), Some(Message::Notice(n)) if matches!(&n.kind, NoticeKind::WouldQuarantine { steps } if steps.len() == 2))
    );
}

#[test]
fn the_rails_stop_a_plan_before_its_first_action() {
    let cases = [
        ("version: 1\nmode: enforce\nblast_radius: {instances_per_hour: 2}\n", "limit of 2"),
        ("version: 1\nmode: enforce\nnever: [{id: vpc-12345678, why: payroll}]\n", "payroll"),
        ("version: 1\nmode: enforce\nnever: [{id: sg-00000005, why: shared}]\n", "shared"),
    ];
    for (policy, word) in cases {
        let world = world(3, 1);
        world.state().policy.current = Some(policy.to_owned());
        let Responded::Refused(refusal) = once(&world, &decision(3), &settings()).unwrap().unwrap() else {
            panic!("not refused: {policy}")
        };
        assert!(refusal.to_string().contains(word), "{refusal}");
        assert!(!world.state().calls.contains(&"set_groups"));
        assert_eq!(notices(&world).len(), 1);
    }
}

#[test]
fn the_hour_s_budget_is_counted_across_decisions() {
    let world = world(3, 1);
    world.state().policy.current =
        Some("version: 1\nmode: enforce\nblast_radius: {instances_per_hour: 2}\n".to_owned());
    let mut first = decision(2);
    assert!(matches!(once(&world, &first, &settings()), Some(Ok(Responded::Contained(2)))));
    first.targets = vec![target(instance_id(2))];
    assert!(matches!(once(&world, &first, &settings()), Some(Ok(Responded::Refused(Refusal::BlastRadius { .. })))));
    assert_eq!(world.state().interfaces[2].groups.len(), 3);
}

#[test]
fn a_pause_stops_changes_and_is_told() {
    let world = world(1, 1);
    world.state().policy.paused = Some("migration tonight".to_owned());
    let outcome = once(&world, &decision(1), &settings()).unwrap().unwrap();
    assert!(matches!(outcome, Responded::Refused(Refusal::Paused(_))));
}

#[test]
fn a_group_that_only_carries_our_mark_is_not_used_and_ours_is_emptied_before_use() {
    let world = world(2, 1);
    until_done(&world, &decision(1));
    let ours = quarantine_group(&world);
    {
        let mut state = world.state();
        state.groups.get_mut(&ours).unwrap().rules = 4;
        let decoy = crate::ports::GroupState { id: group(77), vpc: vpc(), rules: 0 };
        state.groups.insert(group(77), decoy);
    }
    until_done(&world, &decision(2));
    assert_eq!(quarantine_group(&world), ours);
    assert_contained(&world, "");
}

#[test]
fn what_was_opened_again_is_contained_again_with_the_first_capture() {
    let world = world(1, 2);
    until_done(&world, &decision(1));
    world.state().interfaces[1].groups = vec![group(3)];
    until_done(&world, &decision(1));
    assert_contained(&world, "");
}

#[test]
fn what_a_person_released_is_left_alone_until_a_person_orders_it_again() {
    let world = world(1, 1);
    until_done(&world, &decision(1));
    {
        let mut state = world.state();
        let at = state.now;
        let hold = state.holds.get_mut(&instance_id(0)).unwrap();
        hold.state = HoldState::Released;
        hold.released = Some(picket_model::case::Release { by: "ann".into(), reason: "ours".into(), at });
        state.interfaces[0].groups = vec![group(9), group(0), group(5)];
        let eni = state.interfaces[0].id.to_string();
        for event in [Event::ReleaseIntended, Event::ReleaseDone] {
            let entry = Entry { event, subject: eni.clone(), ..state.journal[0].clone() };
            state.journal.push(entry);
        }
    }
    assert!(matches!(once(&world, &decision(1), &settings()), Some(Ok(Responded::Nothing))));
    let mut order = decision(1);
    order.ordered = true;
    assert!(matches!(once(&world, &order, &settings()), Some(Ok(Responded::Contained(1)))));
    assert_contained(&world, "");
}

#[test]
fn an_interface_that_a_service_manages_is_reported_as_leaking_and_the_rest_is_cut() {
    let world = world(1, 2);
    world.state().interfaces[1].kind = InterfaceKind::Requester("amazon-elb".into());
    once(&world, &decision(1), &settings());
    let notices = notices(&world);
    let NoticeKind::Quarantined { interfaces, .. } = &notices[0].kind else { panic!("{notices:?}") };
    assert!(matches!(interfaces[0].verification, Verification::Pending(_)));
    assert!(matches!(&interfaces[1].verification, Verification::Leaking(why) if why.contains("amazon-elb")));
}

#[test]
fn an_instance_that_had_not_booted_is_cut_and_one_that_had_is_pending() {
    for (state, word) in [(InstanceState::Pending, "CUT"), (InstanceState::Running, "PENDING")] {
        let world = world(1, 1);
        world.state().instances[0].state = state;
        once(&world, &decision(1), &settings());
        let notices = notices(&world);
        let NoticeKind::Quarantined { interfaces, .. } = &notices[0].kind else { panic!("{notices:?}") };
        assert_eq!(interfaces[0].verification.word(), word);
    }
}

/// The words of the first notice.
fn first_words(world: &World) -> Vec<Verification> {
    let notices = notices(world);
    let NoticeKind::Quarantined { interfaces, .. } = &notices[0].kind else { panic!("{notices:?}") };
    interfaces.iter().map(|i| i.verification.clone()).collect()
}

#[test]
fn an_instance_that_is_shown_as_starting_long_after_its_launch_may_be_running_and_is_not_called_cut() {
    for (age, word) in [(3, "CUT"), (20, "PENDING")] {
        let world = world(1, 1);
        {
            let mut state = world.state();
            state.instances[0].state = InstanceState::Pending;
            state.instances[0].launched_at = start().saturating_sub(SignedDuration::from_secs(age)).unwrap();
        }
        once(&world, &decision(1), &settings());
        assert_eq!(first_words(&world)[0].word(), word, "{age}");
    }
}

#[test]
fn an_interface_that_is_not_shown_is_called_cut_only_if_its_instance_ended() {
    for (state, word) in [(InstanceState::Running, "PENDING"), (InstanceState::Terminated, "CUT")] {
        let world = world(1, 1);
        until_done(&world, &decision(1));
        {
            let mut at = world.state();
            at.sent.clear();
            at.interfaces.clear();
            at.instances[0].state = state;
            at.holds.get_mut(&instance_id(0)).unwrap().state = HoldState::Containing;
        }
        later(&world);
        once(&world, &decision(1), &settings());
        assert_eq!(first_words(&world)[0].word(), word, "{state:?}");
    }
}

const FAULTS: [Fault; 4] = [Fault::Fails, Fault::LosesReply, Fault::DiesBefore, Fault::DiesAfter];

#[test]
fn a_fault_of_each_kind_at_every_call_converges_to_contained_with_the_capture_intact() {
    let calls = {
        let world = world(2, 2);
        owned(&world);
        until_done(&world, &decision(2));
        world.state().calls.len()
    };
    for fault in FAULTS {
        for at in 0..calls {
            let world = world(2, 2);
            owned(&world);
            world.state().faults.insert(at, fault);
            until_done(&world, &decision(2));
            later(&world);
            until_done(&world, &decision(2));
            assert_contained(&world, &format!("{fault:?} at call {at}"));
            assert!(!notices(&world).is_empty(), "{fault:?} at call {at}: nobody was told");
        }
    }
}

#[test]
fn every_pair_of_faults_converges_too() {
    let calls = {
        let world = world(1, 2);
        until_done(&world, &decision(1));
        world.state().calls.len()
    };
    for a in 0..calls {
        for b in a + 1..calls + 12 {
            for (f, g) in [
                (Fault::DiesAfter, Fault::LosesReply),
                (Fault::LosesReply, Fault::DiesBefore),
                (Fault::Fails, Fault::DiesAfter),
            ] {
                let world = world(1, 2);
                world.state().faults.extend([(a, f), (b, g)]);
                until_done(&world, &decision(1));
                later(&world);
                until_done(&world, &decision(1));
                assert_contained(&world, &format!("{f:?} at {a}, {g:?} at {b}"));
            }
        }
    }
}
