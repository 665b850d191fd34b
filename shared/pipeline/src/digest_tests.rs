//! What is told at once, what merges, and that nothing that is kept back is lost.

use picket_model::Untrusted;

use super::*;
use crate::fakes::{Fault, World};
use crate::respond::tests as respond;

const PATIENCE: Patience = Patience { repeats: SignedDuration::from_mins(5), digest: SignedDuration::from_mins(60) };

fn notice(id: &str, kind: NoticeKind) -> Notice {
    let decision = respond::decision(1);
    let at = decision.triggered_at;
    Notice { id: id.into(), kind, decision, at, stack: "picket".into() }
}

fn would(id: &str) -> Notice {
    notice(id, NoticeKind::WouldQuarantine { steps: vec!["contain".into()] })
}

fn minute(n: i64) -> Timestamp {
    respond::decision(1).triggered_at.saturating_add(SignedDuration::from_mins(n)).unwrap()
}

/// What notify does with a message: keeps it back, or tells it.
async fn arrives(world: &World, notice: &Notice, at: Timestamp) {
    if !keep_back(world, notice, PATIENCE, at).await.unwrap() {
        notify::run(world, notice, at).await.unwrap();
    }
}

async fn clock(world: &World, at: Timestamp) -> Answer<usize> {
    tell_due(world, &[world as &dyn Pager], at).await
}

fn subjects(world: &World) -> Vec<String> {
    world.state().published.iter().map(|(s, _)| s.clone()).collect()
}

#[tokio::test]
async fn a_storm_of_the_same_hand_is_one_page_and_one_count() {
    let world = World::default();
    for n in 0..50 {
        arrives(&world, &would(&format!("n{n}")), minute(0)).await;
    }
    assert_eq!(subjects(&world).len(), 1, "the first is told at once, and no other");
    assert_eq!(clock(&world, minute(4)).await.unwrap(), 0, "the window is still open");
    assert_eq!(clock(&world, minute(5)).await.unwrap(), 1);
    let (subject, body) = world.state().published.last().cloned().unwrap();
    assert_eq!(subject, "Picket WOULD QUARANTINE: 49 more in 123456789012 us-east-1");
    assert!(body.contains("and 39 more") && body.contains("picket journal case-"), "{body}");
    assert_eq!(clock(&world, minute(10)).await.unwrap(), 0, "nothing is told again");
}

#[tokio::test]
async fn what_another_hand_does_is_told_at_once_and_so_is_what_comes_after_the_window() {
    let world = World::default();
    arrives(&world, &would("a"), minute(0)).await;
    let mut other = would("b");
    other.decision.principal.as_mut().unwrap().arn = Untrusted::new("arn:aws:iam::123456789012:user/other");
    arrives(&world, &other, minute(1)).await;
    arrives(&world, &would("c"), minute(6)).await;
    assert_eq!(subjects(&world).len(), 3);
}

#[tokio::test]
async fn a_containment_and_its_end_never_wait() {
    let world = World::default();
    for n in 0..3 {
        let end = NoticeKind::Released { by: "dev".into(), reason: "mine".into(), restored: Vec::new() };
        arrives(&world, &notice(&format!("r{n}"), end), minute(0)).await;
        arrives(&world, &notice(&format!("e{n}"), NoticeKind::Escalated { why: "x".into(), held: true }), minute(0))
            .await;
    }
    assert_eq!(subjects(&world).len(), 6);
}

#[tokio::test]
async fn what_has_time_is_told_together_within_the_hour() {
    let world = World::default();
    arrives(&world, &notice("a", NoticeKind::Suspicious), minute(0)).await;
    arrives(&world, &notice("b", NoticeKind::Suspicious), minute(30)).await;
    assert!(subjects(&world).is_empty());
    clock(&world, minute(60)).await.unwrap();
    assert_eq!(subjects(&world), ["Picket LOOK AT: 2 more in 123456789012 us-east-1"]);
}

#[tokio::test]
async fn one_that_stays_alone_reads_as_if_it_had_not_waited() {
    let world = World::default();
    arrives(&world, &notice("a", NoticeKind::Suspicious), minute(0)).await;
    clock(&world, minute(60)).await.unwrap();
    assert_eq!(subjects(&world), ["Picket LOOK AT: i-00000000 in 123456789012 us-east-1"]);
}

#[tokio::test]
async fn the_first_is_told_at_once_even_when_its_message_comes_again() {
    let world = World::default();
    assert!(!keep_back(&world, &would("a"), PATIENCE, minute(0)).await.unwrap());
    // The worker died here. The message comes again.
    assert!(!keep_back(&world, &would("a"), PATIENCE, minute(1)).await.unwrap());
}

#[tokio::test]
async fn a_message_that_comes_again_after_it_was_told_with_others_is_not_told_again() {
    let world = World::default();
    for id in ["a", "b", "c"] {
        arrives(&world, &would(id), minute(0)).await;
    }
    clock(&world, minute(5)).await.unwrap();
    arrives(&world, &would("b"), minute(9)).await;
    assert_eq!(subjects(&world).len(), 2);
}

#[tokio::test]
async fn a_channel_that_is_down_for_long_makes_no_other_tell_twice() {
    let (topic, down) = (World::default(), World::default());
    for n in 0..4 {
        let id = format!("n{n}");
        arrives(&topic, &would(&id), minute(0)).await;
        down.state().faults.extend((0..400).map(|call| (call, Fault::Fails)));
    }
    for n in [5, 10, 15] {
        let pagers = [&down as &dyn Pager, &topic as &dyn Pager];
        assert!(tell_due(&topic, &pagers, minute(n)).await.is_err(), "it is said that one is down");
        keep_back(&topic, &would(&format!("late{n}")), PATIENCE, minute(n)).await.unwrap();
        keep_back(&topic, &would(&format!("later{n}")), PATIENCE, minute(n)).await.unwrap();
    }
    let told: Vec<String> = subjects(&topic).into_iter().filter(|s| s.contains("more")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(!topic.state().waiting.is_empty(), "what was not told by all stays");
    down.state().faults.clear();
    let pagers = [&down as &dyn Pager, &topic as &dyn Pager];
    tell_due(&topic, &pagers, minute(60)).await.unwrap();
    assert!(topic.state().waiting.is_empty() && subjects(&down).iter().any(|s| s.contains("more")));
}

#[tokio::test]
async fn whichever_call_fails_each_notice_is_told_in_the_end() {
    for (fault, how) in (0..40).flat_map(|n| [(n, Fault::Fails), (n, Fault::LosesReply)]) {
        let world = World::default();
        world.state().faults.insert(fault, how);
        for n in 0..4 {
            let notice = would(&format!("n{n}"));
            // Its queue shows a message again until it is done with.
            for at in [0, 1, 2].map(minute) {
                match keep_back(&world, &notice, PATIENCE, at).await {
                    Ok(true) => break,
                    Ok(false) if matches!(notify::run(&world, &notice, at).await, Ok(Told::Now | Told::Before)) => {
                        break;
                    }
                    _ => {}
                }
            }
        }
        for n in 5..9 {
            let _ = clock(&world, minute(n)).await;
        }
        assert!(world.state().waiting.is_empty(), "fault {fault}: something still waits");
        let pages = world.state().published.clone();
        assert!(pages.iter().any(|(s, _)| s.contains("3 more")), "fault {fault}: {pages:?}");
        assert!(pages.iter().any(|(s, _)| s.contains("i-00000000")), "fault {fault}: {pages:?}");
    }
}
