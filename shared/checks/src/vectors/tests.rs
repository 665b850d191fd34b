//! The vectors of other projects, where they are at hand: no disagreement without a written reason.

use std::path::Path;

use super::*;
use crate::rules::catalogue;

#[test]
fn nobody_is_contradicted_without_a_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let (rules, adjudicated) = (catalogue::built_in().unwrap(), Adjudicated::built_in().unwrap());
    for suite in SUITES {
        let Ok(text) = std::fs::read_to_string(folder.join(suite.file)) else { continue };
        let vectors = (suite.judge)(&text, rules).unwrap();
        assert!(!vectors.is_empty());
        for (rule, tally) in tally(suite.file, &vectors, &adjudicated) {
            assert_eq!(tally.disagreed, 0, "{} {rule}: {:#?}", suite.file, tally.notes);
        }
    }
}

#[test]
fn a_disagreement_counts_as_adjudicated_only_for_the_verdict_that_was_reasoned() {
    let list =
        "[[vector]]\nsuite = \"s\"\nrule = \"r\"\ncase = \"c\"\nours = \"fail\"\nreason = \"the default is true\"\n";
    let adjudicated = Adjudicated::parse(list).unwrap();
    let vector = |theirs, ours| Vector { rule: "r".to_owned(), case: "c".to_owned(), theirs, ours, facts: Vec::new() };
    let vectors = [
        vector(Says::Pass, Ours::Says(Says::Fail)),
        vector(Says::Fail, Ours::Says(Says::Pass)),
        vector(Says::Fail, Ours::Says(Says::Fail)),
        vector(Says::Fail, Ours::NotCovered("no such rule".to_owned())),
    ];
    let tally = &tally("s", &vectors, &adjudicated)["r"];
    assert_eq!((tally.agreed, tally.adjudicated, tally.disagreed, tally.not_covered), (1, 1, 1, 1));
    assert!(Adjudicated::parse(&list.replace("the default is true", " ")).is_err());
}

#[test]
fn a_reason_covers_the_cases_in_which_it_holds_and_no_others() {
    let entry = |more: &str| {
        format!(
            "[[vector]]\nsuite = \"s\"\nrule = \"r\"\ncase = \"*\"\nours = \"pass\"\nreason = \"off by default\"\n{more}"
        )
    };
    let refused = Adjudicated::parse(&entry("")).unwrap_err();
    assert!(refused.contains("all cases"), "{refused}");
    let fate_of = |list: &str, facts: Value| {
        let (theirs, ours) = (Says::Fail, Ours::Says(Says::Pass));
        let vector = Vector { rule: "r".to_owned(), case: "any".to_owned(), theirs, ours, facts: vec![facts] };
        fate("s", &vector, &Adjudicated::parse(&entry(list)).unwrap()).0
    };
    let absent = "at = \"flags.insecure-port\"\nfound = \"absent\"\n";
    assert_eq!(fate_of(absent, serde_json::json!({"flags": {}})), Fate::Adjudicated);
    assert_eq!(fate_of(absent, serde_json::json!({"flags": {"insecure-port": "0"}})), Fate::Disagreed);
    let like = "at = \"containers[*].seccomp\"\nfound = \"^Localhost$\"\n";
    let containers = |of: &[&str]| serde_json::json!({"containers": of.iter().map(|s| serde_json::json!({"seccomp": s})).collect::<Vec<_>>()});
    assert_eq!(fate_of(like, containers(&["RuntimeDefault", "Localhost"])), Fate::Adjudicated);
    assert_eq!(fate_of(like, containers(&["RuntimeDefault"])), Fate::Disagreed);
}

#[test]
fn the_operators_come_to_what_kube_bench_says() {
    let rows = r#"[{"label": "a", "op": "has", "flagVal": "blah", "compareValue": "la", "testResult": "true"},
        {"op": "bitmask", "flagVal": "777", "compareValue": "644", "testResult": "false"}, {"label": "no op"}]"#;
    let vectors = (SUITES[0].judge)(rows, catalogue::built_in().unwrap()).unwrap();
    let tally = tally("kubebench_compareop.json", &vectors, &Adjudicated::default());
    assert_eq!((tally["has"].agreed, tally["bitmask"].agreed, tally[""].not_covered), (1, 1, 1));
}
