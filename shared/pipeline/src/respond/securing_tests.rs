//! Owners are frozen before containment, what follows it is done after, and people are told of it once.

use super::super::tests::*;
use super::super::*;

#[test]
fn an_alert_is_completed_by_one_follow_up_that_says_what_was_done() {
    let world = world(2, 2);
    until_done(&world, &decision(2));
    until_done(&world, &decision(2));
    let told = notices(&world);
    let kinds: Vec<_> = told.iter().map(|n| n.kind.name()).collect();
    assert_eq!(kinds, ["quarantined", "secured"]);
    let NoticeKind::Secured { made, .. } = &told[1].kind else { panic!("{:?}", told[1].kind) };
    assert!(!made.is_empty());
}

#[test]
fn what_aws_refuses_after_the_alert_is_told_by_the_follow_up() {
    let world = world(1, 1);
    world.state().refused.insert("keep evidence");
    until_done(&world, &decision(1));
    let told = notices(&world);
    let Some(NoticeKind::Secured { not_made, .. }) = told.last().map(|n| n.kind.clone()) else { panic!("{told:?}") };
    assert!(not_made.iter().any(|l| l.starts_with("not done: keep evidence")), "{not_made:?}");
    assert!(crate::render::page(&told[1]).subject.starts_with("Picket QUARANTINE NOT WHOLE"));
}

#[test]
fn what_was_opened_again_is_unsecured_while_it_is_being_contained_anew() {
    let mut left_open = 0;
    for number in 0..20 {
        let world = world(1, 1);
        until_done(&world, &decision(1));
        assert!(world.state().holds.values().all(|h| h.secured));
        world.state().interfaces[0].groups = vec![group(9)];
        let later = world.state().calls.len() + number;
        world.state().faults.insert(later, crate::fakes::Fault::Fails);
        let _ = once(&world, &decision(1), &settings());
        let state = world.state();
        for hold in state.holds.values().filter(|h| h.state == picket_model::HoldState::Containing) {
            left_open += 1;
            assert!(!hold.secured, "a release would not wait for whoever secures it");
        }
    }
    assert!(left_open > 0, "no fault left it half done");
}

#[test]
fn where_nothing_is_done_beside_the_groups_the_alert_is_whole() {
    let world = world(1, 1);
    world.state().policy.current = Some("version: 1\nmode: enforce\ncontainment: contain_only\n".to_owned());
    until_done(&world, &decision(1));
    assert_eq!(notices(&world).iter().map(|n| n.kind.name()).collect::<Vec<_>>(), ["quarantined"]);
}

#[test]
fn the_owner_is_frozen_before_the_first_interface_and_once() {
    let world = world(2, 1);
    owned(&world);
    until_done(&world, &decision(2));
    assert_contained(&world, "");
    let state = world.state();
    let first = |name: &str| state.calls.iter().position(|c| *c == name).unwrap();
    assert!(first("make") < first("set_groups"));
    assert_eq!(
        state.scaling_groups[&Untrusted::new("web")].suspended,
        ["AZRebalance", "Terminate", "ReplaceUnhealthy"]
    );
    let freezes = |h: &&picket_model::Hold| h.measures[0].action == "freeze_scaling_group";
    assert_eq!(state.holds.values().filter(freezes).count(), 2, "each hold knows what the group owes it");
}

#[test]
fn an_owner_that_cannot_be_frozen_does_not_hold_containment_up() {
    let world = world(1, 2);
    owned(&world);
    world.state().scaling_groups.clear();
    until_done(&world, &decision(1));
    assert_contained(&world, "");
}

#[test]
fn what_is_contained_is_secured_unless_the_policy_says_contain_only() {
    let world_full = world(1, 1);
    until_done(&world_full, &decision(1));
    let changes: Vec<_> = world_full.state().changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            &format!("keep evidence of i-00000000 for {}", decision(1).case),
            "termination protection of i-00000000 on",
            "shutdown of i-00000000 means stop",
            "keep /dev/xvda of i-00000000",
            "deny everything to i-00000000 as node",
            "metadata service of i-00000000 off",
            "snapshot all volumes of i-00000000",
            "take i-00000000:80 out of arn:tg",
            &format!("tag i-00000000 picket:case={}", decision(1).case),
        ]
    );
    let only = world(1, 1);
    only.state().policy.current = Some("version: 1\nmode: enforce\ncontainment: contain_only\n".to_owned());
    until_done(&only, &decision(1));
    assert_contained(&only, "");
    assert!(only.state().changes.is_empty());
}
