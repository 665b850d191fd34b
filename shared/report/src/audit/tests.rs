//! What an auditor must be able to rely on, as sentences.

use std::collections::BTreeMap;

use jiff::Timestamp;
use picket_model::{AccountId, CaseId, Region, Scope};
use serde_json::json;

use super::bundle::{self, About};
use super::chain::{self, Tip, after, key, segment, sequence_of};
use super::compare::{Compared, Row, compare};
use super::verify::{self, Verified};
use super::{Event, Head, Kind, Record, Segment, Wrong};

const PREFIX: &str = "audit/123456789012/us-east-1/";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn event(n: i64) -> Event {
    Event {
        id: format!("event-{n}"),
        kind: Kind::Added,
        at: at(n),
        pk: format!("case#case-{:012x}", n / 2),
        sk: format!("journal#{:020}#eni-{n}#Planned", at(n).as_microsecond()),
        entries: json!([{"event": "planned", "details": "a \"<word>\"\n\u{1f41a}", "by": "respond"}]),
        before: None,
    }
}

/// Six records in the three segments 1, 2 and 3, two in each.
fn made() -> Vec<Vec<Record>> {
    let all = after(&Tip::default(), (0..6).map(event).collect());
    all.chunks(2).map(<[Record]>::to_vec).collect()
}

fn lying(records: &[Vec<Record>]) -> Vec<Segment> {
    let place =
        |(n, r): (usize, &Vec<Record>)| Segment { name: key(PREFIX, n as u64 + 1), body: segment(r).into_bytes() };
    records.iter().enumerate().map(place).collect()
}

fn head() -> Head {
    let last = made()[2][1].clone();
    Head { sequence: 3, seq: 6, hash: last.hash }
}

fn verified(segments: Vec<Segment>) -> Verified {
    verify::chain(segments, Some(&head()))
}

/// A problem with its segment, line and case.
type Found = (Wrong, Option<u64>, Option<usize>, Option<String>);

/// What is wrong.
fn wrongs(segments: Vec<Segment>) -> Vec<Found> {
    let place = |p: super::Problem| (p.is, p.segment.as_deref().and_then(sequence_of), p.line, p.case);
    verified(segments).problems.into_iter().map(place).collect()
}

fn case(n: u64) -> Option<String> {
    Some(format!("case-{n:012x}"))
}

#[test]
fn an_intact_chain_has_nothing_wrong_in_whatever_order_it_is_read() {
    let mut segments = lying(&made());
    segments.reverse();
    let found = verified(segments);
    assert_eq!(found.problems, []);
    assert_eq!((found.segments, found.records.len()), (3, 6));
    assert_eq!(found.last().map(|r| (r.seq, r.hash.clone())), Some((6, head().hash)));
}

#[test]
fn no_chain_is_intact_too_unless_somebody_remembers_one() {
    assert_eq!(verify::chain(Vec::new(), None).problems, []);
    let is: Vec<_> = verified(Vec::new()).problems.into_iter().map(|p| (p.is, p.says)).collect();
    let cut = |says: &str| (Wrong::CutOff, says.to_owned());
    let expected =
        [cut("segments 1 to 3 are not there at the end"), cut("records 1 to 6 are not there: the end was cut off")];
    assert_eq!(is, expected);
}

#[test]
fn a_changed_record_is_named_with_segment_line_and_case() {
    let mut records = made();
    records[1][1].entries = json!([{"event": "refused"}]);
    assert_eq!(wrongs(lying(&records)), [(Wrong::Changed, Some(2), Some(2), case(1))]);
}

#[test]
fn a_record_that_was_changed_and_given_a_new_hash_does_not_fit_the_next() {
    let mut records = made();
    records[1][1].entries = json!([{"event": "refused"}]);
    records[1][1].hash = chain::hash_of(&records[1][1]);
    assert_eq!(wrongs(lying(&records)), [(Wrong::Changed, Some(2), Some(2), case(1))]);
}

#[test]
fn a_chain_that_was_written_anew_to_its_end_is_not_the_one_that_the_table_remembers() {
    let mut events: Vec<Event> = (0..6).map(event).collect();
    events[2].entries = json!([]);
    let all = after(&Tip::default(), events);
    let records: Vec<Vec<Record>> = all.chunks(2).map(<[Record]>::to_vec).collect();
    assert_eq!(wrongs(lying(&records)), [(Wrong::Changed, Some(3), Some(2), case(2))]);
}

#[test]
fn a_removed_line_and_a_removed_segment_are_missing() {
    let mut records = made();
    records[1].remove(0);
    assert_eq!(wrongs(lying(&records)), [(Wrong::Missing, Some(2), Some(1), None)]);
    let mut segments = lying(&made());
    segments.remove(1);
    assert_eq!(wrongs(segments), [(Wrong::Missing, None, None, None), (Wrong::Missing, Some(3), Some(1), None)]);
}

#[test]
fn two_lines_and_two_segments_that_changed_places_are_reordered() {
    let mut records = made();
    records[1].swap(0, 1);
    assert_eq!(wrongs(lying(&records)), [(Wrong::Reordered, Some(2), Some(2), case(1))]);
    let mut records = made();
    records.swap(0, 1);
    let wrong: Vec<_> = wrongs(lying(&records)).into_iter().map(|w| (w.0, w.1)).collect();
    assert_eq!(wrong, [(Wrong::Reordered, Some(2)), (Wrong::Reordered, Some(2))]);
}

#[test]
fn a_line_that_was_put_in_is_found_whether_or_not_it_has_a_number_of_its_own() {
    let mut records = made();
    let forged = after(&Tip::from(&records[0][1]), vec![event(9)]).remove(0);
    records[0].push(forged);
    assert_eq!(
        wrongs(lying(&records)),
        [(Wrong::Changed, Some(1), Some(3), case(4)), (Wrong::Repeated, Some(2), Some(1), case(1))]
    );
    let mut segments = lying(&made());
    segments[0].body.extend_from_slice(b"{\"seq\":3}\n");
    assert_eq!(wrongs(segments), [(Wrong::Foreign, Some(1), Some(3), None)]);
}

#[test]
fn an_end_that_was_cut_off_is_missed_by_lines_and_by_segments() {
    let mut records = made();
    records[2].pop();
    assert_eq!(wrongs(lying(&records)), [(Wrong::CutOff, None, None, None)]);
    let mut segments = lying(&made());
    segments.pop();
    let wrong: Vec<_> = wrongs(segments).into_iter().map(|w| w.0).collect();
    assert_eq!(wrong, [Wrong::CutOff, Wrong::CutOff]);
}

#[test]
fn a_segment_that_is_there_twice_repeats_its_records() {
    let mut records = made();
    records.push(records[2].clone());
    let wrong: Vec<_> = wrongs(lying(&records)).into_iter().map(|w| (w.0, w.1, w.2)).collect();
    assert_eq!(wrong, [(Wrong::Repeated, Some(4), Some(1)), (Wrong::Repeated, Some(4), Some(2))]);
}

#[test]
fn what_is_no_segment_among_them_is_foreign() {
    let mut segments = lying(&made());
    segments.push(Segment { name: format!("{PREFIX}notes.txt"), body: b"hello\n".to_vec() });
    let wrong: Vec<_> = wrongs(segments).into_iter().map(|w| w.0).collect();
    assert_eq!(wrong, [Wrong::Foreign]);
}

#[test]
fn every_byte_counts() {
    let segments = lying(&made());
    for n in 0..segments.len() {
        for byte in 0..segments[n].body.len() {
            for bit in [0x01, 0x20] {
                let mut tried = segments.clone();
                tried[n].body[byte] ^= bit;
                assert!(!verified(tried).problems.is_empty(), "segment {n}, byte {byte}, bit {bit:#x}");
            }
        }
    }
}

#[test]
fn a_segment_that_was_cut_at_any_byte_is_found() {
    let segments = lying(&made());
    let length = segments[2].body.len();
    for kept in 0..length {
        let mut tried = segments.clone();
        tried[2].body.truncate(kept);
        assert!(!verify::chain(tried, Some(&head())).problems.is_empty(), "cut after {kept} bytes");
    }
}

#[test]
fn a_line_is_spelled_with_its_keys_in_alphabetical_order() {
    let line = chain::line(&made()[0][0]);
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value.to_string(), line);
    let start = "0".repeat(64);
    assert!(line.contains(&format!("\"prev\":\"{start}\",\"seq\":1,")), "{line}");
}

// --- against the table

fn rows() -> Vec<Row> {
    let row = |e: Event| Row { pk: e.pk, sk: e.sk, entries: e.entries };
    (0..6).map(event).map(row).collect()
}

fn compared(chain: &Verified, rows: &[Row]) -> (Compared, Vec<(Wrong, Option<u64>)>) {
    let found = compare(chain, rows, at(1000));
    let wrong = found.problems.iter().map(|p| (p.is, p.record)).collect();
    (found, wrong)
}

#[test]
fn a_table_that_holds_what_was_exported_differs_in_nothing() {
    let (found, wrong) = compared(&verified(lying(&made())), &rows());
    assert_eq!((found.rows, found.same, wrong), (6, 6, vec![]));
}

#[test]
fn rows_that_were_changed_removed_or_never_exported_differ() {
    let mut rows = rows();
    rows[1].entries = json!([]);
    rows.remove(3);
    rows.push(Row {
        pk: "case#case-00000000000f".into(),
        ..Row { sk: format!("journal#{:020}#x#Planned", at(500).as_microsecond()), ..rows[0].clone() }
    });
    let (_, wrong) = compared(&verified(lying(&made())), &rows);
    assert_eq!(wrong, [(Wrong::Differs, Some(2)), (Wrong::Differs, None), (Wrong::Differs, Some(4))]);
}

#[test]
fn rows_younger_than_a_minute_are_on_their_way_and_older_than_the_chain_are_said() {
    let mut rows = rows();
    for second in [990, -500] {
        let sk = format!("journal#{:020}#x#Planned", at(second).as_microsecond());
        rows.push(Row { sk, ..rows[0].clone() });
    }
    let (found, wrong) = compared(&verified(lying(&made())), &rows);
    assert_eq!((found.on_the_way, found.before_the_chain, wrong), (1, 1, vec![]));
}

#[test]
fn the_chain_itself_tells_of_rows_that_were_changed_removed_or_expired() {
    let of = |n: i64, kind: Kind, id: i64| Event { kind, id: format!("event-{id}"), ..event(n) };
    let mut events: Vec<Event> = (0..6).map(event).collect();
    events.extend([of(0, Kind::Expired, 6), of(1, Kind::Removed, 7), of(2, Kind::Changed, 8), of(5, Kind::Added, 5)]);
    let all = vec![after(&Tip::default(), events)];
    let chain = verify::chain(lying(&all), None);
    assert_eq!(chain.problems, []);
    let (found, wrong) = compared(&chain, &rows()[2..]);
    assert_eq!(wrong, [(Wrong::Tampered, Some(8)), (Wrong::Tampered, Some(9))]);
    assert_eq!((found.expired, found.told_twice, found.same), (1, 1, 4));
}

// --- bundles

fn packed() -> BTreeMap<String, Vec<u8>> {
    let scope =
        Scope { account: AccountId::parse("123456789012").unwrap(), region: Region::parse("us-east-1").unwrap() };
    let about = About {
        case: CaseId::try_from("case-000000000000".to_owned()).unwrap(),
        scope,
        made_at: at(0),
        made_by: "picket 0.1.0".to_owned(),
        made_for: "alice".to_owned(),
        chain_ended: None,
        remarks: vec!["the findings: AWS said no".to_owned()],
    };
    let chain = bundle::text(bundle::CHAIN, segment(&made()[0]), "the records");
    let files = bundle::pack(&about, vec![chain, bundle::text("hold.json", "{}\n".to_owned(), "the hold")]);
    files.into_iter().map(|f| (f.name, f.body)).collect()
}

#[test]
fn a_bundle_says_what_is_in_it_and_fits_its_sums() {
    let files = packed();
    assert_eq!(bundle::check(&files), []);
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["README.txt", "SHA256SUMS", "chain.jsonl", "hold.json", "manifest.json"]);
    let readme = String::from_utf8_lossy(&files["README.txt"]).into_owned();
    assert!(readme.contains("hold.json\n      the hold") && readme.contains("REMARK: the findings"), "{readme}");
}

#[test]
fn a_file_that_was_changed_left_out_or_put_in_is_found() {
    let is = |files: &BTreeMap<String, Vec<u8>>| bundle::check(files).into_iter().map(|p| p.is).collect::<Vec<_>>();
    for name in ["README.txt", "chain.jsonl", "hold.json", "manifest.json"] {
        let mut files = packed();
        files.insert(name.to_owned(), b"x".to_vec());
        assert_eq!(is(&files).first(), Some(&Wrong::Changed), "{name}");
        files.remove(name);
        assert_eq!(is(&files), [Wrong::Missing], "{name}");
    }
    let mut files = packed();
    files.insert("more.json".to_owned(), Vec::new());
    assert_eq!(is(&files), [Wrong::Foreign]);
    files.remove("SHA256SUMS");
    assert_eq!(is(&files), [Wrong::Missing]);
}
