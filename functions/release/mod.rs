//! release: lift a quarantine, on purpose. It is invoked by people who may, through `picket release`; no queue leads here.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::SystemClock;
use picket_aws::containment::SecurityGroups;
use picket_aws::levers::AwsLevers;
use picket_pipeline::release::{self, Order, Ports, Released};

use crate::entry::Entry;

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Order>| async move { handle(entry, event.payload).await }))
        .await
}

async fn handle(entry: &Entry, order: Order) -> Result<Released, Error> {
    let groups = SecurityGroups::new(&entry.clients, &entry.settings.stack);
    let levers = AwsLevers::new(&entry.clients, &entry.settings.stack).with_denials_asked();
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
