//! Several accounts as one: a control fails if it fails anywhere, and counts add up.

use std::collections::BTreeMap;

use picket_model::{BenchmarkResult, ControlResult, Outcome};

use crate::snapshot::Day;

/// The benchmarks of two reports.
#[must_use]
pub fn benchmarks(mut one: Vec<BenchmarkResult>, other: Vec<BenchmarkResult>) -> Vec<BenchmarkResult> {
    for result in other {
        match one.iter_mut().find(|r| r.id == result.id && r.version == result.version) {
            Some(known) => controls(&mut known.controls, result.controls),
            None => one.push(result),
        }
    }
    one
}

fn controls(known: &mut Vec<ControlResult>, other: Vec<ControlResult>) {
    for control in other {
        let Some(same) = known.iter_mut().find(|c| c.id == control.id) else {
            known.push(control);
            continue;
        };
        for (word, count) in control.assets {
            *same.assets.entry(word).or_insert(0) += count;
        }
        same.findings.extend(control.findings);
        if gravity(&control.outcome) > gravity(&same.outcome) {
            same.outcome = control.outcome;
        }
    }
}

/// Which of two outcomes counts for both: what fails somewhere fails, and what is unknown somewhere has not passed.
fn gravity(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Fail => 4,
        Outcome::Unknown(_) => 3,
        Outcome::Manual(_) => 2,
        Outcome::Pass => 1,
        Outcome::NotApplicable(_) => 0,
    }
}

/// The days of two reports, oldest first.
#[must_use]
pub fn days(one: Vec<Day>, other: Vec<Day>) -> Vec<Day> {
    let mut by_date: BTreeMap<String, [u32; 4]> = BTreeMap::new();
    for day in one.into_iter().chain(other) {
        let sum = by_date.entry(day.date).or_default();
        for (total, more) in sum.iter_mut().zip(day.open) {
            *total += more;
        }
    }
    by_date.into_iter().map(|(date, open)| Day { date, open }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(outcome: Outcome, failing: u32) -> Vec<BenchmarkResult> {
        let assets = BTreeMap::from([("fail".to_owned(), failing)]);
        let control = ControlResult {
            id: "1.1".to_owned(),
            title: "t".to_owned(),
            section: String::new(),
            level: 1,
            outcome,
            rules: Vec::new(),
            assets,
            findings: Vec::new(),
        };
        let (id, name, version) = ("b".to_owned(), "B".to_owned(), "1".to_owned());
        vec![BenchmarkResult { id, name, version, controls: vec![control] }]
    }

    #[test]
    fn a_control_that_fails_in_one_account_fails_and_the_assets_add_up() {
        let both = benchmarks(result(Outcome::Pass, 0), result(Outcome::Fail, 3));
        let control = &both[0].controls[0];
        assert_eq!((both.len(), &control.outcome, control.assets["fail"]), (1, &Outcome::Fail, 3));
        let both = benchmarks(result(Outcome::Fail, 2), result(Outcome::Pass, 3));
        assert_eq!((&both[0].controls[0].outcome, both[0].controls[0].assets["fail"]), (&Outcome::Fail, 5));
    }

    #[test]
    fn days_add_up_and_stay_in_order() {
        let day = |date: &str, n| Day { date: date.to_owned(), open: [n, 0, 0, 1] };
        let both = days(vec![day("2026-11-02", 2)], vec![day("2026-11-01", 5), day("2026-11-02", 3)]);
        assert_eq!(both, [day("2026-11-01", 5), Day { date: "2026-11-02".to_owned(), open: [5, 0, 0, 2] }]);
    }
}
