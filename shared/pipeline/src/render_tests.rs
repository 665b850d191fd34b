//! How pages read, and that no foreign word breaks a sink.

use picket_model::notice::InterfaceOutcome;
use picket_model::{InstanceId, InterfaceId, Reason, Untrusted};

use super::*;
use crate::respond::tests as respond;

fn notice(kind: NoticeKind, count: u32) -> Notice {
    let mut decision = respond::decision(count);
    for target in &mut decision.targets {
        target.name = Untrusted::new("gpu");
        target.instance_type = Some("g5.48xlarge".into());
    }
    decision.score.reasons = vec![Reason {
        signal: "miner_in_user_data".into(),
        weight: 60,
        says: "user data holds `xmrig`".into(),
        evidence: "DescribeInstanceAttribute userData of i-00000000".into(),
    }];
    let at = decision.triggered_at;
    Notice { id: "n".into(), kind, decision, at, stack: "picket".into() }
}

fn quarantined(verification: Verification) -> NoticeKind {
    let outcome = InterfaceOutcome {
        instance: InstanceId::parse("i-00000000").unwrap(),
        interface: InterfaceId::parse("eni-00000000").unwrap(),
        verification,
    };
    NoticeKind::Quarantined {
        interfaces: vec![outcome],
        contained_at: respond::decision(1).triggered_at,
        deadline: None,
    }
}

#[test]
fn an_alert_says_what_who_why_done_verified_and_how_to_lift_it() {
    let page = page(&notice(quarantined(Verification::Cut), 1));
    assert_eq!(page.subject, "Picket QUARANTINED: i-00000000 in 123456789012 us-east-1");
    for part in [
        "QUARANTINED: i-00000000 in account 123456789012, us-east-1",
        "Who       IAM user dev",
        "g5.48xlarge  named \"gpu\"",
        " 60  user data holds `xmrig`",
        "1 of 1 interfaces are in the quarantine group, read back",
        "CUT     eni-00000000",
        "picket release case-",
    ] {
        assert!(page.body.contains(part), "{part} is missing in\n{}", page.body);
    }
}

#[test]
fn a_leak_is_said_first() {
    let page = page(&notice(quarantined(Verification::Leaking("managed by elb".into())), 1));
    assert!(page.subject.starts_with("Picket QUARANTINED, BUT LEAKING"));
    assert!(page.body.contains("0 of 1 interfaces"));
}

#[test]
fn a_poisoned_name_leaves_subject_and_body_within_what_sns_takes() {
    let poison = format!("\r\nSubject: x\u{0}\u{7}\u{202E}<script>{}", "A".repeat(1_000_000));
    let mut notice = notice(quarantined(Verification::Cut), 200);
    for target in &mut notice.decision.targets {
        target.name = Untrusted::new(&poison);
        target.asset = poison.clone();
    }
    notice.stack = poison;
    let page = page(&notice);
    assert!(page.subject.len() < 100 && page.subject.bytes().all(|b| (32..127).contains(&b)), "{}", page.subject);
    assert!(page.body.len() <= 17 * 1024);
    assert!(!page.body.chars().any(|c| c.is_control() && c != '\n'));
    let plain = plain(&notice);
    assert!(plain.subject.len() < 100 && plain.body.is_ascii());
}

#[test]
fn a_cluster_s_name_stays_out_of_the_subject() {
    let mut notice = notice(NoticeKind::Suspicious, 1);
    notice.decision.targets[0].instance = None;
    notice.decision.targets[0].asset = "cluster/evil".into();
    assert!(!page(&notice).subject.contains("evil"));
    assert!(page(&notice).body.contains("cluster/evil"));
}
