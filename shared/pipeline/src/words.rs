//! A change in words: which fields go from what to what. For plans, journals and people; the values themselves are kept
//! beside it.

use serde_json::Value;

/// How many characters of one value are shown.
const SHOWN: usize = 60;

/// What differs between two values, field by field.
#[must_use]
pub fn change(from: &Value, to: &Value) -> String {
    let (Some(old), Some(new)) = (from.as_object(), to.as_object()) else {
        return format!("{} -> {}", short(from), short(to));
    };
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let nothing = Value::Null;
    let changed = names.into_iter().filter_map(|name| {
        let (a, b) = (old.get(name).unwrap_or(&nothing), new.get(name).unwrap_or(&nothing));
        (a != b).then(|| format!("{name} {}", field(a, b)))
    });
    changed.collect::<Vec<_>>().join("; ")
}

/// Lists are told by what goes and what comes.
fn field(from: &Value, to: &Value) -> String {
    let (Some(old), Some(new)) = (from.as_array(), to.as_array()) else {
        return format!("{} -> {}", short(from), short(to));
    };
    let gone = old.iter().filter(|o| !new.contains(o)).map(|o| format!("-{}", short(o)));
    let came = new.iter().filter(|n| !old.contains(n)).map(|n| format!("+{}", short(n)));
    gone.chain(came).collect::<Vec<_>>().join(" ")
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() <= SHOWN { text } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_told_by_the_fields_that_differ() {
        let from = json!({"public": true, "private": false, "cidrs": ["0.0.0.0/0", "10.0.0.0/8"]});
        let to = json!({"public": false, "private": false, "cidrs": ["10.0.0.0/8", "192.0.2.0/24"]});
        assert_eq!(change(&from, &to), "cidrs -0.0.0.0/0 +192.0.2.0/24; public on -> off");
        assert_eq!(change(&json!({"days": null}), &json!({"days": 365})), "days none -> 365");
    }

    #[test]
    fn a_long_value_is_cut() {
        assert!(change(&json!({"a": "x".repeat(500)}), &json!({"a": 1})).len() < 100);
    }
}
