//! A storm: many rogues at once, many events of each, and EC2's real buckets.

use picket_model::{InterfaceKind, Subject, TriggerKind};

use crate::agenda::{MILLI, MINUTE, SECOND};
use crate::engine::Engine;
use crate::launch::{self, Launch};
use crate::queues::Name;
use crate::soak;
use crate::verdict;
use crate::weather::Weather;
use crate::world::World;

/// The size of a storm.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// How many launches.
    pub launches: u64,
    /// Of how many instances.
    pub instances: u64,
    /// With how many interfaces.
    pub interfaces: u64,
    /// How many events, within a minute.
    pub events: u64,
}

/// What came of it. Times are simulated seconds since the first launch.
#[derive(Debug)]
pub struct Weathered {
    /// How many interfaces there were.
    pub interfaces: u64,
    /// When half of them, 99 of 100 and all of them were contained; none if they never were.
    pub half: Option<u64>,
    /// 99 of 100.
    pub most: Option<u64>,
    /// All.
    pub all: Option<u64>,
    /// The least that EC2's bucket allows.
    pub floor: u64,
    /// How many messages became dead letters, by queue.
    pub dead: Vec<(Name, usize)>,
    /// What broke.
    pub wrong: Vec<String>,
    /// How many things happened.
    pub steps: u64,
}

/// Lets it come.
#[must_use]
pub fn weather(storm: Storm, seed: u64) -> Weathered {
    let mut world = World::new(seed, Weather::default(), false);
    begin(&mut world, storm);
    let mut engine = Engine::new(world);
    let total = storm.launches * storm.instances * storm.interfaces;
    let mut reached = [None; 3];
    let mut second = 0;
    while reached[2].is_none() && second < 7_200 && engine.sim.world().violations.is_empty() {
        second += 5;
        engine.run_until(second * SECOND);
        let world = engine.sim.world();
        let shown = world.ec2.nics.values().filter_map(|n| n.shown.now().as_ref());
        let contained = shown.filter(|i| verdict::is_contained(&world, i)).count() as u64;
        for (mark, of_hundred) in reached.iter_mut().zip([50, 99, 100]) {
            if mark.is_none() && contained * 100 >= total * of_hundred {
                *mark = Some(second);
            }
        }
    }
    second += 3_600;
    engine.run_until(second * SECOND);
    // A sweep that has just begun is let finish.
    while second < 14_400 && engine.sim.world().queues.all().any(|(_, q)| !q.letters.is_empty()) {
        second += 30;
        engine.run_until(second * SECOND);
    }
    let mut world = engine.sim.world();
    if world.violations.is_empty() {
        verdict::check(&mut world);
    }
    let dead = world.queues.all().map(|(name, queue)| (*name, queue.dead.len())).filter(|(_, n)| *n > 0).collect();
    Weathered {
        interfaces: total,
        half: reached[0],
        most: reached[1],
        all: reached[2],
        floor: total.saturating_sub(100) / 5,
        dead,
        wrong: std::mem::take(&mut world.violations),
        steps: engine.steps,
    }
}

fn begin(w: &mut World, storm: Storm) {
    soak::lay_out(w, 1);
    w.store.policy.current = Some(
        "version: 1\nmode: enforce\ncontainment: contain_only\nblast_radius: {instances_per_hour: 100000}\n".to_owned(),
    );
    w.store.policy.good.clone_from(&w.store.policy.current);
    w.watched.contain_only = true;
    let vpc = w.ec2.vpcs[0].clone();
    let Storm { instances, interfaces, .. } = storm;
    let mut ids = Vec::new();
    for _ in 0..storm.launches {
        let one =
            Launch { vpc: vpc.clone(), instances, interfaces, rogue: true, node: false, group: None, fleet: None };
        ids.extend(launch::launch(w, &one));
    }
    for nic in w.ec2.nics.values_mut() {
        let shown = nic.shown.now().clone().map(|i| picket_model::Interface { kind: InterfaceKind::Own, ..i });
        nic.shown.put(0, shown);
    }
    let told = storm.launches * (1 + 2 * instances);
    for _ in told..storm.events {
        let Some(id) = w.dice.pick(&ids).cloned() else { return };
        let again = launch::trigger(w, TriggerKind::InstanceState, Subject::Instances(vec![id]), None);
        let wait = w.dice.below(60_000) * MILLI;
        w.later(wait, move |w| launch::event(w, again));
    }
    soak::sweeps(w, SECOND, 15 * MINUTE);
}
