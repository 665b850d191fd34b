//! assess: evidence -> findings -> decision. Reads the policy and no resource.

use lambda_runtime::{Error, service_fn};
use picket_pipeline::assess::{self, Ports};
use picket_pipeline::ports::Clock as _;

use crate::entry::batch::{self, Handled, Message};
use crate::entry::{Entry, metric};

const QUEUE: &str = "PICKET_ASSESS_QUEUE_URL";

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    lambda_runtime::run(service_fn(move |event| async move {
        Ok::<_, Error>(batch::each(event, &entry.queues, QUEUE, |message| handle(entry, message)).await)
    }))
    .await
}

async fn handle(entry: &Entry, message: Message) -> Handled {
    let seen = match message.read() {
        Ok(seen) => seen,
        Err(again) => return again,
    };
    let ports = Ports { policies: &entry.table, queues: &entry.queues };
    match assess::run(&ports, &entry.settings, &seen, picket_aws::SystemClock.now()).await {
        Ok(decisions) => {
            for decision in decisions {
                let (verdict, targets, score) = (decision.verdict, decision.targets.len(), decision.score.total);
                let (trigger, assets) = (&decision.trigger, decision.assets());
                tracing::info!(case = %decision.case, %trigger, %assets, %verdict, targets, score, "decided");
                metric::count("Decisions", "Verdict", &verdict.to_string(), 1);
            }
            Handled::Done
        }
        Err(error) => error.into(),
    }
}
