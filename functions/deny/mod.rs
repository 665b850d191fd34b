//! deny: cut the sessions of one held instance off from its role, or let them go on. The only function that may write an
//! IAM policy. It takes a role and an instance and nothing else, writes the one document that it knows, and does so only
//! for what a hold says: respond and release, which read more, ask it and may not write policies themselves.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::levers::{AwsLevers, Denial, Said};
use picket_pipeline::denial;

use crate::entry::Entry;

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Denial>| async move {
        Ok::<_, Error>(handle(entry, &event.payload).await)
    }))
    .await
}

async fn handle(entry: &Entry, order: &Denial) -> Said {
    let levers = AwsLevers::new(&entry.clients, &entry.settings.stack);
    let made = denial::make(&levers, &entry.table, &order.scope, &order.change).await;
    tracing::info!(change = %order.change, outcome = ?made, "a denial was ordered");
    made.into()
}
