//! Workers: one invocation of a function each, handling its messages as `functions/` does.

use futures::future::join_all;
use picket_model::{Decision, Trigger};
use picket_pipeline::messages::{Message, Observed, Prepare};
use picket_pipeline::notify::{self, Told};
use picket_pipeline::ports::{Answer, Clock as _, Kind, PortError};
use picket_pipeline::respond::{self, Responded};
use picket_pipeline::{assess, discover, keep, order, release, sweep};

use crate::agenda::SECOND;
use crate::call::Client;
use crate::cloud::scope;
use crate::people;
use crate::queues::{Letter, Name};

/// What a worker is started for.
#[derive(Debug)]
pub enum Job {
    /// Messages of a queue.
    Batch(Name, Vec<Letter>),
    /// The schedule.
    Sweep,
    /// A person lifts a quarantine; so many tries are left.
    Release(release::Order, u32),
    /// A person says that one stays.
    Keep(keep::Order),
    /// A person orders one.
    Order(order::Order, u32),
}

/// What became of a message (`functions/entry/batch.rs`).
enum Handled {
    Done,
    Again,
    AgainIn(u64),
}

impl From<PortError> for Handled {
    fn from(_: PortError) -> Self {
        Self::Again
    }
}

/// Does the job.
pub async fn run(client: Client, job: Job) {
    match job {
        Job::Batch(name, letters) => batch(&client, name, letters).await,
        Job::Sweep => {
            let ports =
                sweep::Ports { cloud: &client, inventory: &client, holds: &client, queues: &client, releases: &client };
            let swept = sweep::run(&ports, "picket", &scope(), client.now()).await;
            let mut world = client.sim.world();
            world.count(if swept.is_ok() { "sweeps" } else { "sweeps that failed" });
            world.trace(Some(client.task), format!("sweep: {swept:?}"));
        }
        Job::Release(order, tries) => {
            let outcome = release_one(&client, &order).await;
            people::released(&mut client.sim.world(), order, tries, &outcome);
        }
        Job::Keep(order) => {
            let outcome = keep::run(&client, &order, client.now()).await;
            client.sim.world().trace(Some(client.task), format!("keep: {outcome:?}"));
        }
        Job::Order(order, tries) => {
            let decision = order.decision(&scope(), client.now());
            let outcome = respond_one(&client, &decision).await;
            people::quarantined(&mut client.sim.world(), order, tries, &outcome);
        }
    }
}

async fn batch(client: &Client, name: Name, letters: Vec<Letter>) {
    let one = |letter: Letter| async move {
        match handle(client, &letter).await {
            Handled::Done => return Some(letter.id),
            Handled::Again => {}
            Handled::AgainIn(seconds) => client.sim.world().show_in(name, letter.id, seconds * SECOND),
        }
        None
    };
    // Messages are deleted when the function has returned, all that were handled at once.
    let done: Vec<u64> = join_all(letters.into_iter().map(one)).await.into_iter().flatten().collect();
    let mut world = client.sim.world();
    for id in done {
        world.queues.of(name).letters.remove(&id);
    }
}

async fn handle(client: &Client, letter: &Letter) -> Handled {
    match &letter.body {
        Message::Look(trigger) => look(client, trigger, letter.receives).await,
        Message::Observed(seen) => judge(client, seen).await,
        Message::Decision(decision) => match respond_one(client, decision).await {
            Ok(Responded::Later(_)) => Handled::AgainIn((5 << letter.receives.clamp(1, 5).saturating_sub(1)).min(60)),
            Ok(outcome) => {
                client.sim.world().count(&format!("respond: {}", outcome.name()));
                Handled::Done
            }
            Err(error) => error.into(),
        },
        Message::Prepare(wanted) => prepare(client, wanted).await,
        // Fixes and looks at whole places are not played here; they have worlds of their own.
        Message::Fix(_) | Message::Judge(_) | Message::Survey(_) => Handled::Done,
        Message::Notice(notice) => match notify::run(client, notice, client.now()).await {
            Ok(Told::Later) => Handled::AgainIn(10),
            Ok(_) => Handled::Done,
            Err(error) => error.into(),
        },
    }
}

async fn look(client: &Client, trigger: &Trigger, receives: u32) -> Handled {
    let now = client.now();
    let again = || Handled::AgainIn(1 << (receives.clamp(1, 7) - 1).min(6));
    let ports = discover::Ports { cloud: client, inventory: client, queues: client, policies: Some(client) };
    match discover::run(&ports, trigger, now).await {
        Ok(found) if found.missing.is_empty() => Handled::Done,
        Ok(_) => again(),
        Err(error) if error.kind == Kind::NotFound => {
            if now.duration_since(trigger.at) > discover::VISIBLE_WITHIN {
                Handled::Done
            } else {
                again()
            }
        }
        Err(error) => error.into(),
    }
}

async fn judge(client: &Client, seen: &Observed) -> Handled {
    let ports = assess::Ports { policies: client, queues: client };
    let settings = client.sim.world().settings.clone();
    assess::run(&ports, &settings, seen, client.now()).await.map_or_else(Handled::from, |_| Handled::Done)
}

async fn prepare(client: &Client, wanted: &Prepare) -> Handled {
    let settings = client.sim.world().settings.clone();
    respond::prepare(&respond_ports(client), &settings, wanted).await.map_or_else(Handled::from, |_| Handled::Done)
}

async fn respond_one(client: &Client, decision: &Decision) -> Answer<Responded> {
    let settings = client.sim.world().settings.clone();
    let outcome = respond::run(&respond_ports(client), &settings, decision).await;
    client.sim.world().trace(Some(client.task), format!("respond: {outcome:?}"));
    outcome
}

async fn release_one(client: &Client, order: &release::Order) -> Answer<release::Released> {
    let settings = client.sim.world().settings.clone();
    let ports = release::Ports {
        cloud: client,
        containment: client,
        levers: client,
        holds: client,
        queues: client,
        clock: client,
    };
    let outcome = release::run(&ports, &settings, order).await;
    client.sim.world().trace(Some(client.task), format!("release: {outcome:?}"));
    outcome
}

fn respond_ports(client: &Client) -> respond::Ports<'_> {
    respond::Ports {
        cloud: client,
        containment: client,
        rehearsal: client,
        policies: client,
        levers: client,
        holds: client,
        queues: client,
        clock: client,
    }
}
