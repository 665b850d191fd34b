//! The life of a finding.

use picket_model::{AccountId, Document, Fact, Region};
use serde_json::{Value, json};

use super::*;
use crate::rules::judge_all;

const RULE: &str = "title: The thing is on\nwrong: The thing is off\nseverity: high\nlayer: foundation\nselect: t.thing\n\
    check: {at: 'on', op: eq, value: true}\nwhy: w\nfix: {how: switch it on}\n";
const KIND: &str = "kind: t.thing\nsource: t:Get\nsays: A thing.\nfields: {on: bool}\n";

fn book(waivers: &str) -> Book {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let mut files = vec![file("rules/t/on.yaml", RULE), file("kinds/t.thing.yaml", KIND)];
    if !waivers.is_empty() {
        files.push(file("waivers.yaml", waivers));
    }
    Book::with(&files).unwrap()
}

fn time(day: u8) -> Timestamp {
    format!("2026-01-{day:02}T00:00:00Z").parse().unwrap()
}

/// One round: what is known, and the thing as it is read; nothing where it is gone.
fn round(book: &Book, known: Vec<Finding>, facts: Option<Value>, complete: bool, day: u8) -> Change {
    let (account, region) = (AccountId::parse("123456789012").unwrap(), Region::parse("us-east-1").unwrap());
    let mut evidence = Evidence::default();
    if complete {
        evidence.complete("t.thing", &account, Some(&region));
    }
    evidence.add(facts.map(|facts| Document {
        kind: "t.thing".to_owned(),
        account,
        region: Some(region),
        id: "x".to_owned(),
        read_at: time(day),
        facts: Fact::known(facts, "t:Get"),
    }));
    let rules: Vec<&Rule> = book.rules().iter().filter(|r| r.select == "t.thing").collect();
    let judged = judge_all(rules.iter().copied(), &evidence);
    reconcile(book, &rules, known, &judged, &evidence, time(day))
}

#[test]
fn a_finding_is_open_from_first_seen_until_it_is_seen_to_hold() {
    let book = book("");
    let first = round(&book, Vec::new(), Some(json!({"on": false})), true, 1);
    assert_eq!((first.opened.len(), first.findings[0].title.as_str()), (1, "The thing is off"));
    let second = round(&book, first.findings.clone(), Some(json!({"on": false})), true, 2);
    assert!(second.opened.is_empty());
    assert_eq!((second.findings[0].first_seen, second.findings[0].last_seen), (time(1), time(2)));
    let third = round(&book, second.findings, Some(json!({"on": true})), true, 3);
    assert_eq!((third.resolved.len(), third.findings[0].resolved_at), (1, Some(time(3))));
    let fourth = round(&book, third.findings, Some(json!({"on": false})), true, 4);
    assert_eq!((fourth.opened.len(), fourth.findings[0].resolved_at), (1, None));
    assert_eq!(fourth.findings[0].first_seen, time(1));
}

#[test]
fn what_could_not_be_read_resolves_nothing() {
    let book = book("");
    let open = round(&book, Vec::new(), Some(json!({"on": false})), true, 1).findings;
    let unread = round(&book, open.clone(), Some(json!({})), true, 2);
    assert_eq!((unread.findings[0].resolved_at, unread.findings[0].last_seen), (None, time(1)));
    assert_eq!(round(&book, open.clone(), None, false, 2), Change::default());
    let gone = round(&book, open, None, true, 2);
    assert_eq!(gone.findings[0].resolved_at, Some(time(2)));
}

#[test]
fn a_waived_finding_stays_a_finding_and_its_waiver_ends() {
    let waivers =
        "waivers:\n  - {rule: t_on, asset: 't.thing/*', owner: me, reason: tests, until: '2026-01-03T00:00:00Z'}\n";
    let open = round(&book(waivers), Vec::new(), Some(json!({"on": false})), true, 1);
    assert_eq!(open.findings[0].status(time(2)), picket_model::Status::Waived);
    assert_eq!(open.findings[0].status(time(3)), picket_model::Status::Open);
    let without = round(&book(""), open.findings, Some(json!({"on": false})), true, 2);
    assert_eq!(without.findings[0].waiver, None);
}
