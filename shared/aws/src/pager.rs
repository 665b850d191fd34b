//! The alerts topic, on SNS, and the outbox that keeps a notice from being told twice.

use async_trait::async_trait;
use aws_sdk_sns::types::MessageAttributeValue;
use jiff::Timestamp;
use picket_model::Notice;
use picket_pipeline::ports::{Answer, Claim, Kind, Pager, PortError};
use picket_pipeline::render::Page;
use serde_json::{Map, Value};

use crate::error::port_error;
use crate::{Clients, Environment, Table};

/// Publishes to one topic.
#[derive(Debug)]
pub struct Topic<'a> {
    client: aws_sdk_sns::Client,
    arn: String,
    environment: Option<String>,
    table: &'a Table,
}

impl<'a> Topic<'a> {
    /// The topic that the environment names, and the table that holds the outbox.
    ///
    /// # Errors
    /// If it names none.
    pub fn new(
        clients: &Clients,
        environment: &Environment,
        table: &'a Table,
    ) -> Result<Self, crate::environment::EnvironmentError> {
        let client = aws_sdk_sns::Client::new(clients.config());
        let arn = environment.need("PICKET_ALERTS_TOPIC_ARN")?;
        Ok(Self { client, arn, environment: environment.get("PICKET_ENVIRONMENT").map(ToOwned::to_owned), table })
    }

    /// What filter policies of subscriptions can ask for.
    fn attributes(&self, page: &Page) -> Vec<(&'static str, String)> {
        let mut attributes = vec![
            ("severity", page.severity.to_owned()),
            ("kind", page.kind.to_owned()),
            ("account", page.account.clone()),
            ("region", page.region.clone()),
        ];
        attributes.extend(self.environment.clone().map(|e| ("environment", e)));
        attributes
    }
}

/// The message of each protocol; `default` is the text, which queues and whoever else subscribes get.
fn by_protocol(page: &Page) -> Value {
    let mut all = Map::from_iter([("default".to_owned(), Value::from(page.body.clone()))]);
    for form in &page.forms {
        all.extend(form.protocols.iter().map(|p| ((*p).to_owned(), Value::from(form.text.clone()))));
    }
    Value::Object(all)
}

#[async_trait]
impl Pager for Topic<'_> {
    async fn claim(&self, notice: &Notice, now: Timestamp, until: Timestamp) -> Answer<Claim> {
        self.table.claim_notice(notice, "told", now, until).await
    }

    async fn publish(&self, page: &Page) -> Answer<()> {
        let doing = "publishing to";
        let mut call = self.client.publish().topic_arn(&self.arn).subject(&page.subject);
        call = match page.plain {
            true => call.message(&page.body),
            false => call.message_structure("json").message(by_protocol(page).to_string()),
        };
        for (name, value) in self.attributes(page) {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            let value = value.map_err(|e| PortError::new(doing, &self.arn, Kind::Other, &e.to_string()))?;
            call = call.message_attributes(name, value);
        }
        call.send().await.map(drop).map_err(|e| port_error(doing, &self.arn, &e))
    }

    async fn keep_told(&self, notice: &Notice) -> Answer<()> {
        self.table.keep_told(notice, "told").await
    }

    async fn give_back(&self, notice: &Notice) -> Answer<()> {
        self.table.give_back(notice, "told").await
    }
}

#[cfg(test)]
mod tests {
    use picket_pipeline::channels::Form;

    use super::*;

    #[test]
    fn each_protocol_gets_its_form_and_the_others_the_text() {
        let form = |channel, protocols, text: &str| Form { channel, protocols, text: text.to_owned() };
        let forms = vec![form("sms", &["sms"][..], "short"), form("slack", &[][..], "{}")];
        let page = Page { body: "text".to_owned(), forms, ..Page::default() };
        assert_eq!(by_protocol(&page), serde_json::json!({ "default": "text", "sms": "short" }));
    }
}
