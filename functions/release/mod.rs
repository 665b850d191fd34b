//! release: lift a quarantine, on purpose, or keep it. It is invoked by people who may, through `picket release` and
//! `picket keep`, and by the sweep for what a dead worker left and what nobody kept; no queue leads here.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::SystemClock;
use picket_aws::containment::SecurityGroups;
use picket_aws::levers::AwsLevers;
use picket_kubernetes::{ClusterNodes, EksClusters};
use picket_pipeline::keep;
use picket_pipeline::ports::Clock as _;
use picket_pipeline::release::{self, Order, Ports, Released};
use serde::Deserialize;
use serde_json::Value;

use crate::entry::Entry;

/// What may be asked.
#[derive(Deserialize)]
#[serde(untagged)]
enum Asked {
    Keep { keep: keep::Order },
    Release(Order),
}

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Asked>| async move {
        Ok::<Value, Error>(match event.payload {
            Asked::Keep { keep } => serde_json::to_value(kept(entry, keep).await?)?,
            Asked::Release(order) => serde_json::to_value(handle(entry, order).await?)?,
        })
    }))
    .await
}

async fn kept(entry: &Entry, order: keep::Order) -> Result<keep::Answered, Error> {
    let outcome = keep::run(&entry.table, &order, SystemClock.now()).await?;
    tracing::info!(by = %order.by, reason = %order.reason, outcome = ?outcome, "a quarantine was kept");
    Ok(outcome)
}

async fn handle(entry: &Entry, order: Order) -> Result<Released, Error> {
    let groups = SecurityGroups::new(&entry.clients, &entry.settings.stack);
    let clusters = EksClusters(&entry.clients);
    let nodes = ClusterNodes::new(&clusters);
    let levers = AwsLevers::new(&entry.clients, &entry.settings.stack).with_denials_asked().with_nodes(&nodes);
    let ports = Ports {
        cloud: &entry.clients,
        containment: &groups,
        levers: &levers,
        holds: &entry.table,
        queues: &entry.queues,
        clock: &SystemClock,
    };
    let outcome = release::run(&ports, &entry.settings, &order).await?;
    tracing::info!(by = %order.by, reason = %order.reason, outcome = ?outcome, "a release was ordered");
    Ok(outcome)
}
