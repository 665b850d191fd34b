//! fix: change what is no instance from what is wrong to what it should be, and back. The only function that may change
//! such things. It serves its queue, people who may invoke it (`picket fix`, `picket approve`), a clock that goes on with
//! what was left half done, and answers that come to its address, which IAM lets in.

mod answers;
mod router;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::links::{NoLinks, SignedLinks};
use picket_aws::{AwsFixes, SystemClock};
use picket_kubernetes::EksClusters;
use picket_model::Scope;
use picket_model::fix::FixState;
use picket_pipeline::fix::{self, Outcome, Ports, Work};
use picket_pipeline::messages::Message as Sent;
use picket_pipeline::ports::{FixStore as _, Links, Queues as _};
use serde_json::Value;

use crate::entry::batch::{self, Handled, Message};
use crate::entry::{Entry, metric};
use router::Router;

const QUEUE: &str = "PICKET_FIX_QUEUE_URL";

/// What every invocation shares.
struct Bench {
    entry: Entry,
    links: Option<SignedLinks>,
}

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = Entry::begin().await?;
    let links = SignedLinks::load(&entry.clients, &entry.environment).await?;
    let bench = &Bench { entry, links };
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move { serve(bench, event).await })).await
}

async fn serve(bench: &Bench, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (payload, context) = event.into_parts();
    let scope = bench.entry.environment.scope(&context.invoked_function_arn)?;
    if payload.get("Records").is_some() {
        let event = LambdaEvent::new(serde_json::from_value::<SqsEvent>(payload)?, context);
        let response = batch::each(event, &bench.entry.queues, QUEUE, |message| handle(bench, &scope, message)).await;
        return Ok(serde_json::to_value(response)?);
    }
    if payload.pointer("/requestContext/http").is_some() {
        return answers::serve(bench, &scope, &payload).await;
    }
    let work = match payload.get("detail-type").and_then(Value::as_str) {
        Some("Scheduled Event") => Work::LookAfter { scope: scope.clone() },
        _ => serde_json::from_value(payload).map_err(|e| format!("the order cannot be read: {e}"))?,
    };
    Ok(serde_json::to_value(now(bench, &scope, &work).await?)?)
}

async fn handle(bench: &Bench, home: &Scope, message: Message) -> Handled {
    let receives = message.receives;
    let work: Work = match message.read() {
        Ok(work) => work,
        Err(again) => return again,
    };
    match carry_out(bench, home, &work).await {
        Ok(Outcome::Later { why, .. }) => Handled::AgainIn(until_free(receives), why),
        Ok(_) => Handled::Done,
        Err(error) => error.into(),
    }
}

/// For whoever waits for the answer: what cannot be ended now goes on by the queue.
async fn now(bench: &Bench, home: &Scope, work: &Work) -> Result<Outcome, Error> {
    let outcome = carry_out(bench, home, work).await?;
    if let (Outcome::Later { id, .. }, Work::Order(_) | Work::Undo(_) | Work::Say(_)) = (&outcome, work) {
        let scope = work.scope();
        let known = bench.entry.table.fix(scope, id).await?;
        let acts = known.is_some_and(|f| matches!(f.state, FixState::Applying | FixState::Undoing));
        let next = match work {
            // What waits for its turn has not begun: there is nothing to go on with, so it is asked for again.
            Work::Order(_) | Work::Undo(_) if !acts => work.clone(),
            _ => Work::Resume { scope: scope.clone(), id: id.clone() },
        };
        bench.entry.queues.send(vec![Sent::Fix(Box::new(next))]).await?;
    }
    Ok(outcome)
}

async fn carry_out(bench: &Bench, home: &Scope, work: &Work) -> Result<Outcome, picket_pipeline::PortError> {
    if let Some(refused) = Outcome::elsewhere(work, &home.account) {
        tracing::warn!(work = ?work, outcome = ?refused, "not worked");
        return Ok(refused);
    }
    let (entry, links): (_, &dyn Links) = (&bench.entry, bench.links.as_ref().map_or(&NoLinks, |l| l as &dyn Links));
    let clusters = EksClusters(&entry.clients);
    let things = Router::new(AwsFixes::new(&entry.clients, &entry.settings.stack), &clusters);
    let ports = Ports {
        fixes: &things,
        store: &entry.table,
        policies: &entry.table,
        queues: &entry.queues,
        links,
        clock: &SystemClock,
    };
    let outcome = fix::work(&ports, &entry.settings, work).await?;
    tracing::info!(work = ?work, outcome = ?outcome, "worked");
    metric::count("Fixes", "Outcome", outcome.name(), 1);
    Ok(outcome)
}

/// Seconds until it is looked at again: 5, 10, 20, 40, then 60. EKS takes up to half an hour for a change, which the
/// queue's 40 receives outlast.
fn until_free(receives: u32) -> i32 {
    (5 << receives.clamp(1, 5).saturating_sub(1)).min(60)
}
