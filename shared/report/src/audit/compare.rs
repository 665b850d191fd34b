//! The chain against the table: what was exported must be there, and what is there must have been exported.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::verify::{Place, Verified};
use super::{Kind, Problem, Record, Wrong};

/// How long a row may be on its way into the chain.
const ON_THE_WAY: SignedDuration = SignedDuration::from_secs(60);

/// A row of the journal in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its partition key.
    pub pk: String,
    /// Its sort key.
    pub sk: String,
    /// What it holds.
    pub entries: Value,
}

/// What the comparison came to.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// How many rows the table has.
    pub rows: usize,
    /// How many of them are as they were exported.
    pub same: usize,
    /// How many are so young that they may be on their way.
    pub on_the_way: usize,
    /// How many are older than the chain.
    pub before_the_chain: usize,
    /// How many rows of the chain expired.
    pub expired: usize,
    /// How many events the stream told twice, which is harmless.
    pub told_twice: usize,
    /// What is wrong.
    #[serde(skip)]
    pub problems: Vec<Problem>,
}

type Key<'a> = (&'a str, &'a str);

/// What the chain says that the table should hold.
#[derive(Default)]
struct Story<'a> {
    rows: BTreeMap<Key<'a>, (&'a Place, &'a Record)>,
    gone: BTreeSet<Key<'a>>,
    expired: usize,
    told_twice: usize,
    problems: Vec<Problem>,
}

/// Compares the table's rows, read after the chain was, with the chain.
#[must_use]
pub fn compare(chain: &Verified, rows: &[Row], now: Timestamp) -> Compared {
    let story = told(chain);
    let mut found = Compared {
        rows: rows.len(),
        expired: story.expired,
        told_twice: story.told_twice,
        problems: story.problems,
        ..Compared::default()
    };
    let begins = chain.records.iter().map(|(_, r)| r.at).min();
    let mut there = BTreeSet::new();
    for row in rows {
        let key = (row.pk.as_str(), row.sk.as_str());
        there.insert(key);
        match story.rows.get(&key) {
            Some((_, record)) if record.entries == row.entries => found.same += 1,
            Some(&at) => found.problems.push(differs(at, "the table's row is not what was exported: it was changed")),
            None => unexported(row, begins, now, &mut found),
        }
    }
    let missing = story.rows.iter().filter(|(key, _)| !there.contains(*key) && !story.gone.contains(*key));
    let lost = missing.map(|(_, &at)| differs(at, "the table's row is not there any more; the chain still has it"));
    found.problems.extend(lost);
    found
}

/// What the chain says was done to the table that Picket never does.
#[must_use]
pub fn tampering(chain: &Verified) -> Vec<Problem> {
    told(chain).problems
}

/// Tells the chain from its start. An event that the stream told twice counts once.
fn told(chain: &Verified) -> Story<'_> {
    let mut story = Story::default();
    let mut events = BTreeSet::new();
    for (place, record) in &chain.records {
        if !events.insert(record.event.as_str()) {
            story.told_twice += 1;
            continue;
        }
        let key = (record.pk.as_str(), record.sk.as_str());
        match record.kind {
            Kind::Added => drop(story.gone.remove(&key)),
            Kind::Expired => {
                story.expired += 1;
                story.gone.insert(key);
            }
            Kind::Changed => story.problems.push(tampered((place, record), "changed")),
            Kind::Removed => {
                story.gone.insert(key);
                story.problems.push(tampered((place, record), "removed"));
            }
        }
        story.rows.insert(key, (place, record));
    }
    story
}

fn unexported(row: &Row, begins: Option<Timestamp>, now: Timestamp, found: &mut Compared) {
    let at = written_at(&row.sk);
    if at.is_some_and(|at| now.duration_since(at) < ON_THE_WAY) {
        found.on_the_way += 1;
    } else if let (Some(at), Some(begins)) = (at, begins)
        && at < begins.saturating_sub(ON_THE_WAY).unwrap_or(begins)
    {
        found.before_the_chain += 1;
    } else {
        let case = row.pk.strip_prefix("case#").unwrap_or(&row.pk).to_owned();
        let says = format!("the table's row {} was never exported", row.sk);
        found.problems.push(Problem { case: Some(case), ..Problem::new(Wrong::Differs, says) });
    }
}

/// When the first entry of a row was made: its key begins with it.
fn written_at(sk: &str) -> Option<Timestamp> {
    let micros = sk.strip_prefix("journal#")?.split('#').next()?.parse().ok()?;
    Timestamp::from_microsecond(micros).ok()
}

fn tampered(at: (&Place, &Record), done: &str) -> Problem {
    let says = format!("the row {} was {done} in the table at {}; Picket never does that", at.1.sk, at.1.at);
    Problem { is: Wrong::Tampered, ..differs(at, says) }
}

fn differs(at: (&Place, &Record), says: impl Into<String>) -> Problem {
    let (place, record) = at;
    Problem {
        segment: Some(place.segment.clone()),
        line: Some(place.line),
        record: Some(record.seq),
        case: Some(record.case().to_owned()),
        ..Problem::new(Wrong::Differs, says)
    }
}
