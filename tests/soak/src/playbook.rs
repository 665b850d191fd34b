//! One containment and one release of a few instances, with faults at chosen calls: for exhaustive runs rather than
//! seeds. A person orders both; nobody else acts.

use std::collections::BTreeMap;

use picket_model::{GroupId, HoldState, InstanceId, Interface, InterfaceId, InterfaceKind};
use picket_pipeline::messages::Message;
use picket_pipeline::order;

use crate::agenda::{MINUTE, SECOND};
use crate::cloud::{scope, text};
use crate::engine::Engine;
use crate::launch::{self, Launch};
use crate::people;
use crate::soak;
use crate::verdict;
use crate::weather::{Fault, Weather};
use crate::world::{Line, World};

/// How long each half may take: faults cost visibility timeouts.
const HALF: u64 = 60 * MINUTE;

/// What is contained and released.
#[derive(Debug, Clone, Copy)]
pub struct Play {
    /// Chance, for topology and latencies.
    pub seed: u64,
    /// How many instances.
    pub instances: u64,
    /// How many interfaces each has.
    pub interfaces: u64,
    /// How often the decision is sent.
    pub times: u64,
    /// Whether that is all at once, or every ten minutes.
    pub at_once: bool,
    /// Whether a quarantine is more than groups.
    pub full: bool,
    /// Whether the instances ran and connected before, so that the ladder is climbed, every rung allowed.
    pub ran: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Played {
    /// What went wrong; empty if it converged.
    pub wrong: Vec<String>,
    /// How many calls there were, and which of them were made by the workers that change or tell.
    pub calls: u64,
    /// Those calls.
    pub own: Vec<u64>,
    /// How often the groups of an interface were set.
    pub set: u64,
    /// How many pages there were.
    pub pages: u64,
    /// The last calls.
    pub trace: Vec<Line>,
}

/// Plays it with faults at the given calls.
#[must_use]
pub fn play(play: Play, faults: &[(u64, Fault)]) -> Played {
    let weather = Weather { planned: faults.iter().copied().collect(), ..Weather::default() };
    let mut world = World::new(play.seed, weather, false);
    let ids = set_up(&mut world, play);
    let before = truth(&world);
    let mut engine = Engine::new(world);
    engine.run_until(HALF);
    let mut wrong = not_contained(&engine.sim.world());
    people::release(&mut engine.sim.world(), ids, false);
    engine.run_until(2 * HALF);
    let mut world = engine.sim.world();
    if world.violations.is_empty() {
        verdict::check(&mut world);
    }
    wrong.append(&mut world.violations);
    let after = truth(&world);
    if before != after {
        wrong.push(format!("{before:?} is not {after:?}"));
    }
    let held = world.store.holds.values().filter(|h| h.state != HoldState::Released);
    wrong.extend(held.map(|h| format!("{} is {}", h.instance, h.state)));
    Played {
        wrong,
        calls: world.weather.calls,
        own: world.watched.own_calls.clone(),
        set: world.watched.set,
        pages: world.watched.published,
        trace: world.told(),
    }
}

fn set_up(w: &mut World, play: Play) -> Vec<InstanceId> {
    soak::lay_out(w, 1);
    let extent = if play.full { "full" } else { "contain_only" };
    let flows = if play.ran { "flows: {open_window: true, stop: true}\n" } else { "" };
    w.store.policy.current = Some(format!("version: 1\nmode: enforce\ncontainment: {extent}\n{flows}"));
    w.store.policy.good.clone_from(&w.store.policy.current);
    w.watched.contain_only = !play.full;
    let vpc = w.ec2.vpcs[0].clone();
    let Play { instances, interfaces, .. } = play;
    w.weather.events = (1_000, 0, 0);
    let ids =
        launch::launch(w, &Launch { vpc, instances, interfaces, rogue: false, node: false, group: None, fleet: None });
    for nic in w.ec2.nics.values_mut() {
        let shown = nic.shown.now().clone().map(|i| Interface { kind: InterfaceKind::Own, ..i });
        nic.shown.put(0, shown);
    }
    w.ordered.extend(ids.iter().cloned());
    let order = order::Order { instances: ids.clone(), by: text("bob"), reason: text("it looks odd") };
    let decision = order.decision(&scope(), w.time());
    for n in 0..play.times {
        let message = Message::Decision(Box::new(decision.clone()));
        let boots = if play.ran { 2 * MINUTE } else { 0 };
        let wait = boots + if play.at_once { 0 } else { n * 10 * MINUTE };
        w.later(wait, move |w| w.put(message));
    }
    soak::sweeps(w, 10 * MINUTE + SECOND, 20 * MINUTE);
    ids
}

/// The groups of every interface, in order.
fn truth(w: &World) -> BTreeMap<InterfaceId, Vec<GroupId>> {
    let of = |(id, n): (&InterfaceId, &crate::cloud::Nic)| Some((id.clone(), n.shown.now().as_ref()?.groups.clone()));
    w.ec2.nics.iter().filter_map(of).collect()
}

fn not_contained(w: &World) -> Vec<String> {
    let open = w.ec2.nics.values().filter_map(|n| n.shown.now().clone()).filter(|i| !verdict::is_contained(w, i));
    let mut wrong: Vec<String> = open.map(|i| format!("{} was not contained: {:?}", i.id, i.groups)).collect();
    let held = w.store.holds.values().filter(|h| h.state != HoldState::Contained);
    wrong.extend(held.map(|h| format!("{} was {}", h.instance, h.state)));
    wrong
}
