//! What rules ask of several services at once, put into the documents before rules see them: plain functions over
//! documents. A fact whose parts could not be read is left out, with the reason under `unread`.

mod account;
mod alarms;
mod balancers;
mod clusters;
mod groups;
mod images;
mod machines;
mod networks;
pub(crate) mod nodes;
mod roles;
mod tags;
mod trails;

use std::collections::{BTreeMap, BTreeSet};

use picket_model::{Document, Fact};
use serde_json::{Value, json};

use super::settings::Settings;
use super::tell::WHOLE_LIST;

/// Fields to add: each with its value, or why it is not known.
pub type Added = Vec<(&'static str, Result<Value, String>)>;

/// One join: what it adds to documents of a kind, and which other kinds it needs for that.
pub struct Join {
    /// The kind that gets the fields.
    pub kind: &'static str,
    /// Other kinds that it looks into.
    pub needs: &'static [&'static str],
    /// What to add to one document.
    pub add: fn(&Document, &Value, &Around<'_>) -> Added,
}

/// All joins, in the order in which they build on one another.
fn joins() -> impl Iterator<Item = &'static Join> {
    [
        tags::JOINS,
        roles::JOINS,
        networks::JOINS,
        nodes::JOINS,
        images::JOINS,
        machines::JOINS,
        balancers::JOINS,
        groups::JOINS,
        clusters::JOINS,
        trails::JOINS,
        alarms::JOINS,
        account::JOINS,
    ]
    .into_iter()
    .flatten()
}

/// The kinds that documents of `wanted` kinds are joined with, and those with which these are, and so on.
#[must_use]
pub fn with_needs(wanted: &BTreeSet<String>) -> BTreeSet<String> {
    let mut all = wanted.clone();
    loop {
        let needed = joins().filter(|j| all.contains(j.kind)).flat_map(|j| j.needs).map(|k| (*k).to_owned());
        let more: Vec<String> = needed.filter(|k| !all.contains(k)).collect();
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

/// Adds all joined facts. `read` names the kinds that were asked for: what is not among them is not known.
pub fn join(documents: &mut [Document], read: &BTreeSet<String>, settings: &Settings) {
    for join in joins() {
        let around = Around::new(documents, read, settings);
        let of_kind = |d: &&Document| d.kind == join.kind;
        let added: Vec<Option<Added>> = documents
            .iter()
            .map(|d| Some(d).filter(of_kind).and_then(|d| d.facts.value().map(|v| (join.add)(d, v, &around))))
            .collect();
        for (document, added) in documents.iter_mut().zip(added) {
            if let (Fact::Known { value, .. }, Some(added)) = (&mut document.facts, added) {
                put(value, added);
            }
        }
    }
}

fn put(value: &mut Value, added: Added) {
    for (field, read) in added {
        match read {
            Ok(Value::Null) => {}
            Ok(read) => value[field] = read,
            Err(why) => {
                if value.get("unread").is_none_or(|u| !u.is_object()) {
                    value["unread"] = json!({});
                }
                value["unread"][field] = why.into();
            }
        }
    }
}

/// All documents of an account, by kind, as a join sees them.
pub struct Around<'a> {
    by_kind: BTreeMap<&'a str, Vec<&'a Document>>,
    read: &'a BTreeSet<String>,
    /// The owner's words.
    pub settings: &'a Settings,
}

impl<'a> Around<'a> {
    fn new(documents: &'a [Document], read: &'a BTreeSet<String>, settings: &'a Settings) -> Self {
        let mut by_kind: BTreeMap<&str, Vec<&Document>> = BTreeMap::new();
        for document in documents {
            by_kind.entry(&document.kind).or_default().push(document);
        }
        Self { by_kind, read, settings }
    }

    /// The facts of all documents of `kind` beside one: of its account, and of its Region where both have one.
    ///
    /// # Errors
    /// The reason, when one of them could not be read.
    pub fn all(&self, near: &Document, kind: &str) -> Result<Vec<&'a Value>, String> {
        let list = self.by_kind.get(kind).map(Vec::as_slice).unwrap_or_default();
        if list.is_empty() && !self.read.contains(kind) {
            return Err(format!("{kind} was not read"));
        }
        let beside = |d: &&&Document| {
            d.account == near.account && (d.region.is_none() || near.region.is_none() || d.region == near.region)
        };
        list.iter().filter(beside).map(|d| facts(d)).collect()
    }

    /// The facts of all documents of `kind`, whatever their Region: for kinds that have none of their own.
    ///
    /// # Errors
    /// The reason, when one of them could not be read.
    pub fn everywhere(&self, kind: &str) -> Result<Vec<&'a Value>, String> {
        match self.by_kind.get(kind) {
            Some(list) => list.iter().map(|d| facts(d)).collect(),
            None if self.read.contains(kind) => Ok(Vec::new()),
            None => Err(format!("{kind} was not read")),
        }
    }

    /// The facts of those of `kind` whose `field` has this text.
    ///
    /// # Errors
    /// The reason, when one of the kind could not be read.
    pub fn having(&self, near: &Document, kind: &str, field: &str, text: &str) -> Result<Vec<&'a Value>, String> {
        Ok(self.all(near, kind)?.into_iter().filter(|v| v[field] == text).collect())
    }
}

fn facts(document: &Document) -> Result<&Value, String> {
    match &document.facts {
        Fact::Known { value, .. } => Ok(value),
        Fact::Unknown { reason } if document.id == WHOLE_LIST => Err(reason.clone()),
        Fact::Unknown { reason } => Err(format!("{}: {reason}", document.asset())),
    }
}

#[cfg(test)]
mod tests;
