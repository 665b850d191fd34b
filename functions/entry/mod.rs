//! What all entry points share: the log, metrics, batches of queue messages, the accounts that are looked into, and the
//! clients that they begin with.

pub mod batch;
pub mod log;
pub mod members;
pub mod metric;

use lambda_runtime::Error;
use picket_aws::{Clients, Environment, Sqs, Table};
use picket_pipeline::Settings;

/// What every function has.
pub struct Entry {
    /// The environment.
    pub environment: Environment,
    /// The stack and its mode.
    pub settings: Settings,
    /// AWS.
    pub clients: Clients,
    /// The queues.
    pub queues: Sqs,
    /// The state.
    pub table: Table,
}

impl Entry {
    /// Reads the environment and makes the clients, once, before the first event.
    ///
    /// # Errors
    /// If the environment lacks what every function needs.
    pub async fn begin() -> Result<Self, Error> {
        let environment = Environment::of_process();
        let clients = Clients::load(None, None).await;
        let queues = Sqs::new(&clients, &environment);
        let table = Table::new(&clients, &environment.need("PICKET_STATE_TABLE")?);
        // EC2's client is made while Lambda gives init its full processor, not at the first event.
        if let Some(region) = clients.region() {
            drop(clients.ec2(&region));
        }
        Ok(Self { settings: environment.settings(), environment, clients, queues, table })
    }
}
