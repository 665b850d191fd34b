//! `decide`, by data: who launched what, where and how exposed, and what it comes to.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use picket_model::evidence::Marker;
use picket_model::{
    AccountId, Attempt, Cluster, Exposure, Fact, GroupId, Hint, Instance, InstanceId, InstanceState, Openness,
    Principal, PrincipalKind, Region, Scope, Signal, Subject, Trigger, TriggerKind, Untrusted, UserData,
};

use super::*;

fn now() -> Timestamp {
    "2026-11-02T03:04:05Z".parse().unwrap()
}

fn scope() -> Scope {
    Scope { account: AccountId::parse("123456789012").unwrap(), region: Region::parse("us-east-1").unwrap() }
}

fn principal(kind: PrincipalKind) -> Principal {
    Principal {
        kind,
        arn: "arn:aws:iam::123456789012:user/dev".into(),
        name: "dev".into(),
        access_key: None,
        invoked_by: None,
        source_ip: None,
        user_agent: None,
    }
}

fn trigger(count: usize) -> Trigger {
    let ids = (0..count).map(|n| InstanceId::parse(format!("i-{n:08x}")).unwrap()).collect();
    Trigger {
        kind: TriggerKind::RunInstances,
        scope: scope(),
        at: now(),
        event: "e".into(),
        subject: Subject::Instances(ids),
        principal: Some(principal(PrincipalKind::User)),
        signal: None,
        hint: Hint::default(),
    }
}

/// A quiet web server that has been here for a year; each case changes what it is about.
fn quiet() -> Observation {
    let instance = Instance {
        id: InstanceId::parse("i-00000000").unwrap(),
        scope: scope(),
        reservation: "r-1".into(),
        instance_type: "t3.large".into(),
        image: "ami-1".into(),
        state: InstanceState::Running,
        launched_at: now(),
        vpc: None,
        interfaces: Vec::new(),
        name: "web".into(),
        tags: BTreeMap::new(),
        metadata_v1: Some(false),
        profile: None,
    };
    let old = || Fact::known(now().checked_sub((24 * 365).hours()).unwrap(), "inventory");
    let mut observation = Observation::new(Asset::Instance(instance), trigger(1), now());
    observation.user_data = Fact::known(UserData::default(), "DescribeInstanceAttribute");
    observation.world_open = Fact::known(Vec::new(), "DescribeSecurityGroups");
    observation.watching_since = old();
    observation.principal_since = old();
    observation.region_since = old();
    observation.image_since = old();
    observation.type_since = old();
    observation.leaked_key_policy = Fact::known(None, "ListAttachedUserPolicies");
    observation
}

fn of_type(name: &str) -> Observation {
    let mut observation = quiet();
    if let Asset::Instance(i) = &mut observation.asset {
        i.instance_type = name.into();
    }
    observation
}

fn mining(mut observation: Observation) -> Observation {
    let marker = Marker { name: "xmrig".into(), weight: 60, found: "xmrig".into() };
    observation.user_data =
        Fact::known(UserData { miners: vec![marker], ..UserData::default() }, "DescribeInstanceAttribute");
    observation
}

fn found(kind: &str, severity_tenths: u16) -> Observation {
    let mut observation = quiet();
    observation.trigger.kind = TriggerKind::GuardDuty;
    observation.trigger.signal = Some(Signal::Finding { finding: kind.into(), severity_tenths });
    observation
}

fn verdict(observation: &Observation) -> (Verdict, u8) {
    let judgement = judge(&Policy::default(), observation, now());
    (judgement.verdict, judgement.score.total)
}

#[test]
fn a_quiet_machine_is_noted() {
    assert_eq!(verdict(&quiet()), (Verdict::Note, 0));
}

#[test]
fn a_graphics_card_alone_is_no_crime() {
    assert_eq!(verdict(&of_type("g5.xlarge")), (Verdict::Note, 25));
}

#[test]
fn a_miner_on_a_large_accelerated_machine_is_quarantined() {
    assert_eq!(verdict(&mining(of_type("p4d.24xlarge"))), (Verdict::Quarantine, 100));
}

#[test]
fn a_new_principal_in_a_new_region_with_accelerators_that_the_world_can_reach_is_quarantined() {
    let mut observation = of_type("g5.12xlarge");
    observation.principal_since = Fact::known(now(), "inventory");
    observation.region_since = Fact::known(now(), "inventory");
    let open = Exposure {
        group: GroupId::parse("sg-12345678").unwrap(),
        from: "0.0.0.0/0".into(),
        openness: Openness::Everything,
    };
    observation.world_open = Fact::known(vec![open], "DescribeSecurityGroups");
    assert_eq!(verdict(&observation), (Verdict::Quarantine, 80));
}

#[test]
fn nothing_counts_as_new_while_picket_is_learning_an_account() {
    let mut observation = of_type("g5.12xlarge");
    observation.watching_since = Fact::known(now(), "inventory");
    observation.region_since = Fact::known(now(), "inventory");
    let judgement = judge(&Policy::default(), &observation, now());
    assert_eq!(judgement.score.total, 25);
    assert!(judgement.score.unknown.iter().any(|u| u.contains("0 of 24 hours learned")), "{judgement:?}");
}

#[test]
fn a_leaked_key_that_launches_anything_large_is_quarantined() {
    let mut observation = of_type("c5a.24xlarge");
    observation.leaked_key_policy =
        Fact::known(Some("AWSCompromisedKeyQuarantineV3".into()), "ListAttachedUserPolicies");
    assert_eq!(verdict(&observation), (Verdict::Quarantine, 75));
}

#[test]
fn guardduty_s_word_acts_for_mining_and_tells_people_for_the_rest() {
    assert_eq!(verdict(&found("CryptoCurrency:EC2/BitcoinTool.B!DNS", 80)), (Verdict::Quarantine, 70));
    assert_eq!(verdict(&found("Backdoor:EC2/C&CActivity.B!DNS", 80)), (Verdict::Notify, 40));
    assert_eq!(verdict(&found("Recon:EC2/PortProbeUnprotectedPort", 20)), (Verdict::Note, 0));
}

#[test]
fn what_is_not_known_adds_nothing_and_is_shown() {
    let mut observation = quiet();
    observation.user_data = Fact::unknown("access was denied");
    let judgement = judge(&Policy::default(), &observation, now());
    assert_eq!(judgement.score.total, 0);
    assert_eq!(judgement.score.unknown, ["miner_in_user_data: access was denied"]);
}

#[test]
fn a_failed_launch_of_accelerated_machines_is_told() {
    let mut observation = quiet();
    observation.asset = Asset::Attempt(Attempt {
        scope: scope(),
        error: "Client.DryRunOperation".into(),
        instance_type: Some("p5.48xlarge".into()),
        count: 5,
        event: "e".into(),
    });
    assert_eq!(verdict(&observation), (Verdict::Notify, 60));
}

#[test]
fn an_api_server_is_public_only_when_endpoint_and_sources_say_so() {
    let cluster = |public, cidrs: &[&str]| {
        let mut observation = quiet();
        observation.asset = Asset::Cluster(Cluster {
            name: "prod".into(),
            scope: scope(),
            version: "1.33".into(),
            status: "ACTIVE".into(),
            public_endpoint: Some(public),
            private_endpoint: Some(true),
            public_cidrs: cidrs.iter().map(|c| Untrusted::new(c)).collect(),
        });
        verdict(&observation).0
    };
    assert_eq!(cluster(true, &["0.0.0.0/0"]), Verdict::Notify);
    assert_eq!(cluster(true, &["203.0.113.0/24"]), Verdict::Note);
    assert_eq!(cluster(false, &["0.0.0.0/0"]), Verdict::Note);
}

#[test]
fn an_exemption_holds_back_until_its_date_and_says_so() {
    let policy = |until: &str| {
        let text = format!("exempt: [{{id: '123456789012', owner: red team, reason: exercise, until: '{until}'}}]");
        Policy::parse(&text, "p").unwrap()
    };
    let observation = mining(of_type("p4d.24xlarge"));
    let held = judge(&policy("2027-01-01T00:00:00Z"), &observation, now());
    assert_eq!(held.verdict, Verdict::Notify);
    assert!(held.held_back.unwrap().contains("red team"));
    assert_eq!(judge(&policy("2026-01-01T00:00:00Z"), &observation, now()).verdict, Verdict::Quarantine);
}

#[test]
fn a_resource_s_own_tag_exempts_nothing() {
    let mut observation = mining(of_type("p4d.24xlarge"));
    if let Asset::Instance(i) = &mut observation.asset {
        i.tags.insert("picket:exempt".into(), "true".into());
    }
    assert_eq!(verdict(&observation).0, Verdict::Quarantine);
}

#[test]
fn the_instances_of_one_launch_become_one_decision_with_the_strongest_reasons() {
    let observations: Vec<_> = (0..12)
        .map(|n| {
            let mut observation = mining(of_type("p4d.24xlarge"));
            observation.trigger = trigger(12);
            if let Asset::Instance(i) = &mut observation.asset {
                i.id = InstanceId::parse(format!("i-{n:08x}")).unwrap();
            }
            observation
        })
        .collect();
    let decisions = decide(&Policy::default(), "v", &observations, now());
    assert_eq!(decisions.len(), 1);
    assert_eq!(decisions[0].targets.len(), 12);
    let weights: Vec<_> = decisions[0].score.reasons.iter().map(|r| r.weight).collect();
    assert!(weights.is_sorted_by(|a, b| a >= b), "{weights:?}");
}
