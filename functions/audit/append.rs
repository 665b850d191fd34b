//! Adding to the chain. Many may try at once, for a stream has many shards; the bucket lets one of them have the next
//! segment's name, and the others take the next after it.
//!
//! Guarantees: what is added follows what lies in the bucket, whatever the hint says. An event that a batch told before,
//! and that lies in a segment read here, is not added again.

use std::collections::BTreeSet;

use async_trait::async_trait;
use picket_pipeline::ports::{Answer, Kind, PortError};
use picket_report::audit::chain::{self, Tip};
use picket_report::audit::{Event, Head, Record};

/// How often the next name may be taken by another. Each time somebody else got on.
const TRIES: usize = 50;

/// Segments, each written once.
#[async_trait]
pub trait Segments: Sync {
    /// The numbers from `sequence` on that are there, in order.
    async fn from(&self, sequence: u64) -> Answer<Vec<u64>>;
    /// One of them.
    async fn read(&self, sequence: u64) -> Answer<Vec<u8>>;
    /// Writes one, unless it is there; says whether it did.
    async fn put_once(&self, sequence: u64, body: String) -> Answer<bool>;
}

/// What was added.
#[derive(Debug)]
pub struct Added {
    /// How many records.
    pub records: usize,
    /// How many events were there already.
    pub told_before: usize,
    /// Where the chain ends now.
    pub head: Head,
}

/// Adds events as one segment after the last, which is looked for from the hint on.
///
/// # Errors
/// If the bucket cannot be read or written, or others were always faster.
pub async fn append(bucket: &dyn Segments, hint: Option<Head>, mut events: Vec<Event>) -> Answer<Added> {
    let all = events.len();
    let mut known = hint.map_or(0, |h| h.sequence);
    for _ in 0..TRIES {
        let (sequence, tip) = end(bucket, known, &mut events).await?;
        let told_before = all - events.len();
        if events.is_empty() {
            return Ok(Added { records: 0, told_before, head: Head { sequence, seq: tip.seq, hash: tip.hash } });
        }
        let records = chain::after(&tip, events.clone());
        let last = records.last().map_or(tip, Tip::from);
        if bucket.put_once(sequence + 1, chain::segment(&records)).await? {
            let head = Head { sequence: sequence + 1, seq: last.seq, hash: last.hash };
            return Ok(Added { records: records.len(), told_before, head });
        }
        known = sequence;
    }
    Err(wrong(known, Kind::Transient, "others were always faster"))
}

/// The last segment and its last record. Events that lie in a segment read on the way are dropped.
async fn end(bucket: &dyn Segments, known: u64, events: &mut Vec<Event>) -> Answer<(u64, Tip)> {
    let mut numbers = bucket.from(known).await?;
    if numbers.is_empty() && known > 0 {
        // The hint was wrong: nothing is there. What is there counts.
        tracing::error!(known, "the table remembers a segment that is not there");
        numbers = bucket.from(0).await?;
    }
    let Some(&last) = numbers.last() else { return Ok((0, Tip::default())) };
    // Without a hint, a chain of any length is there: its end is enough.
    let read = if known > 0 { numbers.as_slice() } else { numbers.get(numbers.len() - 1..).unwrap_or_default() };
    let mut tip = Tip::default();
    for &number in read {
        let records = records(number, &bucket.read(number).await?)?;
        let there: BTreeSet<&str> = records.iter().map(|r| r.event.as_str()).collect();
        events.retain(|e| !there.contains(e.id.as_str()));
        tip = records.last().map_or(tip, Tip::from);
    }
    Ok((last, tip))
}

fn records(number: u64, body: &[u8]) -> Answer<Vec<Record>> {
    let lines = body.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let unreadable = |why: String| wrong(number, Kind::Other, &format!("{why}; `picket audit verify` says more"));
    lines.map(chain::read).collect::<Result<_, _>>().map_err(unreadable)
}

fn wrong(number: u64, kind: Kind, why: &str) -> PortError {
    PortError::new("adding to the audit chain after", format!("segment {number}"), kind, why)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use picket_report::audit::{Kind as What, Segment, verify};
    use serde_json::json;

    use super::*;

    /// A bucket in which others may be faster: each of their batches takes the name that is tried next.
    #[derive(Default)]
    struct Fake {
        objects: Mutex<BTreeMap<u64, String>>,
        faster: Mutex<Vec<Vec<Event>>>,
    }

    #[async_trait]
    impl Segments for Fake {
        async fn from(&self, sequence: u64) -> Answer<Vec<u64>> {
            Ok(self.objects.lock().unwrap().range(sequence..).map(|(n, _)| *n).collect())
        }

        async fn read(&self, sequence: u64) -> Answer<Vec<u8>> {
            Ok(self.objects.lock().unwrap()[&sequence].clone().into_bytes())
        }

        async fn put_once(&self, sequence: u64, body: String) -> Answer<bool> {
            let other = self.faster.lock().unwrap().pop();
            let mut objects = self.objects.lock().unwrap();
            let Some(events) = other else { return Ok(objects.insert(sequence, body).is_none()) };
            let before = objects.get(&(sequence - 1)).map(|b| records(0, b.as_bytes()).unwrap());
            let tip = before.and_then(|r| r.last().map(Tip::from)).unwrap_or_default();
            objects.insert(sequence, chain::segment(&chain::after(&tip, events)));
            Ok(false)
        }
    }

    impl Fake {
        fn verified(&self, head: &Head) -> verify::Verified {
            let objects = self.objects.lock().unwrap();
            let segment = |(n, b): (&u64, &String)| Segment { name: chain::key("", *n), body: b.clone().into_bytes() };
            verify::chain(objects.iter().map(segment).collect(), Some(head))
        }
    }

    fn batch(ids: &[&str]) -> Vec<Event> {
        let event = |id: &&str| Event {
            id: (*id).to_owned(),
            kind: What::Added,
            at: jiff::Timestamp::UNIX_EPOCH,
            pk: "case#case-0123456789ab".to_owned(),
            sk: format!("journal#{id}"),
            entries: json!([]),
            before: None,
        };
        ids.iter().map(event).collect()
    }

    fn events_of(found: &verify::Verified) -> Vec<&str> {
        found.records.iter().map(|(_, r)| r.event.as_str()).collect()
    }

    #[tokio::test]
    async fn batches_follow_each_other_and_the_chain_is_whole() {
        let bucket = Fake::default();
        let first = append(&bucket, None, batch(&["a", "b"])).await.unwrap();
        let second = append(&bucket, Some(first.head), batch(&["c"])).await.unwrap();
        assert_eq!((second.records, second.head.sequence, second.head.seq), (1, 2, 3));
        let found = bucket.verified(&second.head);
        assert_eq!((found.problems.as_slice(), events_of(&found)), (&[][..], vec!["a", "b", "c"]));
    }

    #[tokio::test]
    async fn whoever_is_slower_goes_after_whoever_was_faster() {
        let bucket = Fake::default();
        *bucket.faster.lock().unwrap() = vec![batch(&["y"]), batch(&["x"])];
        let added = append(&bucket, None, batch(&["a"])).await.unwrap();
        let found = bucket.verified(&added.head);
        assert_eq!((found.problems.as_slice(), events_of(&found)), (&[][..], vec!["x", "y", "a"]));
    }

    #[tokio::test]
    async fn a_batch_that_is_told_again_is_not_added_again_nor_half_of_it() {
        let bucket = Fake::default();
        let first = append(&bucket, None, batch(&["a", "b"])).await.unwrap();
        let again = append(&bucket, None, batch(&["a", "b"])).await.unwrap();
        assert_eq!((again.records, again.told_before, &again.head), (0, 2, &first.head));
        let half = append(&bucket, Some(first.head), batch(&["b", "c"])).await.unwrap();
        assert_eq!((half.records, half.told_before), (1, 1));
        assert_eq!(events_of(&bucket.verified(&half.head)), ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn a_hint_that_is_old_or_wrong_does_not_break_the_chain() {
        let bucket = Fake::default();
        let first = append(&bucket, None, batch(&["a"])).await.unwrap();
        let wrong = |sequence, seq| Some(Head { sequence, seq, hash: "f".repeat(64) });
        append(&bucket, Some(first.head.clone()), batch(&["b"])).await.unwrap();
        append(&bucket, Some(first.head), batch(&["c"])).await.unwrap();
        append(&bucket, wrong(99, 500), batch(&["d"])).await.unwrap();
        let last = append(&bucket, wrong(1, 9), batch(&["e"])).await.unwrap();
        let found = bucket.verified(&last.head);
        assert_eq!((found.problems.as_slice(), events_of(&found)), (&[][..], vec!["a", "b", "c", "d", "e"]));
    }
}
