//! Plain JSON from the SDK's types: absent stays absent, times are RFC 3339, tags are a map.

use aws_sdk_ec2::primitives::DateTime;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Text that an API may leave out.
pub trait Text {
    /// The text; empty when left out.
    fn text(self) -> String;
}

impl Text for &str {
    fn text(self) -> String {
        self.to_owned()
    }
}

impl Text for String {
    fn text(self) -> String {
        self
    }
}

impl Text for Option<&str> {
    fn text(self) -> String {
        self.unwrap_or_default().to_owned()
    }
}

/// Without the fields that are null: rules tell absent from false.
#[must_use]
pub fn tidy(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, tidy(v)));
            Value::Object(kept.collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(tidy).collect()),
        other => other,
    }
}

/// Tags as a map.
pub fn tags<'a, K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Value
where
    K: Into<Option<&'a str>>,
    V: Into<Option<&'a str>>,
{
    let pair = |(k, v): (K, V)| Some((k.into()?.to_owned(), Value::from(v.into().unwrap_or_default())));
    Value::Object(pairs.into_iter().filter_map(pair).collect::<Map<_, _>>())
}

/// A time as text.
#[must_use]
pub fn time(at: Option<&DateTime>) -> Option<String> {
    at.and_then(moment).map(|t| t.to_string())
}

/// Whole days from `at` until `now`; negative when it is still to come.
#[must_use]
pub fn days_since(at: Option<&DateTime>, now: Timestamp) -> Option<i64> {
    at.and_then(moment).map(|t| days_between(t, now))
}

/// Whole days from `then` until `now`, rounded down, so that -1 is within the day to come.
#[must_use]
pub fn days_between(then: Timestamp, now: Timestamp) -> i64 {
    (now.as_second() - then.as_second()).div_euclid(86_400)
}

fn moment(at: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(at.secs()).ok()
}

/// A field of a document's value by name; null when absent.
#[must_use]
pub fn field<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
    path.iter().fold(value, |v, key| v.get(key).unwrap_or(&Value::Null))
}

/// The texts of a list.
pub fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_api_left_out_is_left_out() {
        let found = tidy(json!({"a": null, "b": [{"c": null, "d": 1}], "e": false}));
        assert_eq!(found, json!({"b": [{"d": 1}], "e": false}));
    }

    #[test]
    fn tags_are_a_map_whatever_the_service_calls_them() {
        assert_eq!(tags([("a", "1"), ("b", "")]), json!({"a": "1", "b": ""}));
        assert_eq!(tags([(Some("a"), None), (None, Some("x"))]), json!({"a": ""}));
    }

    #[test]
    fn days_are_counted_down() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(days_between(at("2026-01-01T00:00:00Z"), at("2026-01-31T23:00:00Z")), 30);
        assert_eq!(days_between(at("2026-01-02T00:00:00Z"), at("2026-01-01T12:00:00Z")), -1);
    }
}
