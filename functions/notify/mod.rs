//! notify: tell people. May publish to the alerts topic, and nothing else.

use lambda_runtime::{Error, service_fn};
use picket_aws::{SystemClock, Topic};
use picket_model::Notice;
use picket_pipeline::notify::{self, Told};
use picket_pipeline::ports::Clock as _;

use crate::entry::Entry;
use crate::entry::batch::{self, Handled, Message};

const QUEUE: &str = "PICKET_NOTICES_QUEUE_URL";
/// How soon a notice is looked at again that another worker is telling.
const BUSY_SECONDS: i32 = 10;

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    let topic = &Topic::new(&entry.clients, &entry.environment.need("PICKET_ALERTS_TOPIC_ARN")?, &entry.table);
    lambda_runtime::run(service_fn(move |event| async move {
        Ok::<_, Error>(batch::each(event, &entry.queues, QUEUE, |message| handle(topic, message)).await)
    }))
    .await
}

async fn handle(topic: &Topic<'_>, message: Message) -> Handled {
    let notice: Notice = match message.read() {
        Ok(notice) => notice,
        Err(again) => return again,
    };
    match notify::run(topic, &notice, SystemClock.now()).await {
        Ok(Told::Later) => Handled::AgainIn(BUSY_SECONDS, "another worker is telling it".to_owned()),
        Ok(told) => {
            tracing::info!(notice = %notice.id, case = %notice.decision.case, told = ?told, "told");
            Handled::Done
        }
        Err(error) => error.into(),
    }
}
