//! sweep: on a schedule, list everything, ask for its assessment, and pick up what was left half done. Reads only.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::{Functions, SystemClock};
use picket_pipeline::ports::Clock as _;
use picket_pipeline::sweep::{self, Ports};
use serde_json::Value;

use crate::entry::Entry;

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let scope = entry.environment.scope(&event.context.invoked_function_arn)?;
        let functions = Functions::new(&entry.clients, &entry.settings.stack);
        let ports = Ports {
            cloud: &entry.clients,
            inventory: &entry.table,
            holds: &entry.table,
            queues: &entry.queues,
            releases: &functions,
        };
        let swept = sweep::run(&ports, &entry.settings.stack, &scope, SystemClock.now()).await?;
        let sweep::Swept { instances, clusters, resumed, due } = swept;
        tracing::info!(instances, clusters, resumed, due, "swept");
        Ok::<_, Error>(())
    }))
    .await
}
