//! Making the chain: records after a tip, as lines; and the names of segments.

use sha2::{Digest as _, Sha256};

use super::{Event, Record, START};

/// How many digits a segment's number has.
const DIGITS: usize = 12;

/// The end of a chain, after which the next record goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The last record's number; 0 before the first.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

impl Default for Tip {
    fn default() -> Self {
        Self { seq: 0, hash: START.to_owned() }
    }
}

impl From<&Record> for Tip {
    fn from(record: &Record) -> Self {
        Self { seq: record.seq, hash: record.hash.clone() }
    }
}

/// Records of these events, after `tip`.
#[must_use]
pub fn after(tip: &Tip, events: Vec<Event>) -> Vec<Record> {
    let mut tip = tip.clone();
    let next = |event: Event| {
        let mut record = Record {
            at: event.at,
            before: event.before,
            entries: event.entries,
            event: event.id,
            hash: String::new(),
            kind: event.kind,
            pk: event.pk,
            prev: tip.hash.clone(),
            seq: tip.seq + 1,
            sk: event.sk,
        };
        record.hash = hash_of(&record);
        tip = Tip::from(&record);
        record
    };
    events.into_iter().map(next).collect()
}

/// The hash that a record should have: SHA-256 of its line without `hash`.
#[must_use]
pub fn hash_of(record: &Record) -> String {
    hex(line(&Record { hash: String::new(), ..record.clone() }).as_bytes())
}

/// SHA-256 in hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// The line of a record, which is its only spelling: compact JSON, keys in alphabetical order.
#[must_use]
pub fn line(record: &Record) -> String {
    // All keys are text and nothing is infinite, so there is nothing that could not be written.
    serde_json::to_string(record).unwrap_or_default()
}

/// The lines of a segment.
#[must_use]
pub fn segment(records: &[Record]) -> String {
    records.iter().map(|r| line(r) + "\n").collect()
}

/// A record of its line.
///
/// # Errors
/// If it is none, or is spelled differently.
pub fn read(text: &[u8]) -> Result<Record, String> {
    let record: Record = serde_json::from_slice(text).map_err(|e| no_record(&e).to_owned())?;
    if line(&record).as_bytes() == text { Ok(record) } else { Err("it is not spelled as Picket spells it".to_owned()) }
}

fn no_record(error: &serde_json::Error) -> &'static str {
    if error.is_data() { "it is no record of the chain" } else { "it is no JSON" }
}

/// Where a deployment's chain lies in its bucket.
#[must_use]
pub fn prefix(account: &str, region: &str) -> String {
    format!("audit/{account}/{region}/")
}

/// The key of a segment below a prefix.
#[must_use]
pub fn key(prefix: &str, sequence: u64) -> String {
    format!("{prefix}{sequence:0DIGITS$}.jsonl")
}

/// The number of a segment, by its key or path.
#[must_use]
pub fn sequence_of(name: &str) -> Option<u64> {
    let digits = name.rsplit(['/', '\\']).next()?.strip_suffix(".jsonl")?;
    let right = digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|n| right && *n > 0)
}
