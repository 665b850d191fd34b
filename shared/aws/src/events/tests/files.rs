//! Files and folders of events.

use std::path::Path;

use picket_model::{Drop, TriggerKind};
use serde_json::json;

use super::*;
use crate::events::corpus::{Tally, read_folder};
use crate::events::decode_all;

fn sentences(text: &str) -> Vec<(usize, String)> {
    decode_all(text).iter().map(|(position, outcome)| (*position, sentence(outcome))).collect()
}

fn two() -> [Value; 2] {
    [event("aws.events", "Scheduled Event", json!({})), event("aws.s3", "Object Created", json!({}))]
}

#[test]
fn a_file_is_one_event_or_an_array_or_a_log_file_or_one_event_a_line() {
    let [clock, other] = two();
    let record = call("eks", "CreateCluster", json!({"name": "prod"}), json!({}))["detail"].clone();
    let (everything, nothing) = ("schedule: everything".to_owned(), "drop: not watched".to_owned());
    let both = vec![(1, everything.clone()), (2, nothing.clone())];
    assert_eq!(sentences(&format!("\u{FEFF}{clock:#}\n")), both[..1]);
    assert_eq!(sentences(&json!([clock, other]).to_string()), both);
    assert_eq!(
        sentences(&json!({"Records": [record]}).to_string()),
        [(1, "create_cluster: EKS cluster prod".to_owned())]
    );
    assert_eq!(sentences(&format!("{clock}\n{other}")), both);
    assert_eq!(sentences("[]"), []);
}

#[test]
fn a_bad_line_costs_only_itself_and_is_numbered_as_in_an_editor() {
    let [clock, _] = two();
    let got = sentences(&format!("{clock}\r\n\r\n{{oops\n{clock}\n"));
    assert_eq!(got.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 3, 4]);
    assert!(got[1].1.starts_with("malformed: the text is not JSON"), "{got:?}");
}

#[test]
fn a_broken_document_is_one_failure() {
    let [clock, _] = two();
    for text in [format!("{clock:#}").replacen(':', "", 1), "[\n  {\n    \"a\": {}\n  },\n".to_owned(), String::new()] {
        assert_eq!(decode_all(&text).len(), 1, "{text}");
    }
}

#[test]
fn a_folder_is_read_by_its_manifest_or_else_file_by_file() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/events");
    let tally = read_folder(Path::new(folder)).unwrap();
    let triggers: Vec<_> = tally.triggers.iter().map(|(kind, n)| (*kind, *n)).collect();
    let drops: Vec<_> = tally.drops.iter().map(|(why, n)| (*why, *n)).collect();
    assert_eq!((tally.files, tally.events), (7, 10), "{tally:#?}");
    let launched = [(TriggerKind::RunInstances, 2), (TriggerKind::CreateCluster, 1)];
    let told = [(TriggerKind::InstanceState, 1), (TriggerKind::GuardDuty, 1)];
    assert_eq!(triggers, [launched, told].concat());
    assert_eq!(drops, [(Drop::NotWatched, 2), (Drop::SampleFinding, 1), (Drop::StateOfNoInterest, 1)]);
    let failures: Vec<_> = tally.failures.iter().map(|f| (f.file.as_str(), f.reason.as_str())).collect();
    assert_eq!(failures[0].0, "lines.jsonl:3");
    assert_eq!(failures[1], ("listed/../lines.jsonl", "the manifest names a file outside of its folder"));
}

#[test]
fn one_file_is_read_as_a_folder_of_one() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/events/run_instances.json");
    let tally = read_folder(Path::new(file)).unwrap();
    assert_eq!((tally.files, tally.triggers[&TriggerKind::RunInstances]), (1, 1));
    assert!(read_folder(Path::new("/does/not/exist")).is_err());
}

/// What the public events cannot give: they were masked, shortened or made up by those who published them.
const UNREADABLE: &[(&str, &str)] = &[
    ("aws-docs/003_EB-EC2-Instance-Launch-Successful.json", "a skeleton without an instance"),
    ("aws-docs/028_EB-EC2-Instance-Launch-Successful.json", "its time is `yyyy-mm-ddThh:mm:ssZ`"),
    ("aws-docs/091_CreateCluster.json", "its Region is `region-code`"),
    ("aws-docs-eks/002_CreateCluster-eks.json", "its Region is `region-code`"),
    ("cloudtrail-watcher/008_RunInstances.json", "instance ids are masked"),
    ("cloudtrail-watcher/009_RunInstances.json", "instance ids are masked"),
    ("panther-analysis/016_ModifyInstanceAttribute.json", "its account has ten digits"),
    ("panther-analysis/018_StartInstances.json", "instance ids are masked"),
];

/// Events of others, which are not kept with this code; where they lie beside it, each must be understood.
#[test]
fn every_public_event_is_understood() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/events"));
    if !folder.is_dir() {
        return;
    }
    let tally = read_folder(folder).unwrap();
    println!("{}", table(&tally));
    let failures = tally.failures.iter().map(|f| f.file.as_str());
    assert!(failures.eq(UNREADABLE.iter().map(|(file, _)| *file)), "{:#?}", tally.failures);
}

fn table(tally: &Tally) -> String {
    let mut rows = vec![format!("{:<40}{:>4}", "files", tally.files), format!("{:<40}{:>4}", "events", tally.events)];
    rows.extend(tally.triggers.iter().map(|(kind, n)| format!("{:<40}{n:>4}", format!("trigger {kind}"))));
    rows.extend(tally.drops.iter().map(|(why, n)| format!("{:<40}{n:>4}", format!("drop {why}"))));
    rows.push(format!("{:<40}{:>4}", "failures", tally.failures.len()));
    rows.extend(tally.failures.iter().map(|f| format!("  {}: {}", f.file, f.reason)));
    rows.join("\n")
}
