//! One containment and one release of a few instances, with faults at chosen calls: for exhaustive runs rather than
//! seeds. A person orders the one; a person, or a deadline, the other, and a person once more. Nobody else acts. How a
//! play begins is in `scene`.

use std::collections::BTreeMap;

use picket_model::{GroupId, HoldState, InstanceId, InterfaceId};

use crate::agenda::MINUTE;
use crate::api::Api;
use crate::engine::Engine;
use crate::people;
use crate::rules::Rule;
use crate::scene;
use crate::verdict;
use crate::weather::{Fault, Weather};
use crate::world::{Line, World};

/// How long each half may take: faults cost visibility timeouts.
pub const HALF: u64 = 60 * MINUTE;
/// How long lifting by deadline may take: some sweeps.
const EXPIRES: u64 = 90 * MINUTE;
/// How long the second release may take.
const AGAIN: u64 = 10 * MINUTE;
/// How long what is still under way then may take: a permission that came late, and a visibility timeout.
const MORE: u64 = 40 * MINUTE;

/// What owns the instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Nothing.
    Nobody,
    /// An Auto Scaling group.
    ScalingGroup,
    /// A managed node group of EKS.
    NodeGroup,
    /// A Spot request.
    Spot,
    /// A fleet.
    Fleet,
}

/// Which rung of the ladder ends the connections of instances that ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// They did not run.
    None,
    /// Any way out, and every rung is allowed.
    Any,
    /// The network ACL of the NAT gateway.
    Acl,
    /// Taking the public address away.
    Address,
    /// The two steps through the open window.
    Window,
    /// Stopping.
    Stop,
}

/// What is contained and released.
#[derive(Debug, Clone, Copy)]
pub struct Play {
    /// Chance, for topology and latencies.
    pub seed: u64,
    /// How many instances.
    pub instances: u64,
    /// How many interfaces each has.
    pub interfaces: u64,
    /// How many branch interfaces each has beside.
    pub branches: u64,
    /// How often the decision is sent.
    pub times: u64,
    /// Whether that is all at once, or every ten minutes.
    pub at_once: bool,
    /// Whether a quarantine is more than groups.
    pub full: bool,
    /// What ends the connections.
    pub rung: Rung,
    /// What owns them.
    pub owner: Owner,
    /// Whether a deadline lifts it, and not a person.
    pub expires: bool,
}

impl Play {
    /// One instance of one interface that has not booted, and groups alone.
    pub const PLAIN: Self = Self {
        seed: 1,
        instances: 1,
        interfaces: 1,
        branches: 0,
        times: 1,
        at_once: false,
        full: false,
        rung: Rung::None,
        owner: Owner::Nobody,
        expires: false,
    };
}

/// What came of it.
#[derive(Debug)]
pub struct Played {
    /// What went wrong; empty if it converged.
    pub wrong: Vec<String>,
    /// How many calls there were.
    pub calls: u64,
    /// Which of them were made by the workers that change or tell.
    pub own: Vec<(u64, Api)>,
    /// How many of the planned faults were met.
    pub met: usize,
    /// Whether an interface was left open.
    pub open: bool,
    /// Whether a failure undid a containment.
    pub uncontained: bool,
    /// The levers that were pulled beside groups.
    pub levers: Vec<String>,
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
    with(play, Weather { planned: faults.iter().copied().collect(), ..Weather::default() })
}

/// Plays it while a kind of call is denied from one call on, until somebody gives the permission.
#[must_use]
pub fn play_denied(play: Play, call: u64, api: Api) -> Played {
    with(play, Weather { denied: Some((call, api)), ..Weather::default() })
}

fn with(play: Play, weather: Weather) -> Played {
    let mut world = World::new(play.seed, weather, false);
    let ids = scene::set(&mut world, play);
    let before = truth(&world);
    let mut engine = Engine::new(world);
    engine.run_until(HALF);
    let mut wrong = not_contained(&engine.sim.world());
    let open = !wrong.is_empty();
    wrong.extend(let_go(&mut engine, play, ids));
    let mut world = engine.sim.world();
    judge(&mut world, &before, &mut wrong);
    let broke = |rule: Rule| wrong.iter().any(|w| w.starts_with(rule.name()));
    Played {
        open: open || broke(Rule::NoneLeftOpen),
        uncontained: broke(Rule::ContainmentIsMonotone),
        calls: world.weather.calls,
        own: world.watched.own_calls.clone(),
        met: world.weather.met,
        levers: levers(&world),
        set: world.watched.set,
        pages: world.watched.published,
        trace: world.told(),
        wrong,
    }
}

/// A person lifts it, or its deadline does; and a person once more, which sets nothing: undo twice is once.
fn let_go(engine: &mut Engine, play: Play, ids: Vec<InstanceId>) -> Option<String> {
    if !play.expires {
        people::release(&mut engine.sim.world(), ids.clone(), false);
    }
    let end = if play.expires { HALF + EXPIRES } else { 2 * HALF };
    engine.run_until(end);
    let set = engine.sim.world().watched.set;
    people::release(&mut engine.sim.world(), ids, false);
    engine.run_until(end + AGAIN);
    if verdict::is_under_way(&engine.sim.world()) {
        engine.run_until(end + AGAIN + MORE);
    }
    let more = engine.sim.world().watched.set - set;
    (more > 0).then(|| format!("the second release set groups {more} times"))
}

fn levers(w: &World) -> Vec<String> {
    let of = |what: &String| what.strip_prefix("lever: ").or_else(|| what.strip_prefix("window: ")).map(str::to_owned);
    w.coverage.keys().filter_map(of).collect()
}

/// What must hold in the end, and that everything is as it was.
fn judge(world: &mut World, before: &BTreeMap<InterfaceId, Vec<GroupId>>, wrong: &mut Vec<String>) {
    if world.violations.is_empty() {
        verdict::check(world);
    }
    wrong.append(&mut world.violations);
    let after = truth(world);
    if *before != after {
        wrong.push(format!("{before:?} is not {after:?}"));
    }
    let held = world.store.holds.values().filter(|h| h.state != HoldState::Released);
    wrong.extend(held.map(|h| format!("{} is {}", h.instance, h.state)));
}

/// The groups of every interface, in order.
fn truth(w: &World) -> BTreeMap<InterfaceId, Vec<GroupId>> {
    let of = |(id, n): (&InterfaceId, &crate::cloud::Nic)| Some((id.clone(), n.shown.now().as_ref()?.groups.clone()));
    w.ec2.nics.iter().filter_map(of).collect()
}

fn not_contained(w: &World) -> Vec<String> {
    let open = w.ec2.nics.values().filter_map(|n| n.shown.now().clone()).filter(|i| !verdict::is_contained(w, i));
    let mut wrong: Vec<String> = open.map(|i| format!("{} was not contained: {:?}", i.id, i.groups)).collect();
    let missing = |id: &&InstanceId| w.store.holds.get(*id).is_none_or(|h| h.state != HoldState::Contained);
    let ids = w.ec2.machines.keys().filter(missing);
    wrong.extend(ids.map(|id| format!("{id} was not held: {:?}", w.store.holds.get(id).map(|h| h.state))));
    wrong
}
