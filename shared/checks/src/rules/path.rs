//! Paths into a document: `logging.types`, `rules[*].cidr`, `sysctl.running["net.ipv4.ip_forward"]`.

use std::fmt;

use serde_json::Value;

use super::kind::{Type, names};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A field or a key.
    Key(String),
    /// Every element of a list, or every value of a map.
    Each,
}

/// A path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// Says what is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            rest = if let Some(after) = rest.strip_prefix("[*]") {
                steps.push(Step::Each);
                after
            } else if let Some(after) = rest.strip_prefix("[\"") {
                let (key, after) = after.split_once("\"]").ok_or(format!("`{text}` has an open bracket"))?;
                steps.push(Step::Key(key.to_owned()));
                after
            } else {
                let name = if steps.is_empty() { rest } else { rest.strip_prefix('.').ok_or(not_a_path(text))? };
                let end = name.find(['.', '[']).unwrap_or(name.len());
                if end == 0 {
                    return Err(not_a_path(text));
                }
                steps.push(Step::Key(name[..end].to_owned()));
                &name[end..]
            };
        }
        if steps.is_empty() { Err(not_a_path(text)) } else { Ok(Self(steps)) }
    }

    /// The type of what it leads to in something of type `of`.
    ///
    /// # Errors
    /// Says which step leads nowhere, and what there is instead.
    pub fn type_in<'t>(&self, of: &'t Type) -> Result<&'t Type, String> {
        let mut at = of;
        for (n, step) in self.0.iter().enumerate() {
            at = match (step, at) {
                (_, Type::Any) => return Ok(&Type::Any),
                (Step::Key(key), Type::Object(fields)) => fields.get(key).ok_or_else(|| {
                    let here = Self(self.0[..=n].to_vec());
                    format!("`{here}` is not in the evidence; there are {}", names(fields))
                })?,
                (Step::Key(_) | Step::Each, Type::Map(of)) | (Step::Each, Type::List(of)) => of,
                (Step::Key(key), other) => return Err(format!("`{self}`: `{key}` of {other}; is `[*]` missing?")),
                (Step::Each, other) => return Err(format!("`{self}`: `[*]` of {other}")),
            };
        }
        Ok(at)
    }

    /// Calls `see` with each value that the path leads to, and with none where it ends before; null counts as none.
    /// `see` answers whether to go on.
    pub fn visit<'v>(&self, value: &'v Value, see: &mut dyn FnMut(&[usize], Option<&'v Value>) -> bool) {
        let mut indices = Indices::default();
        visit(&self.0, value, &mut indices, see);
    }

    /// The path with the indices of one visit in it: `rules[3].cidr`.
    #[must_use]
    pub fn with_indices(&self, indices: &[usize]) -> String {
        let mut out = String::new();
        let mut indices = indices.iter();
        for step in &self.0 {
            match step {
                Step::Key(key) => push_key(&mut out, key),
                Step::Each => match indices.next() {
                    Some(n) => out.push_str(&format!("[{n}]")),
                    None => out.push_str("[*]"),
                },
            }
        }
        out
    }
}

#[derive(Default)]
struct Indices(Vec<usize>);

fn visit<'v>(
    steps: &[Step],
    value: &'v Value,
    indices: &mut Indices,
    see: &mut dyn FnMut(&[usize], Option<&'v Value>) -> bool,
) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return see(&indices.0, if value.is_null() { None } else { Some(value) });
    };
    match (step, value) {
        (Step::Key(key), Value::Object(map)) => match map.get(key) {
            Some(next) => visit(rest, next, indices, see),
            None => see(&indices.0, None),
        },
        (Step::Each, Value::Array(items)) => each(items.iter(), rest, indices, see),
        (Step::Each, Value::Object(map)) => each(map.values(), rest, indices, see),
        _ => see(&indices.0, None),
    }
}

fn each<'v>(
    items: impl Iterator<Item = &'v Value>,
    rest: &[Step],
    indices: &mut Indices,
    see: &mut dyn FnMut(&[usize], Option<&'v Value>) -> bool,
) -> bool {
    for (n, item) in items.enumerate() {
        indices.0.push(n);
        let go_on = visit(rest, item, indices, see);
        indices.0.pop();
        if !go_on {
            return false;
        }
    }
    true
}

fn push_key(out: &mut String, key: &str) {
    let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !plain {
        out.push_str(&format!("[\"{key}\"]"));
    } else {
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(key);
    }
}

fn not_a_path(text: &str) -> String {
    format!("`{text}` is no path, such as `rules[*].cidr` or `sysctl[\"net.ipv4.ip_forward\"]`")
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_indices(&[]))
    }
}
