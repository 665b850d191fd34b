//! respond: carry out a permitted plan, journalled and resumable. The only function that may change security groups.
//! It serves its queue, and orders from people who may invoke it: `picket quarantine`.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::SystemClock;
use picket_aws::containment::SecurityGroups;
use picket_aws::levers::AwsLevers;
use picket_kubernetes::{ClusterNodes, EksClusters};
use picket_model::Decision;
use picket_pipeline::messages::Prepare;
use picket_pipeline::order::Order;
use picket_pipeline::respond::{self, Ports, Responded};
use serde::Deserialize;
use serde_json::Value;

use crate::entry::batch::{self, Handled, Message};
use crate::entry::{Entry, metric};

const QUEUE: &str = "PICKET_RESPOND_QUEUE_URL";

/// What may be in the queue.
#[derive(Deserialize)]
#[serde(untagged)]
enum Work {
    Decision(Box<Decision>),
    Prepare(Prepare),
}

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let (payload, context) = event.into_parts();
        if payload.get("Records").is_none() {
            return ordered(entry, payload, &context.invoked_function_arn).await;
        }
        let event = LambdaEvent::new(serde_json::from_value::<SqsEvent>(payload)?, context);
        let response = batch::each(event, &entry.queues, QUEUE, |message| handle(entry, message)).await;
        Ok(serde_json::to_value(response)?)
    }))
    .await
}

async fn handle(entry: &Entry, message: Message) -> Handled {
    let groups = SecurityGroups::new(&entry.clients, &entry.settings.stack);
    let clusters = EksClusters(&entry.clients);
    let nodes = ClusterNodes::new(&clusters);
    let levers = levers(entry).with_nodes(&nodes);
    let ports = ports(entry, &groups, &levers);
    let receives = message.receives;
    match message.read() {
        Ok(Work::Decision(decision)) => match respond::run(&ports, &entry.settings, &decision).await {
            Ok(Responded::Later(why)) => Handled::AgainIn(until_free(receives), why),
            Ok(outcome) => {
                let (trigger, assets) = (&decision.trigger, decision.assets());
                tracing::info!(case = %decision.case, %trigger, %assets, outcome = ?outcome, "responded");
                metric::count("Responses", "Outcome", outcome.name(), 1);
                Handled::Done
            }
            Err(error) => error.into(),
        },
        Ok(Work::Prepare(wanted)) => match respond::prepare(&ports, &entry.settings, &wanted).await {
            Ok(made) => {
                tracing::info!(made, "quarantine groups are ready");
                Handled::Done
            }
            Err(error) => error.into(),
        },
        Err(again) => again,
    }
}

/// Seconds until a decision is tried again that found another worker at it: 5, 10, 20, 40, then 60. The eight receives
/// of the queue outlast the lease of a worker that died, so that no decision becomes a dead letter meanwhile.
fn until_free(receives: u32) -> i32 {
    (5 << receives.clamp(1, 5).saturating_sub(1)).min(60)
}

async fn ordered(entry: &Entry, payload: Value, arn: &str) -> Result<Value, Error> {
    let order: Order = serde_json::from_value(payload).map_err(|e| format!("the order cannot be read: {e}"))?;
    let scope = entry.environment.scope(arn)?;
    let groups = SecurityGroups::new(&entry.clients, &entry.settings.stack);
    let clusters = EksClusters(&entry.clients);
    let nodes = ClusterNodes::new(&clusters);
    let levers = levers(entry).with_nodes(&nodes);
    let decision = order.decision(&scope, jiff::Timestamp::now());
    let outcome = respond::run(&ports(entry, &groups, &levers), &entry.settings, &decision).await?;
    tracing::info!(case = %decision.case, by = %order.by, outcome = ?outcome, "carried out an order");
    Ok(serde_json::json!({ "case": decision.case, "outcome": outcome.name(), "says": outcome.to_string() }))
}

fn levers(entry: &Entry) -> AwsLevers<'_> {
    AwsLevers::new(&entry.clients, &entry.settings.stack)
        .with_evidence(entry.environment.get("PICKET_EVIDENCE_BUCKET"))
        .with_denials_asked()
}

fn ports<'a>(entry: &'a Entry, groups: &'a SecurityGroups<'a>, levers: &'a AwsLevers<'a>) -> Ports<'a> {
    Ports {
        cloud: &entry.clients,
        containment: groups,
        rehearsal: groups,
        levers,
        policies: &entry.table,
        holds: &entry.table,
        queues: &entry.queues,
        clock: &SystemClock,
    }
}
