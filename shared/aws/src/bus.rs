//! Events of our own on the account's default bus, so that others can react: each notice, and each assessment. Their shapes
//! are in `infra/events/`; whoever reacts matches on the source `picket` and a detail type.

use async_trait::async_trait;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use jiff::Timestamp;
use picket_model::Notice;
use picket_pipeline::ports::{Answer, Claim, Kind, Pager, PortError};
use picket_pipeline::render::Page;
use serde_json::Value;

use crate::error::port_error;
use crate::{Clients, Table};

/// The source of all of them.
pub const SOURCE: &str = "picket";
/// The detail type of a notice.
pub const NOTICE: &str = "Picket Notice";
/// The detail type of an assessment.
pub const ASSESSMENT: &str = "Picket Assessment";
/// The outbox's name of this channel.
const CHANNEL: &str = "event";

/// Puts events.
#[derive(Debug)]
pub struct Bus<'a> {
    client: aws_sdk_eventbridge::Client,
    table: &'a Table,
}

impl<'a> Bus<'a> {
    /// The default bus of the Region that Picket is deployed in.
    #[must_use]
    pub fn new(clients: &Clients, table: &'a Table) -> Self {
        Self { client: aws_sdk_eventbridge::Client::new(clients.config()), table }
    }

    /// Says that an assessment ended. `detail` is of the shape `infra/events/assessment.schema.json`.
    ///
    /// # Errors
    /// If the bus does not take it.
    pub async fn assessed(&self, detail: &Value) -> Answer<()> {
        self.put(ASSESSMENT, &detail.to_string()).await
    }

    async fn put(&self, detail_type: &str, detail: &str) -> Answer<()> {
        const DOING: &str = "putting on the bus a";
        let entry = PutEventsRequestEntry::builder().source(SOURCE).detail_type(detail_type).detail(detail).build();
        let answer = self.client.put_events().entries(entry).send().await;
        let answer = answer.map_err(|e| port_error(DOING, detail_type, &e))?;
        // The bus says in each entry whether it took it; what it did not take is tried again.
        match answer.entries().iter().find_map(|e| e.error_message()) {
            Some(why) => Err(PortError::new(DOING, detail_type, Kind::Transient, why)),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Pager for Bus<'_> {
    async fn claim(&self, notice: &Notice, now: Timestamp, until: Timestamp) -> Answer<Claim> {
        self.table.claim_notice(notice, CHANNEL, now, until).await
    }

    async fn publish(&self, page: &Page) -> Answer<()> {
        match page.form("machine") {
            Some(detail) => self.put(NOTICE, detail).await,
            None => Ok(()),
        }
    }

    async fn keep_told(&self, notice: &Notice) -> Answer<()> {
        self.table.keep_told(notice, CHANNEL).await
    }

    async fn give_back(&self, notice: &Notice) -> Answer<()> {
        self.table.give_back(notice, CHANNEL).await
    }
}
