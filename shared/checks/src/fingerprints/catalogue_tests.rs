//! The files are listed, well formed, and refuse what nobody reads.

use std::collections::BTreeSet;

use super::*;
use crate::fingerprints::schema::NameIn;

#[test]
fn every_pattern_compiles_and_every_place_is_looked_for_in_one_pass() {
    let all = catalogue();
    for (place, patterns) in &all.texts {
        for pattern in &patterns.all {
            assert!(pattern.text.compile().is_ok(), "{place:?}: {:?}", pattern.text.compile().err());
            assert!(!pattern.regex().unwrap().is_match(b""), "{} matches nothing at all", all.marks[pattern.mark].name);
        }
        let _ = patterns.within(b"x");
        assert!(patterns.set.get().unwrap().is_some(), "{place:?} as one set");
    }
    let reads = all.distributions.iter().map(|d| &d.reads);
    for text in reads.flat_map(|r| {
        let lists = [&r.cluster, &r.version, &r.joins, &r.token, &r.bastion, &r.control_plane, &r.etcd, &r.worker];
        lists.into_iter().flatten()
    }) {
        text.compile().unwrap();
    }
    for reads in all.distributions.iter().map(|d| &d.reads) {
        for text in [&reads.cluster, &reads.version, &reads.joins, &reads.token].into_iter().flatten() {
            assert!(text.0.contains("(?<it>"), "{text:?} captures nothing");
        }
    }
}

#[test]
fn what_files_name_exists() {
    let known: BTreeSet<&str> = FILES.iter().map(|(n, _)| *n).collect();
    for print in &catalogue().distributions {
        for other in print.over.iter().chain(&print.presumes) {
            assert!(known.contains(other.as_str()), "{}: {other}", print.distribution);
        }
    }
    for decoy in &catalogue().decoys {
        assert!(decoy.explains.iter().all(|d| known.contains(d.as_str())), "{}", decoy.decoy);
    }
    let mut names = BTreeSet::new();
    for mark in &catalogue().marks {
        assert!(names.insert(&mark.name), "{} is there twice", mark.name);
    }
}

#[test]
fn a_tag_is_told_by_a_key_or_a_prefix_and_reads_no_suffix_of_a_whole_key() {
    for of in &catalogue().tags {
        let tag = of.says;
        assert!(tag.key.is_some() != tag.prefix.is_some(), "{tag:?}");
        let suffix = tag.cluster == Some(NameIn::Suffix) || tag.role == Some(RoleIn::Suffix);
        assert!(!suffix || tag.prefix.is_some(), "{tag:?}");
    }
}

#[test]
fn a_file_that_says_what_nobody_reads_is_refused_with_its_place() {
    let bad = "distribution: x\nsays: y\nmarks:\n  user_data:\n    - {name: a, weight: strong, regx: b}\n";
    let error = parse_one::<Fingerprint>("x", bad).unwrap_err();
    assert!(error.starts_with("x.yaml:5:"), "{error}");
    assert!(error.contains("regx"), "{error}");
    for bad in ["says: z\n", "distribution: x\nsays: y\nmarks: {ports: [{name: p, weight: strong, all: [udp x]}]}\n"] {
        assert!(parse_one::<Fingerprint>("x", bad).is_err(), "{bad}");
    }
}
