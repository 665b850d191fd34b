//! One seed: a world, its weather, its actors, and what came of it.

use std::collections::BTreeMap;

use picket_model::Mode;

use crate::actors::{self, ALL};
use crate::agenda::{MINUTE, SECOND};
use crate::cloud::History;
use crate::engine::Engine;
use crate::invariants::WHY_NEVER;
use crate::launch::{self, Launch};
use crate::paths;
use crate::verdict;
use crate::weather::Weather;
use crate::workers::Job;
use crate::world::{Line, World};

/// How long faults happen and others act.
const RESTLESS: u64 = 12 * MINUTE;
/// How long it may take until all is settled: several visibility timeouts and sweeps.
const SETTLES: u64 = 44 * MINUTE;

/// The longest time between two sweeps.
const LONGEST_PAUSE: u64 = 12 * MINUTE;
/// How many more sweeps what is under way may take.
const MORE_SWEEPS: u64 = 3;

/// What came of one seed.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What no stage may do and one did.
    pub violations: Vec<String>,
    /// The last calls, or all.
    pub trace: Vec<Line>,
    /// Names the run: equal for equal seeds.
    pub digest: u64,
    /// How often each fault, actor and known deviation occurred.
    pub coverage: BTreeMap<String, u64>,
    /// How many things happened.
    pub steps: u64,
}

/// Runs one seed.
#[must_use]
pub fn run(seed: u64, whole_trace: bool) -> Outcome {
    let mut world = World::new(seed, Weather::default(), whole_trace);
    begin(&mut world);
    let mut engine = Engine::new(world);
    engine.run_until(RESTLESS);
    calm(&mut engine.sim.world());
    engine.run_until(RESTLESS + SETTLES);
    // The last sweep may have begun what EC2's buckets then made wait for another one; a few of those must be enough.
    for more in 1..=MORE_SWEEPS {
        if !verdict::is_under_way(&engine.sim.world()) {
            break;
        }
        engine.run_until(RESTLESS + SETTLES + more * LONGEST_PAUSE);
    }
    let mut world = engine.sim.world();
    if world.violations.is_empty() {
        verdict::check(&mut world);
    }
    Outcome {
        seed,
        violations: std::mem::take(&mut world.violations),
        trace: world.told(),
        digest: world.digest(),
        coverage: std::mem::take(&mut world.coverage),
        steps: engine.steps,
    }
}

/// Makes VPCs with groups.
pub fn lay_out(w: &mut World, vpcs: u64) {
    for _ in 0..vpcs {
        let vpc = w.ec2.new_vpc();
        for _ in 0..5 {
            w.ec2.make_group(&vpc, 3, false, 0);
        }
        w.ec2.acls.insert(vpc.clone(), History::new(0, paths::first_entries()));
        w.ec2.vpcs.push(vpc);
    }
}

fn begin(w: &mut World) {
    w.weather = Weather::any(&mut w.dice);
    let vpcs = w.dice.between(1, 2);
    lay_out(w, vpcs);
    policy(w);
    let healthy = w.dice.below(3);
    for n in 0..healthy {
        somebody_launches(w, n * SECOND, false);
    }
    let rogues = w.dice.between(1, 2);
    for _ in 0..rogues {
        let at = w.dice.below(RESTLESS / 2);
        somebody_launches(w, at, true);
    }
    let mut some: Vec<_> = ALL.to_vec();
    let dice = &mut w.dice;
    some.retain(|_| dice.chance(350));
    actors::begin(w, some);
    let every = w.dice.between(3, 12) * MINUTE;
    let first = w.dice.between(1, 60) * SECOND;
    sweeps(w, first, every);
}

/// Any policy: every rail is there in some seeds.
fn policy(w: &mut World) {
    let cap = if w.dice.chance(100) { w.dice.between(1, 3) } else { 100 };
    w.watched.cap = u32::try_from(cap).unwrap_or(u32::MAX);
    let modes = [Mode::Observe, Mode::DryRun, Mode::ContainOnly];
    let some = w.dice.pick(&modes).copied().unwrap_or(Mode::Enforce);
    let mode = if w.dice.chance(120) { some } else { Mode::Enforce };
    w.watched.observes = !mode.acts();
    w.watched.contain_only = mode == Mode::ContainOnly;
    let share = if w.dice.chance(50) { "percent_per_hour: 50, " } else { "" };
    let mut text = format!("version: 1\nmode: {mode}\nblast_radius: {{{share}instances_per_hour: {cap}}}\n");
    let healthy = w.dice.chance(50);
    if healthy {
        text.push_str("keep_healthy: {nodes_per_group: 1}\n");
    }
    w.watched.tight = cap < 100 || healthy || !share.is_empty();
    if w.dice.chance(500) {
        let address = w.dice.pick(&["never", "elastic", "any"]).copied().unwrap_or("any");
        let (window, stop, limit) = (w.dice.chance(500), w.dice.chance(500), w.dice.between(2, 20));
        text.push_str(&format!(
            "flows: {{drop_address: {address}, open_window: {window}, stop: {stop}, acl_entries: {limit}}}\n"
        ));
    }
    if w.dice.chance(300) {
        text.push_str("credentials: {remove_profile: true}\nevidence: {lock_snapshots_days: 7}\n");
    }
    if w.dice.chance(200) {
        suspect(w, &mut text);
    }
    if w.dice.chance(100) {
        let plain: Vec<_> = w.ec2.groups.keys().cloned().collect();
        if let Some(never) = w.dice.pick(&plain).cloned() {
            text.push_str(&format!("never: [{{id: {never}, why: {WHY_NEVER}}}]\n"));
            w.watched.never.insert(never.to_string());
        }
    }
    w.store.policy.current = Some(text.clone());
    w.store.policy.good = Some(text);
}

/// One sign alone is enough to hold and not enough to be sure, and what nobody keeps is lifted.
fn suspect(w: &mut World, text: &mut String) {
    let weight = |name: &str| if name == "miner_in_user_data" { 75 } else { 0 };
    let weights: Vec<String> =
        picket_checks::signals::ALL.iter().map(|s| format!("{}: {}", s.name, weight(s.name))).collect();
    let minutes = w.dice.between(10, 30);
    text.push_str(&format!("risk: {{weights: {{{}}}}}\n", weights.join(", ")));
    text.push_str(&format!("holds: {{lift_suspected_after: {minutes}m, escalate_confirmed_after: 20m}}\n"));
    w.count("policy: suspected holds are lifted");
}

fn somebody_launches(w: &mut World, at: u64, rogue: bool) {
    let vpcs = w.ec2.vpcs.clone();
    let Some(vpc) = w.dice.pick(&vpcs).cloned() else { return };
    let many = w.dice.chance(40);
    let launch = Launch {
        vpc,
        instances: w.dice.between(1, if many { 5 } else { 2 }),
        interfaces: w.dice.between(1, if many { 15 } else { 3 }),
        rogue,
        node: w.dice.chance(300),
        group: w.dice.chance(300).then(|| format!("asg-{at}")),
        fleet: w.dice.chance(200).then(|| format!("fleet-{at}")),
    };
    w.later(at, move |w| drop(launch::launch(w, &launch)));
}

/// The schedule of the sweep.
pub fn sweeps(w: &mut World, first: u64, every: u64) {
    w.later(first, move |w| {
        w.start("sweep", None, 300 * SECOND, Job::Sweep);
        // Three sweeps are enough for all to settle.
        let next = if w.restless { every } else { every.max(12 * MINUTE) };
        sweeps(w, next, every);
    });
}

/// Faults end and others rest; people let changes go on.
pub fn calm(w: &mut World) {
    w.weather.clear();
    w.restless = false;
    w.store.policy.paused = None;
    w.trace(None, "-- faults are over, others rest --".to_owned());
}
