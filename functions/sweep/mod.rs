//! sweep: on a schedule, list everything here, ask for its assessment, pick up what was left half done, and ask for a look
//! at every other place; and look at a place when its message says so. Reads only.

mod health;
mod places;

use std::collections::BTreeSet;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::{Functions, SystemClock};
use picket_model::{Scope, VpcId};
use picket_pipeline::PortError;
use picket_pipeline::in_force;
use picket_pipeline::messages::Survey;
use picket_pipeline::ports::{Clock as _, Inventory, Kind};
use picket_pipeline::round;
use picket_pipeline::scan::Probing;
use picket_pipeline::sweep::{self, Ports};
use serde_json::Value;

use crate::entry::Entry;
use crate::entry::batch::{self, Handled, Message};
use places::Places;

const QUEUE: &str = "PICKET_SWEEP_QUEUE_URL";

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    let places = &Places::new(&entry.environment);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let home = entry.environment.scope(&event.context.invoked_function_arn)?;
        if event.payload.get("Records").is_none() {
            return scheduled(entry, places, &home).await.map(|()| Value::Null);
        }
        let batch: SqsEvent = serde_json::from_value(event.payload)?;
        let event = LambdaEvent::new(batch, event.context);
        let answer = batch::each(event, &entry.queues, QUEUE, |message| look(entry, places, &home, message)).await;
        Ok(serde_json::to_value(answer)?)
    }))
    .await
}

/// The clock says to look everywhere. What is here comes first, and neither it nor the rest depends on the other.
async fn scheduled(entry: &Entry, places: &Places, home: &Scope) -> Result<(), Error> {
    let swept = here(entry, places, home, home).await;
    if let Err(error) = &swept {
        tracing::error!(%error, "home could not be swept; the other places are looked at all the same");
    }
    let scopes = places.all(entry, home, SystemClock.now()).await;
    let own = scopes.iter().flatten().filter(|scope| scope.account == home.account);
    let regions: Vec<_> = own.map(|scope| scope.region.clone()).collect();
    health::check(entry, home, &regions, SystemClock.now()).await;
    let scopes = scopes?;
    round::send(&entry.queues, &scopes, "the sweep").await?;
    tracing::info!(places = scopes.len(), "a look at every place is asked for");
    Ok(swept?)
}

/// Asks discover to look at everything of this account in one Region, and takes up what was left half done.
async fn here(entry: &Entry, places: &Places, home: &Scope, scope: &Scope) -> Result<(), PortError> {
    // Its clients wait longer: a page of instances takes more time than what a launch may.
    let watch = places.watch(&scope.account, home).await?;
    let functions = Functions::new(&entry.clients, &entry.settings.stack);
    let ports = Ports {
        cloud: watch.clients(),
        inventory: &entry.table,
        holds: &entry.table,
        queues: &entry.queues,
        releases: &functions,
    };
    let swept = sweep::run(&ports, &entry.settings.stack, scope, SystemClock.now()).await?;
    let sweep::Swept { instances, clusters, resumed, due } = swept;
    tracing::info!(instances, clusters, resumed, due, "swept");
    Ok(())
}

/// The VPCs whose machines may be asked what they are: those that the policy names, where the stack has its probe.
async fn probed(entry: &Entry) -> Result<BTreeSet<VpcId>, PortError> {
    if entry.environment.get("PICKET_PROBE").is_none() {
        return Ok(BTreeSet::new());
    }
    Ok(in_force::read(&entry.table, &entry.settings).await?.policy.probe.vpcs())
}

async fn look(entry: &Entry, places: &Places, home: &Scope, message: Message) -> Handled {
    let asked: Survey = match message.read() {
        Ok(asked) => asked,
        Err(again) => return again,
    };
    let watch = match places.watch(&asked.scope.account, home).await {
        Ok(watch) => watch,
        Err(error) if error.kind == Kind::Denied => {
            let told = places.shut(entry, home, &asked.scope.account, &error, SystemClock.now()).await;
            return told.map_or_else(Handled::from, |()| Handled::Done);
        }
        Err(error) => return error.into(),
    };
    let elsewhere = asked.scope.account != home.account;
    let functions = Functions::new(&entry.clients, &entry.settings.stack);
    let vpcs = match probed(entry).await {
        Ok(vpcs) => vpcs,
        Err(error) => return error.into(),
    };
    let ports = round::Ports {
        lookout: &*watch,
        atlas: &entry.table,
        probing: (!vpcs.is_empty()).then_some(Probing { prober: &functions, vpcs: &vpcs }),
        queues: &entry.queues,
        inventory: elsewhere.then_some(&entry.table as &dyn Inventory),
        stack: &entry.settings.stack,
    };
    let came = match round::place(&ports, &asked, SystemClock.now()).await {
        Ok(came) => came,
        Err(error) => return error.into(),
    };
    let round::Round { instances, clusters, new, gone, unseen, calls } = came;
    tracing::info!(place = %asked.scope, instances, clusters, new, gone, unseen, calls, "looked at a place");
    // The Region where we run was swept by the clock itself; other accounts are only looked at.
    if asked.scope.account == home.account && asked.scope.region != home.region {
        return here(entry, places, home, &asked.scope).await.map_or_else(Handled::from, |()| Handled::Done);
    }
    Handled::Done
}
