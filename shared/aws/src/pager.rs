//! The alerts topic, on SNS, and the outbox that keeps a notice from being told twice.

use async_trait::async_trait;
use aws_sdk_sns::types::MessageAttributeValue;
use jiff::Timestamp;
use picket_model::Notice;
use picket_pipeline::ports::{Answer, Claim, Kind, Pager, PortError};

use crate::error::port_error;
use crate::{Clients, Table};

/// Publishes to one topic.
#[derive(Debug)]
pub struct Topic<'a> {
    client: aws_sdk_sns::Client,
    arn: String,
    table: &'a Table,
}

impl<'a> Topic<'a> {
    /// The topic with this ARN, and the table that holds the outbox.
    #[must_use]
    pub fn new(clients: &Clients, arn: &str, table: &'a Table) -> Self {
        Self { client: aws_sdk_sns::Client::new(clients.config()), arn: arn.to_owned(), table }
    }
}

#[async_trait]
impl Pager for Topic<'_> {
    async fn claim(&self, notice: &Notice, now: Timestamp, until: Timestamp) -> Answer<Claim> {
        self.table.claim_notice(notice, now, until).await
    }

    async fn publish(&self, subject: &str, body: &str, severity: &str) -> Answer<()> {
        let doing = "publishing to";
        let value = MessageAttributeValue::builder().data_type("String").string_value(severity).build();
        let value = value.map_err(|e| PortError::new(doing, &self.arn, Kind::Other, &e.to_string()))?;
        let call = self.client.publish().topic_arn(&self.arn).subject(subject).message(body);
        let sent = call.message_attributes("severity", value).send().await;
        sent.map(drop).map_err(|e| port_error(doing, &self.arn, &e))
    }

    async fn keep_told(&self, notice: &Notice) -> Answer<()> {
        self.table.keep_told(notice).await
    }
}
