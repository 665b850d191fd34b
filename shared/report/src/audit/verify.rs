//! Verifying the chain by itself: every segment there, every line ours, every record's hash its own, each holding the
//! hash of the one before, and the end where it was last seen.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::chain::{hash_of, read, sequence_of};
use super::{Head, Problem, Record, START, Segment, Wrong};

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The segment.
    pub segment: String,
    /// The line, from 1 on.
    pub line: usize,
}

/// What became of a look at a chain.
#[derive(Debug, Default)]
pub struct Verified {
    /// Every record that could be read, in the order of the segments.
    pub records: Vec<(Place, Record)>,
    /// What is wrong, in the order of its place.
    pub problems: Vec<Problem>,
    /// How many segments there are.
    pub segments: usize,
}

impl Verified {
    /// The last record.
    #[must_use]
    pub fn last(&self) -> Option<&Record> {
        self.records.iter().map(|(_, r)| r).max_by_key(|r| r.seq)
    }

    fn wrong(&mut self, is: Wrong, at: (&Place, &Record), says: impl Into<String>) {
        let (place, record) = at;
        self.problems.push(Problem {
            segment: Some(place.segment.clone()),
            line: Some(place.line),
            record: Some(record.seq),
            case: Some(record.case().to_owned()),
            ..Problem::new(is, says)
        });
    }
}

/// Verifies segments, which may come in any order, against each other and against where the chain ended.
#[must_use]
pub fn chain(mut segments: Vec<Segment>, head: Option<&Head>) -> Verified {
    segments.sort_by(|a, b| a.name.cmp(&b.name));
    let mut found = Verified { segments: segments.len(), ..Verified::default() };
    names(&segments, head, &mut found);
    segments.iter().filter(|s| sequence_of(&s.name).is_some()).for_each(|s| lines(s, &mut found));
    let records = std::mem::take(&mut found.records);
    own_hashes(&records, &mut found);
    order(&records, &mut found);
    gaps(&records, head, &mut found);
    links(&records, head, &mut found);
    found.problems.sort_by(|a, b| (&a.segment, a.line).cmp(&(&b.segment, b.line)));
    found.records = records;
    found
}

/// Every number of a segment must be there, from 1 on.
fn names(segments: &[Segment], head: Option<&Head>, found: &mut Verified) {
    let mut numbers = BTreeSet::new();
    for segment in segments {
        match sequence_of(&segment.name) {
            Some(number) => drop(numbers.insert(number)),
            None => found.problems.push(Problem {
                segment: Some(segment.name.clone()),
                ..Problem::new(Wrong::Foreign, "an object that is no segment lies among them")
            }),
        }
    }
    let last = numbers.last().copied().unwrap_or(0);
    let end = last.max(head.map_or(0, |h| h.sequence));
    for (from, to) in holes(&numbers, end) {
        let (is, end) = if from > last { (Wrong::CutOff, " at the end") } else { (Wrong::Missing, "") };
        found.problems.push(Problem::new(is, format!("{}{end}", gone("segment", from, to))));
    }
}

fn gone(what: &str, from: u64, to: u64) -> String {
    if from == to { format!("{what} {from} is not there") } else { format!("{what}s {from} to {to} are not there") }
}

/// The runs of numbers from 1 to `end` that are not there.
fn holes(numbers: &BTreeSet<u64>, end: u64) -> Vec<(u64, u64)> {
    let mut holes = Vec::new();
    let mut next = 1;
    for number in numbers.iter().copied().chain([end.saturating_add(1)]) {
        if number > next {
            holes.push((next, number - 1));
        }
        next = next.max(number.saturating_add(1));
    }
    holes
}

fn lines(segment: &Segment, found: &mut Verified) {
    let foreign = |line: usize, says: String| Problem {
        segment: Some(segment.name.clone()),
        line: Some(line),
        ..Problem::new(Wrong::Foreign, says)
    };
    let Some(body) = segment.body.strip_suffix(b"\n") else {
        let lines = segment.body.split(|b| *b == b'\n').count();
        found.problems.push(foreign(lines, "the segment does not end as Picket ends one".to_owned()));
        return whole(&segment.body, segment, found, &foreign);
    };
    whole(body, segment, found, &foreign);
}

fn whole(body: &[u8], segment: &Segment, found: &mut Verified, foreign: &dyn Fn(usize, String) -> Problem) {
    for (n, line) in body.split(|b| *b == b'\n').enumerate() {
        match read(line) {
            Ok(record) => found.records.push((Place { segment: segment.name.clone(), line: n + 1 }, record)),
            Err(why) => found.problems.push(foreign(n + 1, format!("a line is not as it was written: {why}"))),
        }
    }
}

fn own_hashes(records: &[(Place, Record)], found: &mut Verified) {
    for (place, record) in records.iter().filter(|(_, r)| hash_of(r) != r.hash) {
        let says = format!("record {} was changed: its hash does not fit what it says", record.seq);
        found.wrong(Wrong::Changed, (place, record), says);
    }
}

/// Numbers must rise from line to line.
fn order(records: &[(Place, Record)], found: &mut Verified) {
    let mut seen: BTreeMap<u64, &Place> = BTreeMap::new();
    let mut highest = 0;
    for (place, record) in records {
        if let Some(first) = seen.get(&record.seq) {
            let says =
                format!("record {} is there twice; the first is in {}, line {}", record.seq, first.segment, first.line);
            found.wrong(Wrong::Repeated, (place, record), says);
        } else if record.seq < highest {
            let says = format!("record {} stands after record {highest}", record.seq);
            found.wrong(Wrong::Reordered, (place, record), says);
        }
        seen.entry(record.seq).or_insert(place);
        highest = highest.max(record.seq);
    }
}

/// Every number of a record must be there, up to where the chain ended.
fn gaps(records: &[(Place, Record)], head: Option<&Head>, found: &mut Verified) {
    let numbers: BTreeSet<u64> = records.iter().map(|(_, r)| r.seq).collect();
    let last = numbers.last().copied().unwrap_or(0);
    // A number that nobody wrote must not make a hole of billions; a changed record is said already.
    for (from, to) in holes(&numbers, last.max(head.map_or(0, |h| h.seq))) {
        let after = records.iter().filter(|(_, r)| r.seq > to).min_by_key(|(_, r)| r.seq);
        let is = if from > last { Wrong::CutOff } else { Wrong::Missing };
        let says = match (after, is) {
            (_, Wrong::CutOff) => format!("{}: the end was cut off", gone("record", from, to)),
            _ => gone("record", from, to),
        };
        found.problems.push(Problem {
            segment: after.map(|(p, _)| p.segment.clone()),
            line: after.map(|(p, _)| p.line),
            record: Some(from),
            ..Problem::new(is, says)
        });
    }
}

/// Each record must hold the hash of the one before; the table remembers the last.
fn links(records: &[(Place, Record)], head: Option<&Head>, found: &mut Verified) {
    let mut by_number: BTreeMap<u64, (&Place, &Record)> = BTreeMap::new();
    for (place, record) in records {
        by_number.entry(record.seq).or_insert((place, record));
    }
    for (&number, &(place, record)) in &by_number {
        if number <= 1 {
            if record.prev != START {
                let says = format!("record {number} was changed: there was one before it");
                found.wrong(Wrong::Changed, (place, record), says);
            }
            continue;
        }
        if let Some(&before) = by_number.get(&(number - 1))
            && before.1.hash != record.prev
        {
            let says = format!(
                "record {} was changed and given a new hash, or record {number} was: they do not fit each other",
                number - 1
            );
            found.wrong(Wrong::Changed, before, says);
        }
    }
    if let Some(head) = head
        && let Some(&at) = by_number.get(&head.seq)
        && at.1.hash != head.hash
    {
        let says = format!("record {} is not the one that the table remembers: it was written anew", head.seq);
        found.wrong(Wrong::Changed, at, says);
    }
}
