//! One call of a worker: it is sent, arrives, takes effect, and is answered, each at its time; and it meets its fault.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use picket_pipeline::ports::{Answer, Kind, PortError};

use crate::agenda::{MILLI, MINUTE, SECOND, TaskId};
use crate::api::Api;
use crate::engine::Sim;
use crate::permission;
use crate::weather::Fault;
use crate::world::World;

/// How often the SDK tries (`picket-aws` sets four).
const ATTEMPTS: u32 = 4;

/// How long it takes until somebody gives a permission that was missing.
const PERMITS: u64 = 20 * MINUTE;

/// What a worker has to reach the world.
#[derive(Debug, Clone)]
pub struct Client {
    /// The world.
    pub sim: Arc<Sim>,
    /// The worker.
    pub task: TaskId,
}

/// What a call does when it arrives. `view` is the time that its read shows.
pub type Effect<T> = Arc<dyn Fn(&mut World, u64) -> Answer<T> + Send + Sync>;

struct Slot<T> {
    answer: Option<T>,
    waker: Option<Waker>,
}

/// An answer that will come.
struct Coming<T>(Arc<Mutex<Slot<T>>>);

impl<T> Coming<T> {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Slot { answer: None, waker: None })))
    }

    fn fill(slot: &Mutex<Slot<T>>, answer: T) {
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.answer = Some(answer);
        if let Some(waker) = slot.waker.take() {
            waker.wake();
        }
    }
}

impl<T> Future for Coming<T> {
    type Output = T;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                slot.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// What came back from one attempt.
enum Came<T> {
    Answer(Answer<T>),
    Throttled,
}

impl Client {
    /// Makes one call, with the SDK's attempts against throttling.
    ///
    /// # Errors
    /// As the effect answers, or as the fault that it meets.
    pub async fn call<T: Send + 'static>(
        &self,
        api: Api,
        what: String,
        effect: impl Fn(&mut World, u64) -> Answer<T> + Send + Sync + 'static,
    ) -> Answer<T> {
        let fault = {
            let mut guard = self.sim.world();
            let world = &mut *guard;
            if matches!(world.stage_of(self.task), "respond" | "release" | "order" | "notify") {
                world.watched.own_calls.push((world.weather.calls, api));
            }
            let fault = world.weather.next(&mut world.dice, api);
            if world.weather.denied_now {
                world.weather.denied_now = false;
                world.later(PERMITS, permission::given);
            }
            if let Some(fault) = fault {
                world.count(&format!("fault: {}", fault.name()));
            }
            fault
        };
        let effect: Effect<T> = Arc::new(effect);
        for attempt in 0..ATTEMPTS {
            match self.send(api, what.clone(), fault, Arc::clone(&effect)).await {
                Came::Answer(answer) => return answer,
                Came::Throttled if attempt + 1 < ATTEMPTS => self.wait(attempt).await,
                Came::Throttled => {}
            }
        }
        Err(PortError::new("calling", what, Kind::Transient, "RequestLimitExceeded"))
    }

    /// Waits as the SDK's standard retry does: up to 1, 2, 4 seconds.
    async fn wait(&self, attempt: u32) {
        let coming = Coming::new();
        {
            let mut world = self.sim.world();
            let micros = world.dice.below(SECOND << attempt.min(4));
            let slot = Arc::clone(&coming.0);
            let at = world.now + micros;
            world.agenda.put(at, Some(self.task), Box::new(move |_| Coming::fill(&slot, ())));
        }
        coming.await;
    }

    fn send<T: Send + 'static>(
        &self,
        api: Api,
        what: String,
        fault: Option<Fault>,
        effect: Effect<T>,
    ) -> Coming<Came<T>> {
        let coming = Coming::new();
        let (slot, task) = (Arc::clone(&coming.0), self.task);
        let mut world = self.sim.world();
        let travel = latency(&mut world);
        let at = world.now + travel;
        world.agenda.put(at, Some(task), Box::new(move |w| arrive(w, task, api, &what, fault, &effect, slot)));
        coming
    }
}

/// Most calls take milliseconds; some take a second.
fn latency(world: &mut World) -> u64 {
    if world.dice.chance(30) { world.dice.between(100, 1_500) * MILLI } else { world.dice.between(2, 60) * MILLI }
}

fn arrive<T: Send + 'static>(
    world: &mut World,
    task: TaskId,
    api: Api,
    what: &str,
    fault: Option<Fault>,
    effect: &Effect<T>,
    slot: Arc<Mutex<Slot<Came<T>>>>,
) {
    if fault == Some(Fault::DiesBefore) && !world.is_ghost(task) {
        world.trace(Some(task), format!("{api:?} {what}: never arrives"));
        return world.kill(task);
    }
    let failed = |kind, why| Came::Answer(Err(PortError::new("calling", what, kind, why)));
    let lag = if fault == Some(Fault::Stale) { world.dice.below(30 * SECOND) } else { 0 };
    let view = world.view(lag);
    let (came, word) = match fault {
        Some(Fault::Throttled) => (Came::Throttled, "throttled"),
        _ if world.throttled(api) => (Came::Throttled, "throttled by the bucket"),
        Some(Fault::Fails) => (failed(Kind::Transient, "injected"), "fails"),
        Some(Fault::Denied) => (failed(Kind::Denied, "injected"), "denied"),
        Some(Fault::LosesReply) => match effect(world, view) {
            Ok(_) => (failed(Kind::Transient, "the reply was lost"), "done, reply lost"),
            Err(error) => (Came::Answer(Err(error)), "error"),
        },
        _ => match effect(world, view) {
            Ok(answer) => (Came::Answer(Ok(answer)), if lag > 0 { "answered late" } else { "done" }),
            Err(error) => (Came::Answer(Err(error)), "error"),
        },
    };
    if word == "throttled by the bucket" {
        world.count("fault: throttled by the bucket");
    }
    world.trace(Some(task), format!("{api:?} {what}: {word}"));
    if fault == Some(Fault::DiesAfter) && !world.is_ghost(task) {
        return world.kill(task);
    }
    let back = latency(world) + if fault == Some(Fault::Stalls) { world.dice.below(120 * SECOND) } else { 0 };
    let at = world.now + back;
    world.agenda.put(at, Some(task), Box::new(move |_| Coming::fill(&slot, came)));
}
