//! Comparisons of plain values, as kube-bench makes them: everything is text first, booleans whatever their case,
//! numbers by value, lists by their elements. `substring` is how kube-bench takes `has` and `nothave`.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A value as text, as a flag or a file would have it; none for lists and maps.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Number(n) => Some(n.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether two scalars say the same.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => same_text(a, b),
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(_), Value::Object(_)) => a == b,
        _ => match (text(a), text(b)) {
            (Some(a), Some(b)) => same_text(&a, &b),
            _ => false,
        },
    }
}

fn same_text(found: &str, expected: &str) -> bool {
    let is_boolean = found.eq_ignore_ascii_case("true") || found.eq_ignore_ascii_case("false");
    if is_boolean { found.eq_ignore_ascii_case(expected) } else { found == expected }
}

/// A number, or text that is one.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
        _ => None,
    }
}

/// The elements of a list, or of text with commas. An empty text has none.
pub(crate) fn elements(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items.clone()),
        Value::Object(map) => Some(map.keys().map(|k| Value::String(k.clone())).collect()),
        other => {
            let text = text(other)?;
            let parts = text.trim().trim_end_matches(',').split(',').map(str::trim);
            let parts: Vec<_> = parts.map(|p| Value::String(p.to_owned())).collect();
            Some(if text.trim().is_empty() { Vec::new() } else { parts })
        }
    }
}

/// Whether `expected` is among the elements of `found`; nothing is always there, as for kube-bench.
pub(crate) fn has(found: &Value, expected: &Value) -> Option<bool> {
    if expected == "" {
        return Some(true);
    }
    let among = |items: &[Value]| items.iter().any(|i| same(i, expected));
    match found {
        Value::Array(items) => Some(among(items)),
        Value::Object(map) => Some(text(expected).is_some_and(|key| map.contains_key(&key))),
        other => elements(other).map(|items| among(&items)),
    }
}

/// Whether the text of `found` holds that of `expected` anywhere.
pub(crate) fn contains(found: &Value, expected: &Value) -> Option<bool> {
    let expected = text(expected)?;
    match found {
        Value::Array(items) => Some(items.iter().filter_map(text).any(|t| t.contains(&expected))),
        other => text(other).map(|t| t.contains(&expected)),
    }
}

/// Whether every element of `found` is allowed; an empty value only where nothing is.
pub(crate) fn all_valid(found: &Value, allowed: &[Value]) -> Option<bool> {
    let found = elements(found)?;
    Some(match (found.is_empty(), allowed.is_empty()) {
        (true, empty) => empty,
        (false, true) => false,
        _ => found.iter().all(|f| allowed.iter().any(|a| same(f, a))),
    })
}

/// A file mode: a number is the mode itself, text is octal.
pub(crate) fn mode(value: &Value) -> Option<u32> {
    match value {
        Value::Number(n) => n.as_u64().and_then(|n| u32::try_from(n).ok()),
        Value::String(text) => u32::from_str_radix(text.trim().trim_start_matches("0o"), 8).ok(),
        _ => None,
    }
}

/// The mode that a rule allows: its digits are octal, however YAML took them.
pub(crate) fn octal(value: &Value) -> Option<u32> {
    u32::from_str_radix(text(value)?.trim().trim_start_matches("0o"), 8).ok()
}

/// A length of time in seconds: `90d`, `4h0m0s`, or seconds.
pub(crate) fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(n) => n.as_i64(),
        Value::String(text) => seconds_of(text),
        _ => None,
    }
}

/// The same for text.
pub(crate) fn seconds_of(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    // Days stand before the rest and are 24 hours, which a length of time does not know by itself.
    let (days, rest) = match text.split_once('d') {
        Some((days, rest)) => (days.parse::<i64>().ok()?, rest),
        None => (0, text),
    };
    let rest = if rest.is_empty() {
        0
    } else {
        rest.parse::<SignedDuration>().map(|d| d.as_secs()).ok().or_else(|| in_any_order(rest))?
    };
    days.checked_mul(86_400)?.checked_add(rest)
}

/// Go reads hours, minutes and seconds in any order: `1s9m3h`.
fn in_any_order(text: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(end);
        let unit = match after.chars().next()? {
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = number.parse::<i64>().ok()?.checked_mul(unit)?.checked_add(total)?;
        rest = after.get(1..)?;
    }
    Some(total)
}

/// How old a time was at `now`, or how long a length of time is, in seconds.
pub(crate) fn age(value: &Value, now: Timestamp) -> Option<i64> {
    if let Value::String(text) = value
        && let Ok(time) = text.parse::<Timestamp>()
    {
        return Some(now.as_second() - time.as_second());
    }
    seconds(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_compared_by_their_elements() {
        assert_eq!(has(&json!("Node,RBAC"), &json!("RBAC")), Some(true));
        assert_eq!(has(&json!("NodeRestriction"), &json!("Node")), Some(false));
        assert_eq!(contains(&json!("NodeRestriction"), &json!("Node")), Some(true));
        assert_eq!(has(&json!(["audit", "api"]), &json!("audit")), Some(true));
        assert_eq!(has(&json!({"a.b": 1}), &json!("a.b")), Some(true));
    }

    #[test]
    fn lengths_of_time_are_read_as_aws_go_and_people_write_them() {
        for (text, expected) in
            [("90d", 7_776_000), ("4h0m0s", 14_400), ("1d12h", 129_600), ("300", 300), ("0", 0), ("1s9m3h", 11_341)]
        {
            assert_eq!(seconds_of(text), Some(expected), "{text}");
        }
        for text in ["", "soon", "d", "9999999999999999d", "9m3", "mh"] {
            assert_eq!(seconds_of(text), None, "{text}");
        }
    }

    #[test]
    fn modes_are_octal_text_or_numbers_as_the_system_has_them() {
        assert_eq!(mode(&json!("0644")), Some(0o644));
        assert_eq!(mode(&json!(0o644)), Some(0o644));
        assert_eq!(octal(&json!(644)), Some(0o644));
        assert_eq!(mode(&json!("rw-r--r--")), None);
    }
}
