//! Some seeds, and that a seed is always the same run.
#![allow(clippy::unwrap_used, reason = "a test file")]

use picket_soak::soak;

/// As many as take half a minute without optimization, over two processors. `make test` plays some thousands more, built
/// for speed.
const SEEDS: u64 = 600;

#[test]
fn no_seed_breaks_an_invariant() {
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || {
                for seed in (half..SEEDS).step_by(2) {
                    let outcome = soak::run(seed, false);
                    let trace: String = outcome.trace.iter().map(|l| format!("{l}\n")).collect();
                    assert_eq!(outcome.violations, Vec::<String>::new(), "seed {seed}\n{trace}");
                }
            });
        }
    });
}

#[test]
fn the_same_seed_is_the_same_run_and_another_is_another() {
    for seed in [0, 7, 4_242] {
        let (one, again) = (soak::run(seed, false), soak::run(seed, true));
        assert_eq!((one.digest, one.steps, &one.coverage), (again.digest, again.steps, &again.coverage));
    }
    assert_ne!(soak::run(1, false).digest, soak::run(2, false).digest);
}
