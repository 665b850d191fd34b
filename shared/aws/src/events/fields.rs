//! Reading fields of an event by path, so that what is wrong can be named.
//! Serde structs are not used for what is inside an event: there, one odd field that only serves as a hint would
//! cost the whole event, and an error could not say where in a list it stands.

use std::str::FromStr;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use picket_model::{IdError, Untrusted};
use serde_json::Value;

use super::malformed::Malformed;

/// What EC2 wraps a list in: `{"instancesSet": {"items": [..]}}`.
const WRAPPERS: [&str; 3] = ["items", "item", "member"];

/// A part of an event, which knows its place in it.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    event: &'a str,
    place: String,
    value: &'a Value,
}

/// The field of that name. The case of the first letter does not matter: some requests in CloudTrail and some
/// exporters of GuardDuty write `InstanceId`, others `instanceId`. Null is as good as absent.
pub(super) fn field<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    let found = value.get(key).or_else(|| {
        let mut swapped = key.to_owned();
        let first = swapped.get_mut(..1)?;
        match first.as_bytes().first()?.is_ascii_lowercase() {
            true => first.make_ascii_uppercase(),
            false => first.make_ascii_lowercase(),
        }
        value.get(&swapped)
    });
    found.filter(|v| !v.is_null())
}

impl<'a> Fields<'a> {
    /// `event` names the kind of event in errors; `place` is where `value` stands in it, such as `detail`.
    pub(super) fn new(event: &'a str, place: &str, value: &'a Value) -> Self {
        Self { event, place: place.to_owned(), value }
    }

    /// The kind of event.
    pub(super) fn event(&self) -> &'a str {
        self.event
    }

    /// The value at a path of names with dots between them.
    pub(super) fn get(&self, path: &str) -> Option<&'a Value> {
        path.split('.').try_fold(self.value, field)
    }

    /// Whether there is anything at the path; an empty text is nothing.
    pub(super) fn has(&self, path: &str) -> bool {
        self.get(path).is_some_and(|v| v.as_str() != Some(""))
    }

    /// The part at the path, or an empty part if there is none.
    pub(super) fn within(&self, path: &str) -> Fields<'a> {
        Fields { event: self.event, place: self.place_of(path), value: self.get(path).unwrap_or(&Value::Null) }
    }

    /// The elements at the path, however the list is written: as an array, wrapped in `items`, `item` or `member`,
    /// as its only element, or as `{}` or `""` for none.
    pub(super) fn list(&self, path: &str) -> Vec<Fields<'a>> {
        let Some(mut value) = self.get(path) else { return Vec::new() };
        let mut place = self.place_of(path);
        while let Some((key, inner)) = WRAPPERS.iter().find_map(|key| Some((key, field(value, key)?))) {
            place = format!("{place}.{key}");
            value = inner;
        }
        match value {
            Value::Array(all) => {
                let element = |(n, value)| Fields { event: self.event, place: format!("{place}[{n}]"), value };
                all.iter().enumerate().map(element).collect()
            }
            Value::Object(object) if object.is_empty() => Vec::new(),
            Value::String(text) if text.is_empty() => Vec::new(),
            _ => vec![Fields { event: self.event, place, value }],
        }
    }

    /// The text that this part itself is.
    pub(super) fn as_text(&self) -> Option<&'a str> {
        self.value.as_str().filter(|text| !text.is_empty())
    }

    /// A text, if it is one and not empty.
    pub(super) fn text(&self, path: &str) -> Option<&'a str> {
        self.get(path).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A text, cleaned.
    pub(super) fn untrusted(&self, path: &str) -> Option<Untrusted> {
        self.text(path).map(Untrusted::new)
    }

    /// A flag; CloudTrail and Security Hub write some of them as text.
    pub(super) fn flag(&self, path: &str) -> Option<bool> {
        match self.get(path)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.to_ascii_lowercase().parse().ok(),
            _ => None,
        }
    }

    /// A whole number, possibly written as text.
    pub(super) fn whole(&self, path: &str) -> Option<i64> {
        let value = self.get(path)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    /// An id, if it is one.
    pub(super) fn id<T: FromStr>(&self, path: &str) -> Option<T> {
        self.text(path)?.parse().ok()
    }

    /// A text that must be there.
    pub(super) fn need_text(&self, path: &str, expected: &str) -> Result<&'a str, Malformed> {
        match self.get(path) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            Some(other) if other.as_str().is_none() => Err(self.wrong(path, expected)),
            _ => Err(self.missing(path, expected)),
        }
    }

    /// The first text of several paths that may hold it; errors name the first path.
    pub(super) fn need_text_of(&self, paths: &[&str], expected: &str) -> Result<&'a str, Malformed> {
        let at = paths.iter().find(|p| self.has(p)).or(paths.first()).copied().unwrap_or_default();
        self.need_text(at, expected)
    }

    /// An object that must be there.
    pub(super) fn need_object(&self, path: &str) -> Result<&'a Value, Malformed> {
        match self.get(path) {
            Some(object @ Value::Object(_)) => Ok(object),
            Some(_) => Err(self.wrong(path, "an object")),
            None => Err(self.missing(path, "an object")),
        }
    }

    /// An id that must be there and well formed.
    pub(super) fn need_id<T: FromStr<Err = IdError>>(&self, path: &str) -> Result<T, Malformed> {
        self.text(path).unwrap_or_default().parse().map_err(|error: IdError| {
            let expected = format!("{}, such as `{}`", error.expected, error.example);
            if self.has(path) { self.wrong(path, &expected) } else { self.missing(path, &expected) }
        })
    }

    /// A time that must be there. Data lakes that records are replayed from (Panther, Athena) write it without the
    /// letters of RFC 3339; it is UTC all the same.
    pub(super) fn need_time(&self, path: &str) -> Result<Timestamp, Malformed> {
        const EXPECTED: &str = "a time in RFC 3339, such as `2026-01-31T12:00:00Z`";
        let text = self.need_text(path, EXPECTED)?;
        let plain = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
        text.parse().ok().or_else(plain).ok_or_else(|| self.wrong(path, EXPECTED))
    }

    /// The error that there is nothing at the path.
    pub(super) fn missing(&self, path: &str, expected: &str) -> Malformed {
        Malformed::missing(self.event, &self.place_of(path), expected)
    }

    /// The error that there is something else at the path.
    pub(super) fn wrong(&self, path: &str, expected: &str) -> Malformed {
        Malformed::wrong(self.event, &self.place_of(path), self.get(path).unwrap_or(&Value::Null), expected)
    }

    /// The id that this part itself must be.
    pub(super) fn need_id_itself<T: FromStr<Err = IdError>>(&self) -> Result<T, Malformed> {
        self.as_text().unwrap_or_default().parse().map_err(|error: IdError| {
            let expected = format!("{}, such as `{}`", error.expected, error.example);
            Malformed::wrong(self.event, &self.place, self.value, &expected)
        })
    }

    fn place_of(&self, path: &str) -> String {
        if self.place.is_empty() { path.to_owned() } else { format!("{}.{path}", self.place) }
    }
}
