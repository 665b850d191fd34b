//! Fix, in a world of things: what it makes, asks, refuses and puts back, and that every fault at every call converges.

use futures::FutureExt as _;
use jiff::SignedDuration;
use picket_model::fix::StepState;
use picket_model::notice::Became;
use picket_model::{AccountId, Event, Mode, NoticeKind, Region, journal};
use serde_json::{Map, Value, json};

use super::*;
use crate::fakes::Fault;
use crate::fakes::fixing::FixWorld;
use crate::messages::Message;

pub(super) fn scope() -> Scope {
    Scope { account: AccountId::parse("123456789012").unwrap(), region: Region::parse("us-east-1").unwrap() }
}

pub(super) fn settings() -> Settings {
    Settings { stack: "picket".to_owned(), mode: Mode::Enforce }
}

pub(super) const FIXING: &str = "version: 1\nmode: enforce\nfixes: {default: fix}\n";

pub(super) fn aim(action: &str, target: &str, with: Value) -> Aim {
    let with = with.as_object().cloned().unwrap_or_default();
    Aim { action: action.to_owned(), target: target.to_owned(), with }
}

fn logging() -> Aim {
    aim("eks_set_logging", "prod", json!({}))
}

fn no_logs() -> Value {
    json!({"types": []})
}

/// A world with a cluster that has no logs, a bucket that may be public, and a cluster without encryption.
pub(super) fn world(policy: &str) -> FixWorld {
    let world = FixWorld::default();
    {
        let mut state = world.state();
        state.now = "2026-11-02T03:04:05Z".parse().unwrap();
        state.policy.current = Some(policy.to_owned());
        state.policy.good = state.policy.current.clone();
        let mut put = |action: &str, target: &str, value: Value| {
            state.things.insert((action.to_owned(), target.to_owned()), value);
        };
        put("eks_set_logging", "prod", no_logs());
        put("eks_protect_deletion", "prod", json!({"on": false}));
        put("eks_encrypt_secrets", "prod", json!({"key": null}));
    }
    world
}

fn finding(aims: Vec<Aim>) -> Order {
    let (id, rule, asset) = ("finding-1".to_owned(), "eks_audit_logs_on".to_owned(), "eks.cluster/prod".to_owned());
    let cause = Cause::Finding { id, rule, asset, controls: vec!["cis-eks-1.8.0/2.1.1".to_owned()] };
    Order { scope: scope(), aims, cause, ask: false, plan_only: false }
}

pub(super) fn ordered(aims: Vec<Aim>) -> Order {
    Order { cause: Cause::Order { by: "alice".into(), reason: "an audit".into() }, ..finding(aims) }
}

pub(super) async fn fix(world: &FixWorld, order: &Order) -> Answer<Outcome> {
    run(&ports(world), &settings(), order).await
}

pub(super) fn ports(world: &FixWorld) -> Ports<'_> {
    Ports { fixes: world, store: world, policies: world, queues: world, links: world, clock: world }
}

pub(super) fn id(order: &Order) -> CaseId {
    Fix::id_of(&scope(), &order.aims)
}

pub(super) fn undo_of(order: &Order) -> Undo {
    let (by, reason) = ("bob".into(), "it broke the build".into());
    Undo { scope: scope(), id: id(order), by, reason, force: false, plan_only: false }
}

fn yes(order: &Order) -> Say {
    let (by, reason) = ("carol".into(), "looked at".into());
    Say { scope: scope(), id: id(order), approve: true, by, reason, question: None }
}

fn told(world: &FixWorld) -> Vec<Became> {
    let became = |m: &Message| match m {
        Message::Notice(n) => match &n.kind {
            NoticeKind::Fix(fix) => Some(fix.became),
            _ => None,
        },
        _ => None,
    };
    world.state().sent.iter().filter_map(became).collect()
}

fn thing(world: &FixWorld, action: &str) -> Value {
    world.state().things[&(action.to_owned(), "prod".to_owned())].clone()
}

pub(super) fn sound(world: &FixWorld) {
    let state = world.state();
    assert_eq!(state.violations, Vec::<String>::new());
    journal::check(&state.journal).unwrap();
}

fn all_logs() -> Value {
    json!({"types": ["api", "audit", "authenticator", "controllerManager", "scheduler"]})
}

#[tokio::test]
async fn a_finding_is_fixed_read_back_and_told_once() {
    let world = world(FIXING);
    let order = finding(vec![logging()]);
    assert_eq!(fix(&world, &order).await.unwrap().name(), "fixed");
    assert_eq!(thing(&world, "eks_set_logging"), all_logs());
    assert_eq!(fix(&world, &order).await.unwrap(), Outcome::Already);
    assert_eq!(told(&world), [Became::Fixed]);
    let events: Vec<_> = world.state().journal.iter().map(|e| e.event).collect();
    assert_eq!(events, [Event::MeasureIntended, Event::MeasureDone, Event::Verified]);
    assert_eq!(world.state().writes.len(), 1);
    sound(&world);
}

#[tokio::test]
async fn by_default_nothing_is_fixed_and_observe_only_says_what_would_be() {
    let quiet = world("version: 1\nmode: enforce\n");
    assert_eq!(fix(&quiet, &finding(vec![logging()])).await.unwrap(), Outcome::Noted);
    let observing = world("version: 1\nfixes: {default: fix}\n");
    for _ in 0..2 {
        assert_eq!(fix(&observing, &finding(vec![logging()])).await.unwrap().name(), "planned");
    }
    for world in [quiet, observing] {
        assert!(world.state().writes.is_empty());
        assert_eq!(thing(&world, "eks_set_logging"), no_logs());
        sound(&world);
    }
}

#[tokio::test]
async fn an_undo_puts_back_exactly_what_was_there_and_twice_is_once() {
    let world = world(FIXING);
    world.state().things.insert(("eks_set_logging".to_owned(), "prod".to_owned()), json!({"types": ["api"]}));
    let order = finding(vec![logging()]);
    fix(&world, &order).await.unwrap();
    let undone = undo(&ports(&world), &settings(), &undo_of(&order)).await.unwrap();
    assert_eq!(undone.name(), "undone");
    assert_eq!(thing(&world, "eks_set_logging"), json!({"types": ["api"]}));
    assert_eq!(undo(&ports(&world), &settings(), &undo_of(&order)).await.unwrap(), Outcome::Already);
    assert_eq!(told(&world), [Became::Fixed, Became::Undone]);
    // What a person put back is not fixed again by itself; a person may order it.
    assert_eq!(fix(&world, &order).await.unwrap().name(), "refused");
    assert_eq!(fix(&world, &ordered(vec![logging()])).await.unwrap().name(), "fixed");
    sound(&world);
}

#[tokio::test]
async fn an_undo_is_refused_where_somebody_changed_it_since_and_done_with_force() {
    let world = world(FIXING);
    let order = finding(vec![logging()]);
    fix(&world, &order).await.unwrap();
    world.state().things.insert(("eks_set_logging".to_owned(), "prod".to_owned()), json!({"types": ["audit"]}));
    let refused = undo(&ports(&world), &settings(), &undo_of(&order)).await.unwrap();
    assert!(matches!(&refused, Outcome::Changed { differences } if differences[0].contains("changed since")));
    assert_eq!(thing(&world, "eks_set_logging"), json!({"types": ["audit"]}));
    let forced = Undo { force: true, ..undo_of(&order) };
    assert_eq!(undo(&ports(&world), &settings(), &forced).await.unwrap().name(), "undone");
    assert_eq!(thing(&world, "eks_set_logging"), no_logs());
    sound(&world);
}

#[tokio::test]
async fn what_cannot_be_undone_is_asked_and_made_after_a_yes_only() {
    let world = world(FIXING);
    let order = ordered(vec![aim("eks_encrypt_secrets", "prod", json!({"key": "arn:key"}))]);
    assert_eq!(fix(&world, &order).await.unwrap().name(), "asked");
    assert_eq!(fix(&world, &order).await.unwrap().name(), "asked");
    assert!(world.state().writes.is_empty());
    assert_eq!(answer(&ports(&world), &settings(), &yes(&order)).await.unwrap().name(), "fixed");
    assert_eq!(thing(&world, "eks_encrypt_secrets"), json!({"key": "arn:key"}));
    // One question, one answer.
    assert_eq!(answer(&ports(&world), &settings(), &yes(&order)).await.unwrap().name(), "refused");
    let undone = undo(&ports(&world), &settings(), &undo_of(&order)).await.unwrap();
    assert!(matches!(&undone, Outcome::Undone { stays, .. } if stays[0].contains("cannot be undone")), "{undone:?}");
    assert_eq!(thing(&world, "eks_encrypt_secrets"), json!({"key": "arn:key"}));
    let by: Vec<_> =
        world.state().journal.iter().filter(|e| e.event == Event::Approved).map(|e| e.by.clone()).collect();
    assert_eq!(by, ["carol".into()]);
    sound(&world);
}

#[tokio::test]
async fn a_no_ends_it_and_so_does_silence_unless_the_policy_fixes_then() {
    let policy = "version: 1\nmode: enforce\nfixes: {default: propose, approval: {within: 1h, at_expiry: fix}}\n";
    let order = finding(vec![logging()]);
    let said_no = world(policy);
    fix(&said_no, &order).await.unwrap();
    let no = Say { approve: false, ..yes(&order) };
    assert_eq!(answer(&ports(&said_no), &settings(), &no).await.unwrap().name(), "denied");
    assert_eq!(fix(&said_no, &order).await.unwrap().name(), "refused");
    assert!(said_no.state().writes.is_empty());
    for (at_expiry, writes) in [("leave", 0), ("fix", 1)] {
        let silent = world(&policy.replace("at_expiry: fix", &format!("at_expiry: {at_expiry}")));
        fix(&silent, &order).await.unwrap();
        let early = look_after(&ports(&silent), &settings(), &scope()).await.unwrap();
        assert_eq!(early, Outcome::LookedAfter { fixes: 0 });
        let later = silent.state().now + SignedDuration::from_hours(2);
        silent.state().now = later;
        look_after(&ports(&silent), &settings(), &scope()).await.unwrap();
        assert_eq!(silent.state().writes.len(), writes, "{at_expiry}");
        assert_eq!(answer(&ports(&silent), &settings(), &yes(&order)).await.unwrap().name(), "refused");
        sound(&silent);
    }
}

#[tokio::test]
async fn a_yes_to_what_is_there_no_longer_asks_anew() {
    let world = world("version: 1\nmode: enforce\nfixes: {default: propose}\n");
    let order = finding(vec![logging()]);
    fix(&world, &order).await.unwrap();
    world.state().things.insert(("eks_set_logging".to_owned(), "prod".to_owned()), json!({"types": ["api"]}));
    assert_eq!(answer(&ports(&world), &settings(), &yes(&order)).await.unwrap().name(), "asked");
    assert!(world.state().writes.is_empty());
    let old = Say { question: Some("0123456789abcdef".to_owned()), ..yes(&order) };
    assert_eq!(answer(&ports(&world), &settings(), &old).await.unwrap().name(), "refused");
    assert_eq!(answer(&ports(&world), &settings(), &yes(&order)).await.unwrap().name(), "fixed");
    sound(&world);
}

#[tokio::test]
async fn a_yes_to_what_somebody_did_meanwhile_is_closed_and_never_undone() {
    let world = world("version: 1\nmode: enforce\nfixes: {default: propose}\n");
    let order = finding(vec![logging()]);
    fix(&world, &order).await.unwrap();
    world.state().things.insert(("eks_set_logging".to_owned(), "prod".to_owned()), all_logs());
    assert_eq!(answer(&ports(&world), &settings(), &yes(&order)).await.unwrap(), Outcome::Already);
    let looked = look_after(&ports(&world), &settings(), &scope()).await.unwrap();
    assert_eq!(looked, Outcome::LookedAfter { fixes: 0 }, "it is not looked at for ever");
    undo(&ports(&world), &settings(), &undo_of(&order)).await.unwrap();
    assert_eq!(thing(&world, "eks_set_logging"), all_logs());
    assert!(world.state().writes.is_empty());
    sound(&world);
}

#[tokio::test]
async fn a_yes_to_denying_the_sessions_of_now_counts_a_minute_later() {
    let world = world("version: 1\nmode: enforce\nfixes: {principals: true}\n");
    let key = ("iam_deny_sessions".to_owned(), "role/ci".to_owned());
    let at = |time: &str| json!({"path": "/", "profiles": [], "time": time});
    world.state().things.insert(key.clone(), json!({"issued_before": null}));
    world.state().facts.insert(key.clone(), at("2026-11-02T03:04:05Z"));
    let order = ordered(vec![aim("iam_deny_sessions", "role/ci", json!({}))]);
    assert_eq!(fix(&world, &order).await.unwrap().name(), "asked");
    world.state().facts.insert(key.clone(), at("2026-11-02T03:05:05Z"));
    assert_eq!(answer(&ports(&world), &settings(), &yes(&order)).await.unwrap().name(), "fixed");
    assert_eq!(world.state().things[&key], json!({"issued_before": "2026-11-02T03:05:05Z"}));
    sound(&world);
}

#[tokio::test]
async fn no_more_is_fixed_in_an_hour_than_the_policy_allows() {
    let world = world("version: 1\nmode: enforce\nfixes: {default: fix, per_hour: 1}\n");
    assert_eq!(fix(&world, &finding(vec![logging()])).await.unwrap().name(), "fixed");
    let other = finding(vec![aim("eks_protect_deletion", "prod", json!({}))]);
    let refused = fix(&world, &other).await.unwrap();
    assert!(matches!(&refused, Outcome::Refused { why } if why.contains("per_hour")), "{refused:?}");
    assert_eq!(world.state().writes.len(), 1);
    let later = world.state().now + SignedDuration::from_hours(1);
    world.state().now = later;
    assert_eq!(fix(&world, &other).await.unwrap().name(), "fixed");
    sound(&world);
}

#[tokio::test]
async fn pause_never_and_the_switch_for_people_stop_a_fix() {
    let paused = world(FIXING);
    paused.state().policy.paused = Some("migration".to_owned());
    let never = world(&format!("{FIXING}never: [{{id: '123456789012', why: payroll}}]\n"));
    let people = world(FIXING);
    let key = ("iam_deactivate_key".to_owned(), "eve/AKIA1".to_owned());
    people.state().things.insert(key, json!({"status": "Active"}));
    let stop = ordered(vec![aim("iam_deactivate_key", "eve/AKIA1", json!({}))]);
    for (world, order, word) in [
        (paused, finding(vec![logging()]), "paused"),
        (never, finding(vec![logging()]), "payroll"),
        (people, stop, "principals"),
    ] {
        let outcome = fix(&world, &order).await.unwrap();
        assert!(matches!(&outcome, Outcome::Refused { why } if why.contains(word)), "{outcome:?}");
        assert!(world.state().writes.is_empty());
        sound(&world);
    }
}

#[tokio::test]
async fn an_update_that_takes_minutes_is_waited_for_and_not_made_twice() {
    let world = world(FIXING);
    world.state().slow.insert("prod".to_owned(), 3);
    let order = finding(vec![logging()]);
    let mut outcomes = Vec::new();
    for _ in 0..5 {
        outcomes.push(fix(&world, &order).await.unwrap().name());
    }
    assert_eq!(outcomes, ["later", "later", "later", "fixed", "already"]);
    assert_eq!(world.state().writes.len(), 1);
    sound(&world);
}

#[tokio::test]
async fn what_aws_refuses_half_way_is_put_back() {
    let world = world(FIXING);
    world.state().things.insert(("s3_block_bucket_public_access".to_owned(), "b".to_owned()), json!({"block": null}));
    world.state().refused.insert("b".to_owned(), Kind::Denied);
    let order = finding(vec![logging(), aim("s3_block_bucket_public_access", "b", json!({}))]);
    assert_eq!(fix(&world, &order).await.unwrap().name(), "failed");
    assert_eq!(thing(&world, "eks_set_logging"), no_logs());
    assert_eq!(told(&world), [Became::Failed]);
    let states: Vec<_> = world.state().fixes.values().flat_map(|f| f.steps.clone()).map(|s| s.state).collect();
    assert!(matches!(states.as_slice(), [StepState::Undone, StepState::Failed(_)]), "{states:?}");
    sound(&world);
}

#[tokio::test]
async fn a_fix_that_somebody_puts_back_again_and_again_is_given_up_and_said() {
    let world = world(FIXING);
    let order = finding(vec![logging()]);
    for _ in 0..3 {
        assert_eq!(fix(&world, &order).await.unwrap().name(), "fixed");
        world.state().things.insert(("eks_set_logging".to_owned(), "prod".to_owned()), no_logs());
    }
    let outcome = fix(&world, &order).await.unwrap();
    assert!(matches!(&outcome, Outcome::Refused { why } if why.contains("3 times")), "{outcome:?}");
    sound(&world);
}

#[tokio::test]
async fn what_is_not_known_or_lacks_a_parameter_is_refused_before_anything_is_read() {
    let world = world(FIXING);
    for bad in [aim("eks_open_everything", "prod", json!({})), aim("eks_narrow_public_endpoint", "prod", json!({}))] {
        assert_eq!(fix(&world, &ordered(vec![bad])).await.unwrap().name(), "refused");
    }
    assert!(world.state().calls.is_empty());
}

/// Drives an order, an answer or an undo until it is done, with these faults, and answers how it ended.
pub(super) async fn drive(world: &FixWorld, work: &Work) -> Outcome {
    for _ in 0..12 {
        // A worker that died never answers; another one finds its lease over.
        let answer = super::work(&ports(world), &settings(), work).now_or_never();
        match answer {
            Some(Ok(outcome)) if outcome.name() != "later" => return outcome,
            _ => {
                let later = world.state().now + SignedDuration::from_secs(100);
                world.state().now = later;
            }
        }
    }
    panic!("it never ends: {:?}", world.state().fixes);
}

async fn calls_of(policy: &str, order: &Order) -> (usize, usize) {
    let world = world(policy);
    drive(&world, &Work::Order(order.clone())).await;
    let made = world.state().calls.len();
    drive(&world, &Work::Undo(undo_of(order))).await;
    let all = world.state().calls.len();
    (made, all)
}

pub(super) const FAULTS: [Fault; 4] = [Fault::Fails, Fault::LosesReply, Fault::DiesBefore, Fault::DiesAfter];

async fn survives(order: &Order, faults: &[(usize, Fault)]) {
    let world = world(FIXING);
    world.state().faults = faults.iter().copied().collect();
    drive(&world, &Work::Order(order.clone())).await;
    assert_eq!(thing(&world, "eks_set_logging"), all_logs(), "{faults:?}");
    assert_eq!(thing(&world, "eks_protect_deletion"), json!({"on": true}), "{faults:?}");
    assert_eq!(world.state().fixes[&id(order)].state, FixState::Fixed, "{faults:?}");
    drive(&world, &Work::Undo(undo_of(order))).await;
    assert_eq!(thing(&world, "eks_set_logging"), no_logs(), "{faults:?}");
    assert_eq!(thing(&world, "eks_protect_deletion"), json!({"on": false}), "{faults:?}");
    assert_eq!(world.state().fixes[&id(order)].state, FixState::Undone, "{faults:?}");
    let state = world.state();
    assert_eq!(state.violations, Vec::<String>::new(), "{faults:?}");
    assert_eq!(state.begun.values().sum::<u32>(), 1, "counted once: {faults:?}");
}

#[tokio::test]
async fn every_fault_at_every_call_converges_there_and_back() {
    let order = finding(vec![logging(), aim("eks_protect_deletion", "prod", json!({}))]);
    let (_, calls) = calls_of(FIXING, &order).await;
    for call in 0..calls {
        for fault in FAULTS {
            survives(&order, &[(call, fault)]).await;
        }
    }
}

#[tokio::test]
async fn every_pair_of_faults_converges_there_and_back() {
    let order = finding(vec![logging(), aim("eks_protect_deletion", "prod", json!({}))]);
    let (_, calls) = calls_of(FIXING, &order).await;
    for first in 0..calls {
        for second in first + 1..calls + 4 {
            for one in FAULTS {
                for other in FAULTS {
                    survives(&order, &[(first, one), (second, other)]).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn every_fault_while_people_are_asked_and_answer_converges() {
    let order = ordered(vec![aim("eks_encrypt_secrets", "prod", json!({"key": "arn:key"}))]);
    for call in 0..24 {
        for fault in FAULTS {
            let world = world(FIXING);
            world.state().faults.insert(call, fault);
            drive(&world, &Work::Order(order.clone())).await;
            drive(&world, &Work::Say(yes(&order))).await;
            // Whoever answered and died is followed by the regular look.
            let later = world.state().now + SignedDuration::from_secs(200);
            world.state().now = later;
            drive(&world, &Work::LookAfter { scope: scope() }).await;
            assert_eq!(thing(&world, "eks_encrypt_secrets"), json!({"key": "arn:key"}), "{call} {fault:?}");
            assert!(told(&world).contains(&Became::Proposed), "{call} {fault:?}");
            assert!(told(&world).contains(&Became::Fixed), "{call} {fault:?}");
            sound(&world);
        }
    }
}

#[test]
fn what_is_asked_for_travels_as_it_was_written() {
    let all = [
        Work::Order(finding(vec![logging()])),
        Work::Undo(undo_of(&finding(vec![logging()]))),
        Work::Say(yes(&finding(vec![logging()]))),
        Work::LookAfter { scope: scope() },
    ];
    for work in all {
        let text = serde_json::to_string(&work).unwrap();
        assert_eq!(serde_json::from_str::<Work>(&text).unwrap(), work, "{text}");
    }
    assert!(serde_json::from_value::<Work>(json!({"order": Map::new()})).is_err());
}
