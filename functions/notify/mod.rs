//! notify: tell people. May publish to the alerts topic and post to the channels that are set up, and nothing else. Its
//! queue brings notices; a clock, which brings no records, has it tell what was kept back.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use jiff::SignedDuration;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::webhooks::{self, Webhook};
use picket_aws::{Bus, Environment, Reports, SystemClock, Topic, reports};
use picket_model::{Notice, NoticeKind};
use picket_pipeline::digest::{self, Patience};
use picket_pipeline::notify::{self, Told};
use picket_pipeline::ports::{Answer, Clock as _, Pager};
use picket_pipeline::{channels, render};
use serde_json::Value;

use crate::entry::batch::{self, Handled, Message};
use crate::entry::{Entry, metric};

const QUEUE: &str = "PICKET_NOTICES_QUEUE_URL";
/// How soon a notice is looked at again that another worker is telling.
const BUSY_SECONDS: i32 = 10;

/// Everybody who tells.
struct Tellers<'a> {
    entry: &'a Entry,
    topic: Topic<'a>,
    webhooks: Vec<Webhook<'a>>,
    patience: Patience,
    bus: Bus<'a>,
    report: Option<(Reports, Duration)>,
}

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    let tellers = &Tellers {
        entry,
        topic: Topic::new(&entry.clients, &entry.environment, &entry.table)?,
        webhooks: webhooks::of(&entry.clients, &entry.environment, &entry.table),
        patience: patience(&entry.environment)?,
        bus: Bus::new(&entry.clients, &entry.table),
        report: report(entry)?,
    };
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        if event.payload.get("Records").is_none() {
            let told = digest::tell_due(&entry.table, &tellers.all(), SystemClock.now()).await?;
            tracing::info!(told, "told what was kept back");
            return Ok::<_, Error>(serde_json::json!({ "told": told }));
        }
        let event = LambdaEvent::new(serde_json::from_value::<SqsEvent>(event.payload)?, event.context);
        let response = batch::each(event, &entry.queues, QUEUE, |message| tellers.handle(message)).await;
        Ok(serde_json::to_value(response)?)
    }))
    .await
}

/// Seconds until a channel is tried again that could not tell: 10, 30, 90, 270, then 810. A short outage costs seconds, and
/// the receives of the queue outlast a long one.
fn until_again(receives: u32) -> i32 {
    10 * 3_i32.pow(receives.clamp(1, 5) - 1)
}

/// How long notices may be kept back; what is not said is not kept back.
fn patience(environment: &Environment) -> Result<Patience, Error> {
    let minutes = |name| minutes(environment, name);
    Ok(Patience { repeats: minutes("PICKET_MERGE_MINUTES")?, digest: minutes("PICKET_DIGEST_MINUTES")? })
}

fn minutes(environment: &Environment, name: &str) -> Result<SignedDuration, Error> {
    match environment.get(name).map(str::parse::<u16>) {
        None => Ok(SignedDuration::ZERO),
        Some(Ok(minutes)) => Ok(SignedDuration::from_mins(minutes.into())),
        Some(Err(error)) => Err(format!("environment variable {name} is no number of minutes: {error}").into()),
    }
}

/// How long it took from the call to the last interface cut. A notice that its queue shows twice counts twice.
fn measure(notice: &Notice) {
    if let NoticeKind::Quarantined { contained_at, .. } = &notice.kind {
        let took = contained_at.as_millisecond() - notice.decision.triggered_at.as_millisecond();
        metric::took("TimeToContain", "Stage", "respond", took);
    }
}

/// Where the live report is, and for how long an alert's link to it lasts; none if alerts carry none.
fn report(entry: &Entry) -> Result<Option<(Reports, Duration)>, Error> {
    let minutes = minutes(&entry.environment, "PICKET_REPORT_LINK_MINUTES")?;
    let lasts = Duration::try_from(minutes).unwrap_or_default();
    Ok(Reports::of(&entry.clients, &entry.environment).filter(|_| !lasts.is_zero()).map(|reports| (reports, lasts)))
}

impl Tellers<'_> {
    fn all(&self) -> Vec<&dyn Pager> {
        let first: [&dyn Pager; 2] = [&self.topic, &self.bus];
        first.into_iter().chain(self.webhooks.iter().map(|w| w as &dyn Pager)).collect()
    }

    async fn handle(&self, message: Message) -> Handled {
        let receives = message.receives;
        let notice: Notice = match message.read() {
            Ok(notice) => notice,
            Err(again) => return again,
        };
        if let Err(error) = self.remember(&notice).await {
            return error.into();
        }
        match digest::keep_back(&self.entry.table, &notice, self.patience, SystemClock.now()).await {
            Ok(false) => self.tell(&notice, receives).await,
            Ok(true) => {
                tracing::info!(notice = %notice.id, case = %notice.decision.case, "kept back, to be told with others");
                Handled::Done
            }
            Err(error) => error.into(),
        }
    }

    /// Keeps what is told for the live report, before anything is told or kept back; the same notice twice is once.
    async fn remember(&self, notice: &Notice) -> Answer<()> {
        let detail = channels::detail(&render::story(notice), notice);
        let account = &notice.decision.scope.account;
        self.entry.table.keep_episode(account, notice.at, &notice.id, &detail).await
    }

    /// A link to the live report of the notice's account. Without one, the alert is whole all the same.
    async fn link(&self, notice: &Notice) -> Option<String> {
        let (reports, lasts) = self.report.as_ref()?;
        let page = reports::page_of(notice.decision.scope.account.as_str());
        let link = reports.link(&page, *lasts).await;
        link.inspect_err(|error| tracing::warn!(%error, "the alert carries no link to the report")).ok()
    }

    /// Tells a notice by every channel. One that fails keeps no other from telling, and is tried again by itself.
    async fn tell(&self, notice: &Notice, receives: u32) -> Handled {
        let page = render::page_with(notice, self.link(notice).await.as_deref());
        let (only, page) = ([notice], &page);
        let told = self.all().into_iter().map(|pager| notify::tell(pager, &only, |_| page.clone(), SystemClock.now()));
        let mut came = Handled::Done;
        measure(notice);
        for told in futures::future::join_all(told).await {
            match told {
                Ok(Told::Later) => came = Handled::AgainIn(BUSY_SECONDS, "another worker is telling it".to_owned()),
                Ok(told) => tracing::info!(notice = %notice.id, case = %notice.decision.case, told = ?told, "told"),
                Err(error) => {
                    tracing::warn!(%error, notice = %notice.id, "a channel could not tell it");
                    came = Handled::AgainIn(until_again(receives), error.to_string());
                }
            }
        }
        came
    }
}
