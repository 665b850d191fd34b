//! watch: does somebody work against Picket? Reads what Picket meant to do, and tells. Changes nothing.

use lambda_runtime::{Error, service_fn};
use picket_aws::SystemClock;
use picket_aws::events::watch as calls;
use picket_pipeline::watch::{self, Ports};

use crate::entry::batch::{self, Handled, Message};
use crate::entry::{Entry, metric};

const QUEUE: &str = "PICKET_WATCH_QUEUE_URL";

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    lambda_runtime::run(service_fn(move |event| async move {
        Ok::<_, Error>(batch::each(event, &entry.queues, QUEUE, |message| handle(entry, message)).await)
    }))
    .await
}

async fn handle(entry: &Entry, message: Message) -> Handled {
    let call = match calls::decode(&message.body, &entry.settings.stack) {
        Ok(Some(call)) => call,
        Ok(None) => return Handled::Done,
        Err(why) => return Handled::Again(format!("the call cannot be read: {why}")),
    };
    let ports = Ports { holds: &entry.table, queues: &entry.queues, clock: &SystemClock };
    match watch::run(&ports, &entry.settings, &call).await {
        Ok(watched) => {
            tracing::info!(call = %call.name, by = %call.by, watched = ?watched, "watched");
            metric::count("Watched", "Outcome", &format!("{watched:?}"), 1);
            Handled::Done
        }
        Err(error) => error.into(),
    }
}
