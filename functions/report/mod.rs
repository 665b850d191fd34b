//! report: write the live report, and what other tools read. Woken by our own events, which say that something was told or
//! judged, and by a clock; people invoke it for a link. One writes at a time, and what was begun after an event was sent
//! answers that event. It reads the state and writes to the report's bucket, and may import findings into Security Hub; it
//! changes nothing else.

mod episode;
mod export;
mod gather;
mod held;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::{Pen, Reports, SystemClock, reports};
use picket_model::{AccountId, Region, Scope};
use picket_pipeline::ports::{Answer, Clock as _};
use picket_report::{Report, html};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::entry::Entry;
use crate::entry::batch::Batch;

/// Whose report it is that all accounts share.
const ALL: &str = "organization";
/// The variable that holds our queue's URL.
const QUEUE: &str = "PICKET_REPORT_QUEUE_URL";
/// Seconds until we are asked again, while somebody else is writing.
const WRITING: i32 = 5;
/// Seconds until it is tried again, when it could not be written.
const FAILED: i32 = 60;
/// How long writing may take: as long as the function may run.
const LONGEST_WRITING: SignedDuration = SignedDuration::from_secs(300);
/// How often a person's request looks for the pen, once a second.
const LOOKS: u32 = 45;
/// The longest that a link lasts; the credentials that sign it may end earlier.
const LONGEST: u64 = 12 * 60;

/// What people may ask.
#[derive(Deserialize)]
struct Asked {
    link: Option<LinkAsked>,
}

#[derive(Deserialize)]
struct LinkAsked {
    /// An account, or `organization`; where it is left out, the account that Picket is deployed in.
    of: Option<String>,
    minutes: u64,
    /// Write it anew first.
    #[serde(default)]
    fresh: bool,
}

/// What every invocation needs.
struct Office<'a> {
    entry: &'a Entry,
    reports: Reports,
}

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    let reports = Reports::of(&entry.clients, &entry.environment)
        .ok_or("environment variable PICKET_REPORT_BUCKET is not set; deploy the whole template")?;
    let office = &Office { entry, reports };
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let home = entry.environment.scope(&event.context.invoked_function_arn)?;
        if let Ok(Asked { link: Some(link) }) = serde_json::from_value(event.payload.clone()) {
            return office.link(&home, &link).await;
        }
        let batch = Batch::of(event.payload);
        let seconds = match office.written_since(&home, batch.sent()).await {
            Ok(true) => return Ok(serde_json::to_value(batch.done())?),
            Ok(false) => WRITING,
            Err(error) => {
                tracing::warn!(%error, "the report will be written again");
                FAILED
            }
        };
        Ok::<Value, Error>(serde_json::to_value(batch.all_again_in(seconds, &entry.queues, QUEUE).await)?)
    }))
    .await
}

impl Office<'_> {
    /// Whether a report is written that was begun after `asked`; false while somebody else writes one.
    async fn written_since(&self, home: &Scope, asked: Option<Timestamp>) -> Answer<bool> {
        let (table, now) = (&self.entry.table, SystemClock.now());
        let until = now.saturating_add(LONGEST_WRITING).unwrap_or(now);
        match table.take_pen(&home.account, asked, now, until).await? {
            Pen::NotNeeded => return Ok(true),
            Pen::Elsewhere => return Ok(false),
            Pen::Taken => {}
        }
        let written = self.write(home).await;
        table.give_pen_back(&home.account, written.is_ok().then_some(now)).await?;
        written.map(|()| true)
    }

    /// Writes every report anew, from what is kept. An event is a hint that something changed: anybody in the account may
    /// put one on the bus, so nothing in it is read.
    async fn write(&self, home: &Scope) -> Answer<()> {
        let accounts = self.accounts(home).await?;
        let mut all = Vec::new();
        for account in &accounts {
            let report = gather::report(self.entry, home, account, SystemClock.now()).await?;
            self.put(account.as_str(), &report, &home.region).await?;
            self.import(account, &report, &home.region).await;
            all.push(report);
        }
        if all.len() > 1
            && let Some(first) = all.pop()
        {
            self.put(ALL, &gather::together(first, all), &home.region).await?;
        }
        tracing::info!(accounts = accounts.len(), "the report is written");
        Ok(())
    }

    /// Every account of which anything is known, and our own.
    async fn accounts(&self, home: &Scope) -> Answer<BTreeSet<AccountId>> {
        let places = self.entry.table.places().await?.into_iter().map(|p| p.scope.account);
        Ok(places.chain([home.account.clone()]).collect())
    }

    async fn put(&self, whose: &str, report: &Report, home: &Region) -> Answer<()> {
        let page = html::render(report).map_err(|e| export::failed(whose, &e))?;
        self.reports.put(&reports::page_of(whose), "text/html; charset=utf-8", page.into_bytes()).await?;
        for file in export::files(report, home)? {
            self.reports.put(&format!("{whose}/{}", file.name), file.content_type, file.body).await?;
        }
        Ok(())
    }

    /// Security Hub learns of what changed since the last import. It is not the report: when it fails, that is said and
    /// tried with the next one.
    async fn import(&self, account: &AccountId, report: &Report, home: &Region) {
        if self.entry.environment.get("PICKET_SECURITY_HUB") != Some("on") {
            return;
        }
        match export::import(self.entry, account, report, home).await {
            Ok(imported) if imported.refused.is_empty() => {
                tracing::info!(%account, findings = imported.taken, "imported into Security Hub");
            }
            Ok(imported) => {
                let (refused, first) = (imported.refused.len(), imported.refused.first());
                tracing::warn!(%account, refused, first, "Security Hub refused findings");
            }
            Err(error) => tracing::warn!(%account, %error, "Security Hub was not told"),
        }
    }

    /// A link for people.
    async fn link(&self, home: &Scope, asked: &LinkAsked) -> Result<Value, Error> {
        let now = SystemClock.now();
        let mut looks = 0;
        while asked.fresh && !self.written_since(home, Some(now)).await? {
            looks += 1;
            if looks > LOOKS {
                return Err("the report is being written all the time; ask for a link without `fresh`".into());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let of = asked.of.clone().unwrap_or_else(|| home.account.to_string());
        let lasts = Duration::from_secs(60 * asked.minutes.clamp(1, LONGEST));
        let shared = self.reports.share(&reports::page_of(&of), lasts).await?;
        Ok(json!({ "of": of, "url": shared.url, "written": shared.written, "minutes": lasts.as_secs() / 60 }))
    }
}
