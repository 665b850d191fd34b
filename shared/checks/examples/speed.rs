//! How fast rules are judged, without AWS beside it: `picket rule speed` in a program that compiles in a minute.
//!
//!     cargo --config tests/soak/profile.toml run --profile soak -p picket-checks --example speed

use std::time::Instant;

use jiff::Timestamp;
use picket_checks::Book;
use picket_checks::rules::crowd::crowd;
use picket_checks::rules::{Refused, Rule, Verdict, judge_all};

fn main() -> Result<(), Refused> {
    let begun = Instant::now();
    let book = Book::built_in()?;
    println!("{} rules read and compiled in {:?}", book.rules().iter().count(), begun.elapsed());
    let rules: Vec<&Rule> =
        book.rules().iter().filter(|r| !r.select.starts_with("kubernetes.") && !r.select.starts_with("node")).collect();
    let evidence = crowd(&rules, 1000, 50, Timestamp::UNIX_EPOCH);
    for _ in 0..3 {
        let begun = Instant::now();
        let judged = judge_all(rules.iter().copied(), &evidence);
        let took = begun.elapsed();
        let failing: Vec<_> = judged.iter().filter(|j| j.verdict == Verdict::Fail).collect();
        let begun = Instant::now();
        let words: usize = failing.iter().map(|j| j.evaluation().readings.len()).sum();
        let worded = begun.elapsed();
        let begun = Instant::now();
        let again = failing.iter().filter(|j| j.again() == Verdict::Fail).count();
        println!("{} rules over 1,000 documents of each kind: {} outcomes in {took:?}", rules.len(), judged.len());
        println!(
            "{again} failures in {words} readings in {worded:?}; of that {:?} to judge each alone",
            begun.elapsed()
        );
    }
    for slow in slowest(&rules, &evidence) {
        println!("{slow}");
    }
    Ok(())
}

/// The rules that take longest, to see where time goes.
fn slowest(rules: &[&Rule], evidence: &picket_checks::rules::Evidence) -> Vec<String> {
    let mut times: Vec<_> = rules
        .iter()
        .map(|rule| {
            let begun = Instant::now();
            let judged = judge_all([*rule], evidence).len();
            (begun.elapsed(), judged, rule.name.as_str())
        })
        .collect();
    times.sort();
    times.iter().rev().take(8).map(|(took, judged, name)| format!("{took:?} for {judged} outcomes of {name}")).collect()
}
