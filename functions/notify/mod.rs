//! notify: tell people. May publish to the alerts topic and post to the channels that are set up, and nothing else.

use lambda_runtime::{Error, service_fn};
use picket_aws::webhooks::{self, Webhook};
use picket_aws::{SystemClock, Topic};
use picket_model::Notice;
use picket_pipeline::notify::{self, Told};
use picket_pipeline::ports::{Clock as _, Pager};

use crate::entry::Entry;
use crate::entry::batch::{self, Handled, Message};

const QUEUE: &str = "PICKET_NOTICES_QUEUE_URL";
/// How soon a notice is looked at again that another worker is telling.
const BUSY_SECONDS: i32 = 10;

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    let topic = &Topic::new(&entry.clients, &entry.environment, &entry.table)?;
    let webhooks = &webhooks::of(&entry.clients, &entry.environment, &entry.table);
    lambda_runtime::run(service_fn(move |event| async move {
        Ok::<_, Error>(batch::each(event, &entry.queues, QUEUE, |message| handle(topic, webhooks, message)).await)
    }))
    .await
}

/// Tells a notice by every channel. One that fails keeps no other from telling, and is tried again by itself.
async fn handle(topic: &Topic<'_>, webhooks: &[Webhook<'_>], message: Message) -> Handled {
    let notice: Notice = match message.read() {
        Ok(notice) => notice,
        Err(again) => return again,
    };
    let pagers = std::iter::once(topic as &dyn Pager).chain(webhooks.iter().map(|w| w as &dyn Pager));
    let told = pagers.map(|pager| notify::run(pager, &notice, SystemClock.now()));
    let mut came = Handled::Done;
    for told in futures::future::join_all(told).await {
        match told {
            Ok(Told::Later) => came = Handled::AgainIn(BUSY_SECONDS, "another worker is telling it".to_owned()),
            Ok(told) => tracing::info!(notice = %notice.id, case = %notice.decision.case, told = ?told, "told"),
            Err(error) => {
                tracing::warn!(%error, notice = %notice.id, "a channel could not tell it");
                came = error.into();
            }
        }
    }
    came
}
