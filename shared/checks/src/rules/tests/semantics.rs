//! What outcomes mean: unknown is never a pass, and every outcome says what was read.

use picket_model::{AccountId, Document, Evaluation, Fact, Region};
use serde_json::{Value, json};

use crate::rules::{Catalogue, Evidence, Kinds, judge_all};

const THING: &str = "kind: t.thing\nsource: t:Get\nsays: A thing.\nfields: {name: string, logs: [string], rules: [{cidr: cidr}], created: time, state: string, mode: any}\n";
const OTHER: &str = "kind: t.other\nsource: t:List\nsays: Another.\nfields: {name: string}\n";

fn kinds() -> Kinds {
    Kinds::parse([("t.thing.yaml", THING), ("t.other.yaml", OTHER)]).unwrap()
}

fn document(kind: &str, id: &str, facts: Fact<Value>) -> Document {
    Document {
        kind: kind.to_owned(),
        account: AccountId::parse("123456789012").unwrap(),
        region: Some(Region::parse("us-east-1").unwrap()),
        id: id.to_owned(),
        read_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        facts,
    }
}

fn judge(check: &str, facts: Value, more: impl FnOnce(&mut Evidence)) -> Evaluation {
    let text = format!(
        "title: T\nseverity: low\nlayer: network\nselect: t.thing\nwith: {{others: t.other}}\n{check}\nwhy: w\nfix: {{how: h}}\n"
    );
    let mut catalogue = Catalogue::default();
    catalogue.read_one("t/rule.yaml", &text, &kinds()).unwrap();
    let mut evidence = Evidence::default();
    evidence.add([document("t.thing", "x", Fact::known(facts, "t:Get"))]);
    more(&mut evidence);
    judge_all(catalogue.iter(), &evidence)[0].evaluation()
}

fn read_all(evidence: &mut Evidence) {
    evidence.complete("t.other", &AccountId::parse("123456789012").unwrap(), Region::parse("us-east-1").ok().as_ref());
}

fn word(check: &str, facts: Value) -> &'static str {
    judge(check, facts, read_all).outcome.word()
}

#[test]
fn what_was_not_read_is_unknown_and_says_what() {
    let leaf = "check: {at: logs, op: has, value: audit}";
    for facts in [json!({}), json!({"logs": null})] {
        let evaluation = judge(leaf, facts, read_all);
        assert_eq!(evaluation.outcome.why(), Some("`logs` was not read"));
    }
    let expr = judge("check: {expr: 'this.name == \"a\"'}", json!({}), read_all);
    assert_eq!(expr.outcome.why(), Some("`name` was not read"));
    assert_eq!(word("check: {at: logs, op: has, value: audit, default: []}", json!({})), "fail");
    assert_eq!(word("check: {at: logs, op: absent}", json!({})), "pass");
    assert_eq!(word("check: {expr: '!has(this.name)'}", json!({"name": null})), "pass");
}

#[test]
fn what_is_missing_in_a_part_that_was_not_read_is_neither_absent_nor_its_default() {
    let partly = || json!({"mode": {"a": 1}, "unread": {"mode": "the node was not asked"}});
    for check in [
        "check: {at: mode.b, op: absent}",
        "check: {at: mode.b, op: present}",
        "check: {at: mode.b, op: eq, value: 1, default: 1}",
    ] {
        let evaluation = judge(check, partly(), read_all);
        assert_eq!(evaluation.outcome.why(), Some("the node was not asked"), "{check}");
    }
    assert_eq!(word("check: {at: mode.a, op: eq, value: 1}", partly()), "pass");
    assert_eq!(word("check: {at: logs, op: absent}", partly()), "pass", "another part was read");
}

#[test]
fn a_list_beside_that_was_not_read_makes_it_unknown() {
    let check = "check: {expr: 'others.exists(o, o.name == this.name)'}";
    let facts = json!({"name": "a"});
    assert_eq!(judge(check, facts.clone(), |_| {}).outcome.why(), Some("t.other was not read"));
    let denied = judge(check, facts.clone(), |e| {
        e.add([document("t.other", "*", Fact::unknown("t:List was denied; grant it"))]);
    });
    assert_eq!(denied.outcome.why(), Some("t:List was denied; grant it"));
    assert_eq!(judge(check, facts.clone(), read_all).outcome.word(), "fail");
    let there = judge(check, facts, |e| e.add([document("t.other", "o", Fact::known(json!({"name": "a"}), "t:List"))]));
    assert_eq!(there.outcome.word(), "pass");
}

#[test]
fn a_failure_is_told_apart_from_what_holds_beside_it() {
    let check = "check: {at: 'rules[*].cidr', op: cidr_not_public}";
    let facts = json!({"rules": [{"cidr": "10.0.0.0/8"}, {"cidr": "0.0.0.0/0"}, {}]});
    let evaluation = judge(check, facts, read_all);
    assert_eq!(evaluation.outcome.word(), "fail");
    let readings: Vec<_> = evaluation.readings.iter().map(|r| (r.at.as_str(), r.found.as_str())).collect();
    assert_eq!(readings, [("rules[1].cidr", "0.0.0.0/0")]);
    assert_eq!(evaluation.readings[0].expected, "not the whole internet");
    assert_eq!(evaluation.readings[0].source, "t:Get");
    assert_eq!(word(check, json!({"rules": [{"cidr": "10.0.0.0/8"}, {}]})), "unknown");
    assert_eq!(word(check, json!({"rules": []})), "pass");
}

#[test]
fn all_any_and_none_know_what_they_do_not_know() {
    let of =
        |word: &str| format!("check: {{{word}: [{{at: name, op: eq, value: a}}, {{at: state, op: eq, value: on}}]}}");
    let (yes, half, no) = (json!({"name": "a", "state": "on"}), json!({"name": "a"}), json!({"name": "b"}));
    for (word_, expected) in [("all", ["pass", "unknown", "fail"]), ("any", ["pass", "pass", "unknown"])] {
        let found = [&yes, &half, &no].map(|f| word(&of(word_), f.clone()));
        assert_eq!(found, expected, "{word_}");
    }
    assert_eq!([&yes, &half, &no].map(|f| word(&of("none"), f.clone())), ["fail", "fail", "unknown"]);
    let none = judge(&of("none"), half, read_all);
    assert_eq!((none.readings.len(), none.readings[0].expected.as_str()), (1, "not: a"));
}

#[test]
fn a_question_that_does_not_arise_says_why() {
    let check = "when: {at: state, op: eq, value: ACTIVE}\nbecause: it is being made\ncheck: {at: name, op: present}";
    assert_eq!(judge(check, json!({"state": "CREATING"}), read_all).outcome.why(), Some("it is being made"));
    assert_eq!(word(check, json!({"state": "ACTIVE", "name": "x"})), "pass");
    assert_eq!(word(check, json!({"name": "x"})), "unknown");
}

#[test]
fn a_denied_document_is_unknown_for_every_rule_about_it() {
    let mut catalogue = Catalogue::default();
    let rule =
        "title: T\nseverity: low\nlayer: os\nselect: t.thing\ncheck: {at: name, op: absent}\nwhy: w\nfix: {how: h}\n";
    catalogue.read_one("t/rule.yaml", rule, &kinds()).unwrap();
    let mut evidence = Evidence::default();
    evidence.add([document("t.thing", "*", Fact::unknown("t:Get was denied; grant it"))]);
    let evaluation = judge_all(catalogue.iter(), &evidence)[0].evaluation();
    assert_eq!(
        (evaluation.outcome.why(), evaluation.asset.as_str()),
        (Some("t:Get was denied; grant it"), "t.thing/*")
    );
}

#[test]
fn an_expression_shows_what_it_read() {
    let check = "check: {expr: 'now - time(this.created) < duration(\"90d\") && size(others) > 0', expected: younger than 90 days}";
    let evaluation = judge(check, json!({"created": "2025-01-01T00:00:00Z"}), read_all);
    assert_eq!(evaluation.outcome.word(), "fail");
    let read: Vec<_> = evaluation.readings.iter().map(|r| format!("{}={}", r.at, r.found)).collect();
    assert_eq!(read, ["others=0 of others", "created=2025-01-01T00:00:00Z"]);
    assert!(evaluation.readings.iter().all(|r| r.expected == "younger than 90 days"));
}

#[test]
fn a_document_of_megabytes_costs_no_message_of_megabytes() {
    let evaluation = judge("check: {at: name, op: eq, value: a}", json!({"name": "x".repeat(5_000_000)}), read_all);
    assert!(evaluation.readings[0].found.as_str().chars().count() <= 257);
}

#[test]
fn what_the_collector_says_of_a_field_that_it_could_not_read_is_the_reason() {
    let facts = json!({"unread": {"name": "t:GetName was denied; grant it to the role that collects"}});
    for check in ["check: {at: name, op: eq, value: a}", "check: {expr: \"this.name == 'a'\"}"] {
        let why = judge(check, facts.clone(), read_all).outcome.why().map(str::to_owned);
        assert_eq!(why.as_deref(), Some("t:GetName was denied; grant it to the role that collects"), "{check}");
    }
}
