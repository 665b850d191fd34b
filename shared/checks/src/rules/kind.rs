//! The kinds of evidence: what a document of each kind may hold, so that a rule that asks for anything else is refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::refused::{Refused, parse};
use super::span::Text;

/// The type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Text.
    String,
    /// A whole number.
    Int,
    /// Any number.
    Number,
    /// True or false.
    Bool,
    /// A time, as text such as `2026-01-31T00:00:00Z`.
    Time,
    /// An address range, as text.
    Cidr,
    /// Anything.
    Any,
    /// A list.
    List(Box<Type>),
    /// A map from text.
    Map(Box<Type>),
    /// Named fields.
    Object(BTreeMap<String, Type>),
}

impl Type {
    /// Whether `value` may stand here; null stands for missing and may stand anywhere.
    #[must_use]
    pub fn admits(&self, value: &Value) -> bool {
        self.check(value, "").is_ok()
    }

    /// Says where `value` is not of this type.
    ///
    /// # Errors
    /// The path of the first part that does not fit, and what it should be.
    pub fn check(&self, value: &Value, at: &str) -> Result<(), String> {
        let fits = match (self, value) {
            (_, Value::Null) | (Self::Any, _) => true,
            (Self::String | Self::Cidr, Value::String(_)) | (Self::Bool, Value::Bool(_)) => true,
            (Self::Time, Value::String(text)) => text.parse::<jiff::Timestamp>().is_ok(),
            (Self::Int, Value::Number(n)) => !n.is_f64(),
            (Self::Number, Value::Number(_)) => true,
            (Self::List(of), Value::Array(items)) => {
                return items.iter().enumerate().try_for_each(|(n, item)| of.check(item, &format!("{at}[{n}]")));
            }
            (Self::Map(of), Value::Object(map)) => {
                return map.iter().try_for_each(|(key, item)| of.check(item, &format!("{at}[{key:?}]")));
            }
            (Self::Object(fields), Value::Object(map)) => return check_fields(fields, map, at),
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("`{}` should be {self}", at.trim_start_matches('.'))) }
    }
}

fn check_fields(fields: &BTreeMap<String, Type>, map: &serde_json::Map<String, Value>, at: &str) -> Result<(), String> {
    map.iter().try_for_each(|(key, item)| {
        let path = format!("{at}.{key}");
        match fields.get(key) {
            Some(of) => of.check(item, &path),
            None => Err(format!("`{}` is no field here; there are {}", path.trim_start_matches('.'), names(fields))),
        }
    })
}

/// The names of fields, for messages.
pub(crate) fn names<T>(fields: &BTreeMap<String, T>) -> String {
    fields.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::String => "text",
            Self::Int => "a whole number",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::Time => "a time",
            Self::Cidr => "an address range",
            Self::Any => "anything",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Object(_) => "an object",
        })
    }
}

/// A kind of document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// Such as `eks.cluster`.
    pub name: String,
    /// The call that tells most of it.
    pub source: String,
    /// What it is, in one sentence.
    pub says: String,
    /// What it may hold; always `Type::Object`, or `Type::Any` for a kind that is open.
    pub fields: Type,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKind {
    kind: Text,
    source: String,
    says: String,
    fields: Value,
}

/// All kinds.
#[derive(Debug, Clone, Default)]
pub struct Kinds {
    kinds: BTreeMap<String, Kind>,
}

impl Kinds {
    /// Reads kinds from texts named `<kind>.yaml`.
    ///
    /// # Errors
    /// At the first that is malformed, misnamed or there twice.
    pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Refused> {
        let mut kinds = BTreeMap::new();
        for (file, text) in files {
            let raw: RawKind = parse(text, file)?;
            let expected = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".yaml");
            if raw.kind.text != expected {
                return Err(raw.kind.refuse(file, format!("the kind `{}` belongs into its own file", raw.kind.text)));
            }
            let fields = type_of(&raw.fields).map_err(|reason| Refused::whole(file, reason))?;
            let kind = Kind { name: raw.kind.text.clone(), source: raw.source, says: raw.says, fields };
            if kinds.insert(kind.name.clone(), kind).is_some() {
                return Err(raw.kind.refuse(file, "this kind is there twice"));
            }
        }
        Ok(Self { kinds })
    }

    /// The kind of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Kind> {
        self.kinds.get(name)
    }

    /// All of them, alphabetical.
    pub fn iter(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.values()
    }
}

fn type_of(value: &Value) -> Result<Type, String> {
    match value {
        Value::String(word) => Ok(match word.as_str() {
            "string" => Type::String,
            "int" => Type::Int,
            "number" => Type::Number,
            "bool" => Type::Bool,
            "time" => Type::Time,
            "cidr" => Type::Cidr,
            "any" => Type::Any,
            other => return Err(format!("`{other}` is no type; there are string int number bool time cidr any")),
        }),
        Value::Array(of) if of.len() == 1 => Ok(Type::List(Box::new(type_of(&of[0])?))),
        Value::Object(map) => match map.get("*") {
            Some(of) if map.len() == 1 => Ok(Type::Map(Box::new(type_of(of)?))),
            Some(_) => Err("a map `{\"*\": type}` has no named fields beside".to_owned()),
            None => {
                let field =
                    |(k, v): (&String, &Value)| type_of(v).map(|t| (k.clone(), t)).map_err(|e| format!("`{k}`: {e}"));
                Ok(Type::Object(map.iter().map(field).collect::<Result<_, _>>()?))
            }
        },
        other => Err(format!("`{other}` is no type; a list is [type], a map {{\"*\": type}}")),
    }
}
