//! What the table's stream says, as events of the journal. Rows that are not the journal's are passed over, here as in
//! the filter of the event source, so that a filter that is lost exports nothing else.

use jiff::Timestamp;
use picket_report::audit::{Event, Kind};
use serde_json::{Value, json};

/// The events of a batch, in its order.
pub fn events(payload: &Value) -> Vec<Event> {
    payload["Records"].as_array().map(|all| all.iter().filter_map(event).collect()).unwrap_or_default()
}

fn event(record: &Value) -> Option<Event> {
    let change = &record["dynamodb"];
    let key = |name: &str| change["Keys"][name]["S"].as_str().map(ToOwned::to_owned);
    let (pk, sk) = (key("pk")?, key("sk")?);
    if !(pk.starts_with("case#") && sk.starts_with("journal#")) {
        return None;
    }
    let (new, old) = (body(&change["NewImage"]), body(&change["OldImage"]));
    let kind = kind(record);
    Some(Event {
        id: record["eventID"].as_str().unwrap_or_default().to_owned(),
        kind,
        at: at(&change["ApproximateCreationDateTime"]),
        pk,
        sk,
        before: old.clone().filter(|_| kind == Kind::Changed),
        entries: new.or(old).unwrap_or(Value::Null),
    })
}

fn kind(record: &Value) -> Kind {
    // Source: DynamoDB developer guide, "DynamoDB Streams and Time to Live".
    let by_dynamodb = record["userIdentity"]["principalId"] == "dynamodb.amazonaws.com";
    match record["eventName"].as_str() {
        Some("INSERT") => Kind::Added,
        Some("REMOVE") if by_dynamodb => Kind::Expired,
        Some("REMOVE") => Kind::Removed,
        _ => Kind::Changed,
    }
}

/// The row's body as JSON. One that is no JSON was not written by Picket, and is kept as the text it is.
fn body(image: &Value) -> Option<Value> {
    match image["body"]["S"].as_str() {
        Some(text) => Some(serde_json::from_str(text).unwrap_or_else(|_| json!(text))),
        None => image.is_object().then(|| image.clone()),
    }
}

fn at(seconds: &Value) -> Timestamp {
    let whole = seconds.as_i64();
    let parts = seconds.as_f64().and_then(|s| jiff::SignedDuration::try_from_secs_f64(s).ok());
    let exact = whole.and_then(|s| Timestamp::from_second(s).ok());
    exact.or_else(|| Timestamp::from_duration(parts?).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, pk: &str, new: Value, old: Value) -> Value {
        json!({"eventID": "1", "eventName": name, "dynamodb": {
            "Keys": {"pk": {"S": pk}, "sk": {"S": "journal#1#x"}}, "ApproximateCreationDateTime": 1_800_000_000,
            "NewImage": new, "OldImage": old,
        }})
    }

    fn holding(text: &str) -> Value {
        json!({"body": {"S": text}})
    }

    fn one(record: &Value) -> Option<Event> {
        events(&json!({"Records": [record]})).pop()
    }

    #[test]
    fn a_new_row_is_added_a_rewritten_one_changed_with_what_it_held() {
        let added = one(&record("INSERT", "case#a", holding("[1]"), Value::Null)).unwrap();
        assert_eq!((added.kind, added.entries, added.before), (Kind::Added, json!([1]), None));
        assert_eq!(added.at.to_string(), "2027-01-15T08:00:00Z");
        let changed = one(&record("MODIFY", "case#a", holding("[2]"), holding("[1]"))).unwrap();
        assert_eq!((changed.kind, changed.entries, changed.before), (Kind::Changed, json!([2]), Some(json!([1]))));
    }

    #[test]
    fn a_row_that_dynamodb_let_expire_is_told_from_one_that_somebody_removed() {
        let mut gone = record("REMOVE", "case#a", Value::Null, holding("[1]"));
        let removed = one(&gone).unwrap();
        assert_eq!((removed.kind, removed.entries), (Kind::Removed, json!([1])));
        gone["userIdentity"] = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
        assert_eq!(one(&gone).unwrap().kind, Kind::Expired);
    }

    #[test]
    fn other_rows_are_passed_over_and_a_body_that_is_no_json_is_kept() {
        assert_eq!(one(&record("INSERT", "hold#1#r", holding("[1]"), Value::Null)), None);
        assert_eq!(events(&json!({"ask": "sweep"})), []);
        let odd = one(&record("INSERT", "case#a", holding("no json"), Value::Null)).unwrap();
        assert_eq!(odd.entries, json!("no json"));
        let bare = one(&record("INSERT", "case#a", json!({"x": {"N": "1"}}), Value::Null)).unwrap();
        assert_eq!(bare.entries, json!({"x": {"N": "1"}}));
    }
}
