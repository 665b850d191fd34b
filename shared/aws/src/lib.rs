//! The only crate that knows AWS: the wire shapes of events (`events`), the SDK clients behind the
//! pipeline's ports, settings from the environment, and the clock. What is decided stays in `picket-pipeline`.

pub mod bus;
pub mod caller;
pub mod checkup;
pub mod clients;
pub mod clock;
pub mod cloud;
pub mod containment;
pub mod doors;
pub mod environment;
pub mod error;
pub mod events;
pub mod fixes;
pub mod functions;
pub mod history;
pub mod hub;
pub mod instances;
mod interfaces;
pub mod levers;
pub mod links;
pub mod lookout;
pub mod organization;
pub mod pager;
pub mod queues;
pub mod regions;
pub mod rehearsal;
pub mod reports;
pub mod state;
pub mod vault;
pub mod webhooks;

pub use aws_config::SdkConfig;
pub use bus::Bus;
pub use caller::Caller;
pub use clients::Clients;
pub use clock::SystemClock;
pub use environment::Environment;
pub use fixes::AwsFixes;
pub use functions::Functions;
pub use levers::AwsLevers;
pub use lookout::Watch;
pub use pager::Topic;
pub use queues::Sqs;
pub use reports::Reports;
pub use state::{Pen, Table};
pub use vault::Vault;
