//! The scheduler: one thread, many workers. A worker runs until each of its calls waits for an answer; then time goes
//! on to the next thing that happens. All order comes from the agenda, so a seed always gives the same run.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

use crate::agenda::TaskId;
use crate::call::Client;
use crate::workers;
use crate::world::World;

/// A world that workers share.
#[derive(Debug)]
pub struct Sim(Mutex<World>);

impl Sim {
    /// Looks at, or changes, the world.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Worker = Pin<Box<dyn Future<Output = ()>>>;
type Ready = Arc<Mutex<BTreeSet<TaskId>>>;

struct Bell {
    task: TaskId,
    ready: Ready,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).insert(self.task);
    }
}

/// Runs one world.
pub struct Engine {
    /// The world.
    pub sim: Arc<Sim>,
    workers: BTreeMap<TaskId, (Worker, Waker)>,
    ready: Ready,
    /// How many things happened.
    pub steps: u64,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} workers after {} steps", self.workers.len(), self.steps)
    }
}

impl Engine {
    /// An engine for `world`.
    #[must_use]
    pub fn new(world: World) -> Self {
        let sim = Arc::new(Sim(Mutex::new(world)));
        Self { sim, workers: BTreeMap::new(), ready: Ready::default(), steps: 0 }
    }

    /// Runs until `end`, until nothing is left to happen, or until something happened that may not.
    pub fn run_until(&mut self, end: u64) {
        loop {
            self.settle();
            let mut world = self.sim.world();
            if !world.violations.is_empty() || world.agenda.next_at().is_none_or(|at| at > end) {
                return;
            }
            if let Some((at, happens)) = world.agenda.take_next() {
                world.now = world.now.max(at);
                happens(&mut world);
                self.steps += 1;
            }
        }
    }

    /// Lets workers begin, die and run until all of them wait.
    fn settle(&mut self) {
        loop {
            let (starting, dying) = {
                let mut world = self.sim.world();
                (std::mem::take(&mut world.starting), std::mem::take(&mut world.dying))
            };
            for (task, job) in starting {
                let client = Client { sim: Arc::clone(&self.sim), task };
                let waker = Waker::from(Arc::new(Bell { task, ready: Arc::clone(&self.ready) }));
                waker.wake_by_ref();
                self.workers.insert(task, (Box::pin(workers::run(client, job)), waker));
            }
            for task in dying {
                self.workers.remove(&task);
            }
            let Some(task) = self.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_first() else { return };
            if let Some((worker, waker)) = self.workers.get_mut(&task)
                && worker.as_mut().poll(&mut Context::from_waker(waker)).is_ready()
            {
                self.workers.remove(&task);
                self.sim.world().finish(task);
            }
        }
    }
}
