//! Flags as user data writes them: in one text, as words, as a list of an installer, or in camel case as a field each.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kubernetes::argv;

/// The flags in a text such as `--read-only-port=0 --event-qps 5`. Nothing where a variable may add or change some.
#[must_use]
pub fn of_text(text: &str) -> BTreeMap<String, String> {
    of_words(&shlex::split(text).unwrap_or_default())
}

/// The flags of words. Nothing where a variable may add or change some.
#[must_use]
pub fn of_words(words: &[String]) -> BTreeMap<String, String> {
    if words.iter().any(|w| w.starts_with(['$', '`'])) {
        return BTreeMap::new();
    }
    argv::flags(words)
}

/// The flags of a list such as `["anonymous-auth=false"]`, or of one such text.
#[must_use]
pub fn of_list(list: &Value) -> BTreeMap<String, String> {
    let one = list.as_str().map(ToOwned::to_owned);
    let all = list.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(ToOwned::to_owned));
    let words: Vec<String> = one.into_iter().chain(all).map(|w| format!("--{}", w.trim_start_matches('-'))).collect();
    of_words(&words)
}

/// The flags of a map of names, or of a list of `{name, value}`, as kubeadm has them.
#[must_use]
pub fn of_arguments(arguments: &Value) -> BTreeMap<String, String> {
    let map = arguments.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), text(v)));
    let list = arguments.as_array().into_iter().flatten();
    let list = list.filter_map(|a| Some((a.get("name")?.as_str()?.to_owned(), text(a.get("value")?))));
    map.chain(list).collect()
}

/// The flags of fields in camel case, as kops has them: `anonymousAuth: false`.
#[must_use]
pub fn of_fields(fields: &Value) -> BTreeMap<String, String> {
    let plain = fields.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null() && !v.is_object());
    plain.map(|(k, v)| (kebab(k), text(v))).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flags_are_read_in_each_form() {
        let one = |flags: BTreeMap<String, String>| flags.get("anonymous-auth").cloned();
        let no = Some("false".to_owned());
        assert_eq!(one(of_text("--v=2 --anonymous-auth=false")), no);
        assert_eq!(one(of_list(&json!(["anonymous-auth=false"]))), no);
        assert_eq!(one(of_list(&json!("anonymous-auth=false"))), no);
        assert_eq!(one(of_arguments(&json!({"anonymous-auth": "false"}))), no);
        assert_eq!(one(of_arguments(&json!([{"name": "anonymous-auth", "value": "false"}]))), no);
        assert_eq!(one(of_fields(&json!({"anonymousAuth": false, "featureGates": {"A": "true"}}))), no);
    }

    #[test]
    fn a_variable_that_may_hold_more_flags_leaves_none_known() {
        assert!(of_text("--anonymous-auth=false $MORE").is_empty());
    }
}
