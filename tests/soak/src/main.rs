//! `soak`: many seeds, on all processors, and the first that fails with its last calls. `soak SEEDS [SEED]`; with SEED, that one, with its trace.
//! `soak scan`: 10,000 instances and 500 clusters in 17 Regions. `soak pairs`: pairs of faults for every
//! playbook, all that are adjacent and a 101st of the rest; `soak pairs SHARE` another one, `soak pairs all` all. `soak storm`: 10,000 events of 1,000 interfaces.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use picket_soak::pairs::{self, Row, playbooks};
use picket_soak::rules::NOT_YET;
use picket_soak::scale::{self, Storm};
use picket_soak::scan::Size;
use picket_soak::soak::{self, Outcome};

/// How often progress is shown.
const EVERY: u64 = 10_000;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    match first.as_deref() {
        Some("storm") => return storm(),
        Some("pairs") => {
            let share = arguments.next();
            return pairs(match share.as_deref() {
                Some("all") => None,
                share => Some(share.and_then(|n| n.parse().ok()).unwrap_or(0)),
            });
        }
        Some("scan") => return scan(),
        _ => {}
    }
    let count = first.and_then(|n| n.parse().ok()).unwrap_or(1_000);
    match arguments.next().filter(|a| !a.is_empty()).map(|n| n.parse()) {
        None => many(count),
        Some(Ok(seed)) => one(seed),
        Some(Err(_)) => {
            eprintln!("soak: the seed is no number");
            ExitCode::from(2)
        }
    }
}

/// 10,000 instances and 500 clusters in 17 Regions, found by reads alone.
fn scan() -> ExitCode {
    let came = picket_soak::scan::run(Size { instances: 10_000, clusters: 500, regions: 17 });
    println!("{came:#?}");
    if came.wrong == 0 && came.instances == 10_000 && came.clusters == 500 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// 10,000 events of 1,000 interfaces.
fn storm() -> ExitCode {
    let came = scale::weather(Storm { launches: 25, instances: 10, interfaces: 4, events: 10_000 }, 1);
    println!("{came:#?}");
    if let Some(all) = came.all {
        let floor = came.floor;
        println!("all {} interfaces after {all} s; EC2's bucket allows no less than {floor} s", came.interfaces);
    }
    if came.wrong.is_empty() && came.all.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every playbook with one fault at every boundary, and with two: all of them, or a share; consecutive shares are all.
fn pairs(share: Option<usize>) -> ExitCode {
    let began = Instant::now();
    println!("{}", Row::HEADER);
    let (mut plays, mut converged, mut open, mut undone) = (0, 0, 0, 0);
    for (name, book) in playbooks() {
        let row = pairs::run(name, book, share);
        println!("{row}");
        for wrong in &row.wrong {
            println!("  {wrong}");
        }
        (plays, converged) = (plays + row.plays(), converged + row.converged);
        (open, undone) = (open + row.open, undone + row.uncontained);
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{plays} plays in {seconds:.0} s: {converged} converged, {open} left an interface open, {undone} undid a containment"
    );
    if converged == plays { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(seed: u64) -> ExitCode {
    let outcome = soak::run(seed, true);
    report(&outcome);
    println!("seed {seed}: {} steps, digest {:016x}", outcome.steps, outcome.digest);
    if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(outcome: &Outcome) {
    for line in &outcome.trace {
        println!("{line}");
    }
    for violation in &outcome.violations {
        println!("seed {} fails: {violation}", outcome.seed);
    }
}

/// What all threads share.
#[derive(Default)]
struct Progress {
    next: AtomicU64,
    steps: AtomicU64,
    failing: Mutex<BTreeMap<String, (u64, u64)>>,
    coverage: Mutex<BTreeMap<String, u64>>,
    first: Mutex<Option<Outcome>>,
}

fn many(count: u64) -> ExitCode {
    let began = Instant::now();
    let progress = Progress::default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(&progress, count, began));
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    let done = progress.next.load(Ordering::Relaxed).min(count);
    for (what, times) in &*progress.coverage.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
        println!("{times:>12}  {what}");
    }
    for not_yet in NOT_YET {
        println!("not yet: {}: {}", not_yet.rule.name(), not_yet.why);
    }
    let steps = progress.steps.load(Ordering::Relaxed);
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = done as f64 / seconds;
    println!("{done} seeds, {steps} steps in {seconds:.1} s: {rate:.0} seeds a second");
    match progress.first.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        None => ExitCode::SUCCESS,
        Some(outcome) => {
            for (rule, (times, least)) in &*progress.failing.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
                println!("{times:>12}  seeds break: {rule} (seed {least})");
            }
            report(&outcome);
            println!("replay it: make soak SEED={}", outcome.seed);
            ExitCode::FAILURE
        }
    }
}

fn work(progress: &Progress, count: u64, began: Instant) {
    let mut coverage: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        let seed = progress.next.fetch_add(1, Ordering::Relaxed);
        if seed >= count {
            break;
        }
        let mut outcome = soak::run(seed, false);
        progress.steps.fetch_add(outcome.steps, Ordering::Relaxed);
        for (what, times) in std::mem::take(&mut outcome.coverage) {
            *coverage.entry(what).or_default() += times;
        }
        if seed > 0 && seed.is_multiple_of(EVERY) {
            println!("{seed} seeds after {:.0} s", began.elapsed().as_secs_f64());
        }
        if let Some(violation) = outcome.violations.first() {
            let rule = violation.split(':').next().unwrap_or_default().to_owned();
            let mut failing = progress.failing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let (times, least) = failing.entry(rule).or_insert((0, seed));
            (*times, *least) = (*times + 1, seed.min(*least));
            let mut first = progress.first.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if first.as_ref().is_none_or(|f| f.seed > outcome.seed) {
                *first = Some(outcome);
            }
        }
    }
    let mut all = progress.coverage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for (what, times) in coverage {
        *all.entry(what).or_default() += times;
    }
}
