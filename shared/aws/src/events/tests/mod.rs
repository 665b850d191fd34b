//! Events of our own making, in the shapes that AWS sends, and what they must become.
//! `sentence` writes an outcome on one line, so that a table of cases reads as a specification.

mod calls;
mod files;
mod findings;
mod hostile;
mod instances;
mod notifications;
mod records;

use picket_model::{Decoded, Signal, Subject, Trigger};
use serde_json::{Value, json};

use super::{Malformed, decode};

const ONE: &str = "i-0aaaaaaaaaaaaaaa1";
const TWO: &str = "i-0aaaaaaaaaaaaaaa2";

/// An event in its envelope.
fn event(source: &str, detail_type: &str, detail: Value) -> Value {
    json!({
        "version": "0", "id": "6f6d5f0e-0000-4000-8000-000000000001", "detail-type": detail_type, "source": source,
        "account": "123456789012", "time": "2026-01-31T12:00:05Z", "region": "us-east-1", "resources": [], "detail": detail,
    })
}

/// A successful API call by the role `Deploy`.
fn call(service: &str, name: &str, request: Value, reply: Value) -> Value {
    let record = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROAEXAMPLE:alice", "accountId": "123456789012",
            "arn": "arn:aws:sts::123456789012:assumed-role/Deploy/alice", "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": "AROAEXAMPLE", "accountId": "123456789012", "userName": "Deploy",
                    "arn": "arn:aws:iam::123456789012:role/team/Deploy",
                },
                "attributes": {"creationDate": "2026-01-31T11:00:00Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": "2026-01-31T12:00:00Z", "eventSource": format!("{service}.amazonaws.com"), "eventName": name,
        "awsRegion": "us-east-1", "sourceIPAddress": "192.0.2.7", "userAgent": "aws-cli/2.30.0",
        "requestParameters": request, "responseElements": reply,
        "requestID": "00000000-0000-4000-8000-00000000000a", "eventID": "00000000-0000-4000-8000-00000000000b",
        "readOnly": false, "eventType": "AwsApiCall", "managementEvent": true,
        "recipientAccountId": "123456789012", "eventCategory": "Management",
    });
    event(&format!("aws.{service}"), "AWS API Call via CloudTrail", record)
}

/// `event` with `value` at a JSON pointer; a last name that is not there yet is added.
fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
    event
}

/// `event` without what is at a JSON pointer.
fn without(mut event: Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    event
}

fn failed(event: Value, code: &str) -> Value {
    with(with(event, "/detail/errorCode", json!(code)), "/detail/responseElements", Value::Null)
}

fn trigger(event: &Value) -> Trigger {
    match decode(&event.to_string()) {
        Ok(Decoded::Trigger(trigger)) => *trigger,
        other => panic!("no trigger but {other:?}"),
    }
}

fn sentence(outcome: &Result<Decoded, Malformed>) -> String {
    let trigger = match outcome {
        Ok(Decoded::Trigger(trigger)) => trigger,
        Ok(Decoded::Drop(why)) => return format!("drop: {why}"),
        Err(malformed) => return format!("malformed: {malformed}"),
    };
    let subject = match &trigger.subject {
        Subject::Instances(ids) => ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(" "),
        Subject::Attempt { error, instance_type, count } => {
            format!("{error} for {count} {}", instance_type.clone().unwrap_or_default())
        }
        other => other.to_string(),
    };
    let signal = match &trigger.signal {
        None => String::new(),
        Some(Signal::Finding { finding, severity_tenths }) => format!(", {finding} at {severity_tenths}"),
        Some(Signal::Requested { action }) => format!(", asked for {action}"),
    };
    format!("{}: {subject}{signal}", trigger.kind)
}

/// Every event must become its sentence; a sentence that ends in `…` is the beginning of a longer one.
fn check(cases: &[(Value, &str)]) {
    for (event, expected) in cases {
        let got = sentence(&decode(&event.to_string()));
        match expected.strip_suffix('…') {
            Some(start) => assert!(got.starts_with(start), "\n got {got}\nwant {expected}\n for {event}"),
            None => assert_eq!(&got, expected, "for {event}"),
        }
    }
}
