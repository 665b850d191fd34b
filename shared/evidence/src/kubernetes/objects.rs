//! What a cluster's API gave: lists by kind, or why a list is not known. Everything after this is a plain function.

use std::collections::BTreeMap;

use serde_json::Value;

/// The objects of a cluster, by kind.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    lists: BTreeMap<String, Result<Vec<Value>, String>>,
}

impl Objects {
    /// Puts a list, or why there is none.
    pub fn put(&mut self, kind: &str, list: Result<Vec<Value>, String>) {
        self.lists.insert(kind.to_owned(), list);
    }

    /// Objects of any kinds, as manifests and recordings hold them; kinds that are not among them are taken as empty.
    #[must_use]
    pub fn of(objects: impl IntoIterator<Item = Value>) -> Self {
        let mut made = Self::default();
        for object in objects {
            let kind = object["kind"].as_str().unwrap_or_default().to_owned();
            if let Ok(list) = made.lists.entry(kind).or_insert_with(|| Ok(Vec::new())) {
                list.push(object);
            }
        }
        made
    }

    /// The objects of a kind; none where the list is not known (`unread` says so).
    #[must_use]
    pub fn list(&self, kind: &str) -> &[Value] {
        self.lists.get(kind).and_then(|l| l.as_deref().ok()).unwrap_or_default()
    }

    /// Why the first of these kinds that could not be read is not known.
    #[must_use]
    pub fn unread(&self, kinds: &[&str]) -> Option<&str> {
        kinds.iter().find_map(|k| self.lists.get(*k)?.as_ref().err().map(String::as_str))
    }

    /// Every object with its kind.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.lists.iter().flat_map(|(kind, list)| list.iter().flatten().map(move |o| (kind.as_str(), o)))
    }
}

/// The text at a pointer, or empty.
#[must_use]
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The list at a pointer, or empty.
#[must_use]
pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The texts of the list at a pointer.
pub fn texts<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a str> {
    list(object, pointer).iter().filter_map(Value::as_str)
}

/// Whether the boolean at a pointer is true.
#[must_use]
pub fn is_true(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// An object's name.
#[must_use]
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// An object's namespace; empty where it has none.
#[must_use]
pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// A label's or annotation's value; their keys hold `/`, so that pointers do not serve.
#[must_use]
pub fn mark<'a>(object: &'a Value, of: &str, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get(of)?.get(key)?.as_str()
}
