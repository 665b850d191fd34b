//! That every channel says enough to act on, stays within what its sink takes, and that no foreign word does anything.

use picket_model::notice::{Became, FixNotice, InterfaceOutcome};
use picket_model::{InstanceId, InterfaceId, NoticeKind, Reason, Untrusted, Verification};

use super::*;
use crate::render::{page, plain, story};
use crate::respond::tests as respond;

const POISON: &[&str] = &[
    "<!channel> <@U0123> <https://evil.example|open the plan>",
    "`*_~[click](https://evil.example)~_*`",
    "@here @everyone <at>all</at>",
    "\"}],\"text\":\"x\" \\ \u{0} \r\n\u{202E}",
    "</script><script>alert(1)</script>",
];

fn notice(kind: NoticeKind) -> Notice {
    let mut decision = respond::decision(1);
    decision.score.reasons = vec![Reason {
        signal: "miner_in_user_data".into(),
        weight: 60,
        says: "user data holds `xmrig`".into(),
        evidence: "DescribeInstanceAttribute userData of i-00000000".into(),
    }];
    let at = decision.triggered_at;
    Notice { id: "n".into(), kind, decision, at, stack: "picket".into() }
}

fn quarantined() -> Notice {
    let outcome = |n: u8, verification| InterfaceOutcome {
        instance: InstanceId::parse("i-00000000").unwrap(),
        interface: InterfaceId::parse(format!("eni-0000000{n}")).unwrap(),
        verification,
    };
    let interfaces =
        vec![outcome(0, Verification::Cut), outcome(1, Verification::Pending("a flow is still tracked".into()))];
    notice(NoticeKind::Quarantined { interfaces, contained_at: respond::decision(1).triggered_at, deadline: None })
}

fn released() -> Notice {
    notice(NoticeKind::Released { by: "dev".into(), reason: "mine".into(), restored: Vec::new() })
}

fn fix(became: Became) -> Notice {
    let id = respond::decision(1).case;
    notice(NoticeKind::Fix(Box::new(FixNotice {
        id,
        became,
        steps: vec!["close 22 to 0.0.0.0/0 in sg-1".into()],
        says: "open to the world".into(),
        by: "collect".into(),
        command: Some("picket approve case-0123456789ab --stack picket".into()),
        link: Some("https://x.lambda-url.example/?fix=1".into()),
        expires_at: None,
    })))
}

/// Every kind, each with every word from outside replaced.
fn poisoned(poison: &str) -> Vec<Notice> {
    let kinds = [
        quarantined().kind,
        released().kind,
        fix(Became::Proposed).kind,
        NoticeKind::Suspicious,
        NoticeKind::Refused { why: poison.into() },
        NoticeKind::Escalated { why: poison.into(), held: true },
        NoticeKind::WouldQuarantine { steps: vec![poison.into(); 200] },
        NoticeKind::Tampering { what: poison.into() },
        NoticeKind::Trouble { what: poison.into() },
    ];
    let poisoned = |mut kind: NoticeKind| {
        match &mut kind {
            NoticeKind::Released { by, reason, .. } => (*by, *reason) = (poison.into(), poison.into()),
            NoticeKind::Fix(fix) => {
                fix.says = poison.into();
                fix.by = poison.into();
                fix.steps = vec![poison.into(); 200];
            }
            _ => {}
        }
        let mut notice = notice(kind);
        for target in &mut notice.decision.targets {
            (target.name, target.asset) = (Untrusted::new(poison), poison.into());
            (target.instance_type, target.node_of) = (Some(poison.into()), Some(poison.into()));
        }
        notice.decision.score.reasons.iter_mut().for_each(|r| (r.says, r.evidence) = (poison.into(), poison.into()));
        notice.decision.score.unknown = vec![poison.into(); 200];
        notice.stack = poison.into();
        if let Some(p) = &mut notice.decision.principal {
            (p.arn, p.name, p.source_ip) = (poison.into(), poison.into(), Some(poison.into()));
        }
        notice
    };
    kinds.into_iter().map(poisoned).collect()
}

fn form(notice: &Notice, channel: &str) -> String {
    page(notice).form(channel).unwrap_or_else(|| panic!("{channel} says nothing")).to_owned()
}

fn json(notice: &Notice, channel: &str) -> Value {
    serde_json::from_str(&form(notice, channel)).unwrap()
}

/// Every string of a JSON value, with the key that holds it.
fn strings<'a>(value: &'a Value, key: &'a str, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::String(s) => found.push((key, s)),
        Value::Array(all) => all.iter().for_each(|v| strings(v, key, found)),
        Value::Object(all) => all.iter().for_each(|(k, v)| strings(v, k, found)),
        _ => {}
    }
}

#[test]
fn every_file_of_the_folder_is_a_channel_and_they_are_in_order() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/channels");
    let names = std::fs::read_dir(folder).unwrap().filter_map(|f| f.ok()?.file_name().into_string().ok());
    let mut files: Vec<String> = names.filter_map(|n| n.strip_suffix(".rs").map(ToOwned::to_owned)).collect();
    files.retain(|n| n != "mod" && n != "tests");
    files.sort();
    assert_eq!(CHANNELS.iter().map(|c| c.name).collect::<Vec<_>>(), files);
}

#[test]
fn a_text_message_is_one_part_that_says_what_and_how_to_lift_it() {
    let text = form(&quarantined(), "sms");
    assert!(
        text.starts_with("Picket QUARANTINED: i-00000000 in 123456789012 us-east-1. 1 CUT, 1 PENDING. picket"),
        "{text}"
    );
    assert!(text.contains("picket release case-") && text.len() <= 140, "{text}");
}

#[test]
fn a_chat_notice_has_amazon_q_s_shape_and_the_thread_of_its_case() {
    let chat = json(&quarantined(), "chat");
    assert_eq!((&chat["version"], &chat["source"]), (&"1.0".into(), &"custom".into()));
    assert_eq!(chat["content"]["textType"], "client-markdown");
    assert!(
        chat["content"]["title"]
            .as_str()
            .unwrap()
            .ends_with("Picket QUARANTINED: i-00000000 in 123456789012 us-east-1")
    );
    let description = chat["content"]["description"].as_str().unwrap();
    assert!(description.contains("*Why*\n`60  user data holds 'xmrig'"), "{description}");
    assert!(chat["content"]["nextSteps"][0].as_str().unwrap().starts_with("Lift it: `picket release case-"));
    let case = quarantined().decision.case.to_string();
    assert_eq!(chat["metadata"]["threadId"], case);
    assert_eq!(json(&released(), "chat")["metadata"]["threadId"], case);
}

#[test]
fn pagerduty_is_woken_by_a_containment_and_told_of_its_end_and_left_alone_otherwise() {
    let (trigger, resolve) = (json(&quarantined(), "pagerduty"), json(&released(), "pagerduty"));
    assert_eq!((&trigger["event_action"], &resolve["event_action"]), (&"trigger".into(), &"resolve".into()));
    assert_eq!(trigger["dedup_key"], resolve["dedup_key"]);
    assert_eq!(trigger["payload"]["severity"], "critical");
    assert!(trigger["payload"]["custom_details"]["Lift it"].as_str().unwrap().starts_with("picket release"));
    assert_eq!(page(&notice(NoticeKind::Suspicious)).form("pagerduty"), None);
    assert_eq!(page(&fix(Became::Fixed)).form("pagerduty"), None);
}

#[test]
fn a_machine_is_told_the_same_as_a_person_and_every_kind_has_a_name() {
    let said = json(&quarantined(), "machine");
    assert_eq!((&said["kind"], &said["severity"]), (&"quarantined".into(), &"critical".into()));
    assert_eq!(said["interfaces"][1]["is"], "PENDING");
    assert_eq!(said["text"], page(&quarantined()).body);
    for notice in poisoned("x") {
        assert!(NoticeKind::NAMES.contains(&notice.kind.name()));
    }
}

#[test]
fn a_question_leads_to_its_plan_in_every_channel_that_shows_addresses() {
    let link = "https://x.lambda-url.example/?fix=1";
    assert!(json(&fix(Became::Proposed), "slack").to_string().contains(&format!("\"url\":\"{link}\"")));
    assert!(json(&fix(Became::Proposed), "chat")["content"]["description"].as_str().unwrap().contains(link));
    assert!(form(&fix(Became::Proposed), "email").contains(link));
}

#[test]
fn no_foreign_word_is_markup_a_mention_or_a_link_in_chat() {
    for notice in POISON.iter().flat_map(|p| poisoned(p)) {
        let chat = json(&notice, "chat");
        let (content, mut found) = (&chat["content"], Vec::new());
        strings(&content["description"], "", &mut found);
        strings(&content["nextSteps"], "", &mut found);
        for (_, text) in found {
            let ours = text.replace("https://x.lambda-url.example/?fix=1", "");
            assert!(!ours.contains(['<', '>', '@']) && !ours.contains("://"), "{ours}");
            assert!(ours.lines().all(|l| l.matches('`').count() % 2 == 0), "a word left its backticks: {ours}");
        }
    }
}

#[test]
fn foreign_words_stand_in_slack_only_where_slack_reads_no_markup() {
    for notice in POISON.iter().flat_map(|p| poisoned(p)) {
        let slack = json(&notice, "slack");
        let mut found = Vec::new();
        strings(&slack, "", &mut found);
        assert!(found.iter().all(|(k, t)| *k != "type" || *t != "mrkdwn"));
        assert!(found.iter().all(|(k, t)| *k != "url" || t.starts_with("https://x.lambda-url.example/")));
        // What notifications show is read as markup: it holds no word from outside.
        assert!(!slack["text"].as_str().unwrap().contains(['<', '&', '@', '`']), "{}", slack["text"]);
        assert!(slack["blocks"].as_array().unwrap().len() <= 50);
        assert!(slack["blocks"][0]["text"]["text"].as_str().unwrap().chars().count() <= 150);
    }
}

#[test]
fn whatever_the_words_every_form_stays_within_its_sink() {
    let long = format!("{}\u{1F525}", "A".repeat(300_000));
    for notice in POISON.iter().copied().chain([long.as_str()]).flat_map(poisoned) {
        for page in [page(&notice), plain(&notice)] {
            for form in &page.forms {
                let longest = match form.channel {
                    "sms" => 140,
                    "email" => 17 * 1024,
                    "chat" => 40 * 1024,
                    "slack" => 60 * 1024,
                    _ => 200 * 1024,
                };
                assert!(form.text.len() <= longest, "{} has {} bytes", form.channel, form.text.len());
                assert!(form.channel != "sms" || form.text.bytes().all(|b| (32..127).contains(&b)));
            }
            let in_sns: usize = page.forms.iter().filter(|f| !f.protocols.is_empty()).map(|f| f.text.len()).sum();
            assert!(in_sns + page.body.len() < 250 * 1024, "{in_sns}");
        }
        let chat = json(&notice, "chat");
        assert!(chat["content"]["title"].as_str().unwrap().chars().count() <= 250);
        assert!(chat["content"]["description"].as_str().unwrap().chars().count() <= 8_000);
    }
}

#[test]
fn the_plainer_form_holds_no_word_from_outside() {
    for notice in POISON.iter().flat_map(|p| poisoned(p)) {
        let page = plain(&notice);
        assert!(page.plain && page.body.is_ascii());
        assert!(page.forms.iter().all(|f| f.channel == "machine" || f.text.len() < 2_000));
    }
    assert_eq!(story(&quarantined()).commands().count(), 2);
}
