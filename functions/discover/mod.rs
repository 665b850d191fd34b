//! discover: an event woke us; what is it, where is it, do we watch it? Reads only.

use lambda_runtime::{Error, service_fn};
use picket_aws::events;
use picket_model::{Decoded, Trigger};
use picket_pipeline::discover::{self, Ports};
use picket_pipeline::ports::{Clock as _, Kind};

use crate::entry::batch::{self, Handled, Message};
use crate::entry::{Entry, metric};

const QUEUE: &str = "PICKET_TRIGGERS_QUEUE_URL";

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    lambda_runtime::run(service_fn(move |event| async move {
        Ok::<_, Error>(batch::each(event, &entry.queues, QUEUE, |message| handle(entry, message)).await)
    }))
    .await
}

async fn handle(entry: &Entry, message: Message) -> Handled {
    match events::decode(&message.body) {
        Ok(Decoded::Drop(reason)) => {
            metric::count("TriggersDropped", "Reason", &reason.to_string(), 1);
            Handled::Done
        }
        Ok(Decoded::Trigger(trigger)) => look(entry, &trigger, message.receives).await,
        Err(malformed) => {
            tracing::error!(%malformed, "a malformed trigger is parked in the dead-letter queue");
            metric::count("TriggersMalformed", "Stage", "discover", 1);
            match entry.queues.park(&message.body, &malformed.to_string()).await {
                Ok(()) => Handled::Done,
                Err(error) => error.into(),
            }
        }
    }
}

async fn look(entry: &Entry, trigger: &Trigger, receives: u32) -> Handled {
    let now = picket_aws::SystemClock.now();
    let ports =
        Ports { cloud: &entry.clients, inventory: &entry.table, queues: &entry.queues, policies: Some(&entry.table) };
    match discover::run(&ports, trigger, now).await {
        Ok(found) => {
            let (seen, missing) = (found.observations.len(), found.missing.len());
            tracing::info!(trigger = %trigger.kind, subject = %trigger.subject, seen, missing, "looked");
            metric::count("Triggers", "Kind", &trigger.kind.to_string(), 1);
            if !found.never_seen.is_empty() {
                tracing::warn!(ids = ?found.never_seen, "instances never became visible; they are given up");
                metric::count("InstancesNeverVisible", "Stage", "discover", found.never_seen.len());
            }
            if missing == 0 {
                return Handled::Done;
            }
            Handled::AgainIn(backoff(receives), format!("{missing} instances are not visible yet"))
        }
        Err(error) if error.kind == Kind::NotFound => {
            if now.duration_since(trigger.at) > discover::VISIBLE_WITHIN {
                tracing::warn!(%error, "it never became visible; it is given up");
                return Handled::Done;
            }
            Handled::AgainIn(backoff(receives), error.to_string())
        }
        Err(error) => error.into(),
    }
}

/// Seconds until the next look: 1, 2, 4, ... at most 60. With fourteen receives that is over six minutes.
fn backoff(receives: u32) -> i32 {
    1 << (receives.clamp(1, 7) - 1).min(6)
}
