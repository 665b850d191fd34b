//! The audit trail: the journal as a chain of records, each of which holds the hash of the one before. Segments of
//! the chain lie in a bucket that keeps what was written; here they are made, verified, and compared with the table.
//!
//! Guarantees: a segment has one spelling only, so every byte of it is covered by a hash. A record that was changed,
//! left out, put in, moved or repeated is a problem with its place; so is an end that was cut off, if anybody knows
//! where the chain ended.

pub mod bundle;
pub mod chain;
pub mod compare;
#[cfg(test)]
mod tests;
pub mod verify;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The hash before the first record.
pub const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What happened to a row of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It was written.
    Added,
    /// It was written over, which Picket never does.
    Changed,
    /// It was removed, which Picket never does.
    Removed,
    /// DynamoDB removed it because its time was over.
    Expired,
}

/// A change of a row, as the table's stream tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The stream's id of it, by which a repeat is known.
    pub id: String,
    /// What happened.
    pub kind: Kind,
    /// When, by the stream's clock.
    pub at: Timestamp,
    /// The row's partition key, `case#<case>`.
    pub pk: String,
    /// The row's sort key, `journal#<time>#...`.
    pub sk: String,
    /// What it holds; what it held, if it is gone.
    pub entries: Value,
    /// What it held before, if it was changed.
    pub before: Option<Value>,
}

/// One line of a segment. Fields are in alphabetical order, as they are in the line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// When it happened.
    pub at: Timestamp,
    /// What a changed row held before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The journal's entries.
    pub entries: Value,
    /// The stream's id.
    pub event: String,
    /// SHA-256 of this line without this field.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// What happened.
    pub kind: Kind,
    /// The row's partition key.
    pub pk: String,
    /// The hash of the record before.
    pub prev: String,
    /// Its number, from 1 on.
    pub seq: u64,
    /// The row's sort key.
    pub sk: String,
}

impl Record {
    /// The case that it is about.
    #[must_use]
    pub fn case(&self) -> &str {
        self.pk.strip_prefix("case#").unwrap_or(&self.pk)
    }
}

/// An object of the bucket, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its key, or its path.
    pub name: String,
    /// What is in it.
    pub body: Vec<u8>,
}

/// Where the chain ended when somebody looked; the state table keeps the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The last segment's number.
    pub sequence: u64,
    /// The last record's number.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    /// A record is not what it was when it was written.
    Changed,
    /// A record or a segment is not there.
    Missing,
    /// The end is not there.
    CutOff,
    /// A record is not in its place.
    Reordered,
    /// A record is there twice.
    Repeated,
    /// A line or an object is none of ours.
    Foreign,
    /// The chain is whole and says that a row was changed or removed in the table.
    Tampered,
    /// A row of the table is not what the chain says, or one of them has what the other has not.
    Differs,
}

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Its kind.
    pub is: Wrong,
    /// The segment.
    pub segment: Option<String>,
    /// The line in it, from 1 on.
    pub line: Option<usize>,
    /// The record's number.
    pub record: Option<u64>,
    /// The case.
    pub case: Option<String>,
    /// In words.
    pub says: String,
}

impl Problem {
    /// One without a place.
    #[must_use]
    pub fn new(is: Wrong, says: impl Into<String>) -> Self {
        Self { is, segment: None, line: None, record: None, case: None, says: says.into() }
    }
}
