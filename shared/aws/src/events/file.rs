//! Files of events: one event, an array, a CloudTrail log file, or one event a line.

use picket_model::Decoded;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::malformed::Malformed;
use super::{decode, decode_value};

/// Decodes every event of a file, each with its position from 1: the line in a file of JSON lines, the number of the
/// element in an array of events or in a CloudTrail log file (`{"Records": [..]}`), and 1 for a single event.
#[must_use]
pub fn decode_all(text: &str) -> Vec<(usize, Result<Decoded, Malformed>)> {
    let text = text.trim_start_matches('\u{FEFF}');
    match serde_json::from_str(text) {
        Ok(Value::Array(events)) => numbered(&events),
        Ok(value) => match records(&value) {
            Some(records) => numbered(records),
            None => vec![(1, decode_value(&value))],
        },
        Err(_) if is_lines(text) => lines(text).map(|(n, line)| (n, decode(line))).collect(),
        Err(error) => vec![(1, Err(Malformed::not_json(&error)))],
    }
}

fn records(value: &Value) -> Option<&Vec<Value>> {
    value.as_object().filter(|file| !file.contains_key("detail-type"))?.get("Records")?.as_array()
}

fn numbered(events: &[Value]) -> Vec<(usize, Result<Decoded, Malformed>)> {
    events.iter().enumerate().map(|(n, event)| (n + 1, decode_value(event))).collect()
}

/// Whether at least one line is an object by itself: no line of a broken, indented document is.
fn is_lines(text: &str) -> bool {
    lines(text).any(|(_, line)| line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok())
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(|(n, line)| (n + 1, line))
}
