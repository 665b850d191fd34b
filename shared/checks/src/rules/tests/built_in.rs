//! Every file is read, every rule has its cases, and every case comes out as it says.

use std::path::Path;

use crate::rules::{cases, catalogue, embedded};

fn files_below(folder: &str) -> usize {
    fn count(path: &Path) -> usize {
        let entries = std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path());
        entries
            .map(|p| if p.is_dir() { count(&p) } else { usize::from(p.extension().is_some_and(|e| e == "yaml")) })
            .sum()
    }
    count(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
}

#[test]
fn every_file_is_built_in() {
    for (folder, built_in) in
        [("kinds", embedded::KINDS), ("rules", embedded::RULES), ("benchmarks", embedded::BENCHMARKS)]
    {
        assert_eq!(files_below(folder), built_in.len(), "{folder}");
    }
}

#[test]
fn every_kind_and_rule_is_well_formed() {
    if let Err(refused) = catalogue::kinds() {
        panic!("kinds/{refused}");
    }
    if let Err(refused) = catalogue::built_in() {
        panic!("rules/{refused}");
    }
}

#[test]
fn every_rule_has_a_case_that_passes_and_one_that_fails() {
    let rules = catalogue::built_in().unwrap();
    let lacking: Vec<_> = rules.iter().map(|r| (&r.name, cases::lacking(r))).filter(|(_, l)| !l.is_empty()).collect();
    assert!(lacking.is_empty(), "{lacking:#?}");
}

#[test]
fn every_case_comes_out_as_it_says() {
    let rules = catalogue::built_in().unwrap();
    let failures: Vec<_> = rules.iter().flat_map(cases::run).map(|f| f.to_string()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
