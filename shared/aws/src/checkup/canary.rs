//! The canary: an event of our own, put on the bus, that discover marks in the table when it arrives. It takes the whole
//! way that a launch takes, but for CloudTrail.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use jiff::Timestamp;
use picket_model::Scope;
use picket_pipeline::ports::{Answer, Kind, PortError};

use crate::error::port_error;
use crate::{Clients, Table};

/// Sends canaries and looks for them.
#[derive(Debug)]
pub struct Canary<'a> {
    /// Puts it on the bus.
    pub clients: &'a Clients,
    /// Where it leaves its mark.
    pub table: &'a Table,
    /// Where Picket is deployed.
    pub home: &'a Scope,
}

impl Canary<'_> {
    /// Lets one go. Its name leads to its mark.
    ///
    /// # Errors
    /// If the bus does not take it.
    pub async fn send(&self, now: Timestamp) -> Answer<String> {
        const ACTION: &str = "events:PutEvents";
        let name = now.as_microsecond().to_string();
        let detail = serde_json::json!({ "name": name }).to_string();
        let entry =
            PutEventsRequestEntry::builder().source("picket").detail_type("Picket Canary").detail(detail).build();
        let client = aws_sdk_eventbridge::Client::new(&self.clients.in_region(&self.home.region));
        let answer = client.put_events().entries(entry).send().await.map_err(|e| port_error("calling", ACTION, &e))?;
        match answer.entries().iter().find_map(|e| e.error_message()) {
            Some(why) => Err(PortError::new("calling", ACTION, Kind::Other, why)),
            None => Ok(name),
        }
    }

    /// Whether it arrived.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn arrived(&self, name: &str) -> Answer<bool> {
        self.table.looked(self.home, &format!("canary-{name}")).await
    }
}
