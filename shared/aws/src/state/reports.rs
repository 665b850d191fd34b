//! What the live report remembers: what was told, how many findings were open each day, and how far Security Hub knows.

use jiff::{SignedDuration, Timestamp};
use picket_model::AccountId;
use picket_model::assessment::Unseen;
use picket_pipeline::ports::{Answer, Kind};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Item, Table, by_account, item, number, read, string_of, text};
use crate::error::port_error;

/// How long what was told and how many findings were open is remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);
/// How many days the trend shows.
const DAYS: i32 = 90;

/// How far the clocks of those who ask may be ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_secs(1);

/// Who writes the live report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pen {
    /// We do.
    Taken,
    /// Somebody else is writing; what they read may be older than what we were asked for.
    Elsewhere,
    /// Nobody has to: the last report was begun after we were asked.
    NotNeeded,
}

impl Table {
    /// Remembers what was told at some time, under its notice's name; the same twice is once.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn keep_episode(
        &self,
        account: &AccountId,
        at: Timestamp,
        name: &str,
        told: &impl Serialize,
    ) -> Answer<()> {
        let mut row = item(&by_account("episode", account), &format!("{}#{name}", at.as_millisecond()), told)?;
        row.insert("expires_at".to_owned(), number(at.saturating_add(KEPT).unwrap_or(at).as_second()));
        self.put_row("remembering what was told in", row).await
    }

    /// The latest of what was told, latest first, at most `most`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn episodes<T: DeserializeOwned>(&self, account: &AccountId, most: i32) -> Answer<Vec<T>> {
        self.latest("reading what was told in", &by_account("episode", account), most).await?.iter().map(read).collect()
    }

    /// Remembers a day's numbers, over what was written earlier that day.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn keep_day(&self, account: &AccountId, date: &str, day: &impl Serialize, at: Timestamp) -> Answer<()> {
        let mut row = item(&by_account("trend", account), date, day)?;
        row.insert("expires_at".to_owned(), number(at.saturating_add(KEPT).unwrap_or(at).as_second()));
        self.put_row("remembering the day in", row).await
    }

    /// The last days, oldest first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn days<T: DeserializeOwned>(&self, account: &AccountId) -> Answer<Vec<T>> {
        let mut rows = self.latest("reading the days of", &by_account("trend", account), DAYS).await?;
        rows.reverse();
        rows.iter().map(read).collect()
    }

    /// Up to when Security Hub knows of findings.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn imported(&self, account: &AccountId) -> Answer<Option<Timestamp>> {
        let row = self.get("reading the last import of", &by_account("report", account), "hub").await?;
        row.as_ref().map(read).transpose()
    }

    /// Remembers up to when Security Hub knows of findings.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn keep_imported(&self, account: &AccountId, at: Timestamp) -> Answer<()> {
        self.put_row("remembering the import of", item(&by_account("report", account), "hub", &at)?).await
    }

    /// Takes the pen of the live report until `until`, for a report that is begun now. One writes at a time, so that an
    /// older page is never laid over a newer one.
    ///
    /// # Errors
    /// If it cannot be taken for another reason than that somebody has it.
    pub async fn take_pen(
        &self,
        home: &AccountId,
        asked: Option<Timestamp>,
        now: Timestamp,
        until: Timestamp,
    ) -> Answer<Pen> {
        let pk = by_account("report", home);
        let row = self.get("looking for the last report of", &pk, "pen").await?;
        let begun = row.as_ref().and_then(|r| string_of(r, "begun")).and_then(|t| t.parse::<Timestamp>().ok());
        if let (Some(begun), Some(asked)) = (begun, asked)
            && begun.duration_since(asked) > SKEW
        {
            return Ok(Pen::NotNeeded);
        }
        let call = self.client.update_item().table_name(&self.name).key("pk", text(&pk)).key("sk", text("pen"));
        let call = call
            .update_expression("SET taken_until = :until")
            .condition_expression("attribute_not_exists(taken_until) OR taken_until < :now")
            .expression_attribute_values(":until", number(until.as_millisecond()))
            .expression_attribute_values(":now", number(now.as_millisecond()));
        match call.send().await.map_err(|e| port_error("taking the pen of the report of", &pk, &e)) {
            Ok(_) => Ok(Pen::Taken),
            Err(error) if error.kind == Kind::Conflict => Ok(Pen::Elsewhere),
            Err(error) => Err(error),
        }
    }

    /// Gives the pen back; `begun` says since when what was written is so, none that nothing was written.
    ///
    /// # Errors
    /// If it cannot be written; then the pen is free when its time is over.
    pub async fn give_pen_back(&self, home: &AccountId, begun: Option<Timestamp>) -> Answer<()> {
        let pk = by_account("report", home);
        let call = self.client.update_item().table_name(&self.name).key("pk", text(&pk)).key("sk", text("pen"));
        let call = match begun {
            Some(begun) => call
                .update_expression("SET begun = :begun REMOVE taken_until")
                .expression_attribute_values(":begun", text(begun.to_string())),
            None => call.update_expression("REMOVE taken_until"),
        };
        call.send().await.map(drop).map_err(|e| port_error("giving back the pen of the report of", &pk, &e))
    }

    /// What the last sweep of all rules could not read.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn unseen(&self, account: &AccountId) -> Answer<Vec<Unseen>> {
        let row = self.get("reading what was not seen in", &unseen(account), "unseen").await?;
        Ok(row.as_ref().map(read).transpose()?.unwrap_or_default())
    }

    pub(super) async fn put_unseen(&self, account: &AccountId, what: &[Unseen]) -> Answer<()> {
        self.put_row("keeping what was not seen in", item(&unseen(account), "unseen", &what)?).await
    }

    async fn put_row(&self, doing: &'static str, row: Item) -> Answer<()> {
        let pk = string_of(&row, "pk").unwrap_or_default();
        let call = self.client.put_item().table_name(&self.name).set_item(Some(row));
        call.send().await.map(drop).map_err(|e| port_error(doing, &pk, &e))
    }

    async fn latest(&self, doing: &'static str, pk: &str, most: i32) -> Answer<Vec<Item>> {
        let call = self.client.query().table_name(&self.name).key_condition_expression("pk = :pk");
        let call = call.expression_attribute_values(":pk", text(pk)).scan_index_forward(false).limit(most);
        Ok(call.send().await.map_err(|e| port_error(doing, pk, &e))?.items.unwrap_or_default())
    }
}

fn unseen(account: &AccountId) -> String {
    format!("{}#unseen", by_account("benchmark", account))
}
