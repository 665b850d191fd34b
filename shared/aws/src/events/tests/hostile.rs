//! Events as nobody should send them.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::*;
use crate::events::{MOST_INSTANCES, decode_value, glance};

fn all() -> Vec<Value> {
    [calls::cases(), findings::cases(), notifications::cases()].concat().into_iter().map(|(event, _)| event).collect()
}

/// The pointers of all values inside.
fn pointers(value: &Value, here: &str, into: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(k, v)| (k.replace('~', "~0").replace('/', "~1"), v)).collect(),
        Value::Array(all) => all.iter().enumerate().map(|(n, v)| (n.to_string(), v)).collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        let there = format!("{here}/{key}");
        pointers(child, &there, into);
        into.push(there);
    }
}

fn removed(event: &Value, pointer: &str) -> Value {
    let mut event = event.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match event.pointer_mut(parent).unwrap() {
        Value::Object(object) => drop(object.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Value::Array(all) => drop(all.remove(name.parse().unwrap())),
        _ => {}
    }
    event
}

/// The event with each of its values gone, or something else in its place. `seen` holds what was done to its kind before.
fn mutants(event: &Value, seen: &mut HashSet<String>) -> Vec<Value> {
    let mut places = Vec::new();
    pointers(event, "", &mut places);
    let kind = format!("{} {}", event["detail-type"], event["detail"]["eventName"]);
    places.retain(|place| seen.insert(format!("{kind} {place}")));
    let values = [
        Value::Null,
        json!(-1.5e300),
        json!(""),
        json!("é/:\u{202e}\n\"`"),
        json!([]),
        json!({}),
        json!([null, 5, "x", {}]),
        json!({"items": {"item": [{}]}}),
    ];
    let mut all: Vec<_> = places.iter().map(|place| removed(event, place)).collect();
    for (place, value) in places.iter().flat_map(|place| values.iter().map(move |value| (place, value))) {
        let mut event = event.clone();
        *event.pointer_mut(place).unwrap() = value.clone();
        all.push(event);
    }
    all
}

#[test]
fn no_mutation_of_any_event_panics_and_the_glance_never_drops_what_the_long_way_keeps() {
    let mut seen = HashSet::new();
    let mutants: Vec<_> = all().iter().flat_map(|event| mutants(event, &mut seen)).collect();
    assert!(mutants.len() > 10_000, "{}", mutants.len());
    for event in all().iter().chain(&mutants) {
        let (quick, long) = (decode(&event.to_string()), decode_value(event));
        assert_eq!(quick, long, "for {event}");
        if let Ok(Decoded::Trigger(trigger)) = &long {
            assert!(
                !matches!(&trigger.subject, Subject::Instances(ids) if ids.is_empty() || ids.len() > MOST_INSTANCES)
            );
        }
        if let Err(malformed) = long {
            let text = malformed.to_string();
            assert!(text.chars().count() < 900 && !text.contains(['\n', '\u{202e}']), "{text}");
        }
    }
}

#[test]
fn the_glance_alone_drops_what_nobody_watches() {
    let dropped: Vec<_> =
        all().into_iter().filter(|e| sentence(&decode(&e.to_string())) == "drop: not watched").collect();
    assert!(dropped.len() > 5);
    for event in dropped {
        assert!(glance::is_surely_not_watched(&event.to_string()), "{event}");
    }
}

#[test]
fn text_cut_off_anywhere_is_malformed() {
    let (event, _) = calls::cases().remove(0);
    let text = event.to_string();
    for end in (0..text.len()).filter(|n| text.is_char_boundary(*n)) {
        assert!(decode(&text[..end]).is_err(), "{end}");
    }
}

#[test]
fn json_nested_without_end_is_refused_and_costs_nothing_where_it_is_skipped() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(sentence(&decode(&deep)).starts_with("malformed: the text is not JSON: recursion limit exceeded"));
    let other = format!(r#"{{"source":"aws.s3","detail-type":"Object Created","detail":{{"x":{deep}}}}}"#);
    assert_eq!(sentence(&decode(&other)), "drop: not watched");
}

#[test]
fn a_reason_is_short_whatever_the_event_holds() {
    let (event, _) = calls::cases().remove(0);
    let long = json!("x".repeat(1_000_000));
    for pointer in
        ["/detail/eventTime", "/detail/recipientAccountId", "/source", "/detail/eventName", "/detail/eventSource"]
    {
        let text = sentence(&decode(&with(event.clone(), pointer, long.clone()).to_string()));
        assert!(text.chars().count() < 600, "{pointer}: {text}");
    }
}

#[test]
fn names_with_escapes_mean_what_they_spell() {
    let text = r#"{"source":"aws.\u0065c2","detail-type":"AWS API Call via Cloud\u0054rail","account":"123456789012","detail":{"eventSource":"ec2.amazonaws.\u0063om","eventName":"Run\u0049nstances","awsRegion":"us-east-1","eventTime":"2026-01-31T12:00:00Z","requestParameters":{"clientToken":"t"}}}"#;
    assert_eq!(sentence(&decode(text)), "run_instances: the launch with client token t");
}
