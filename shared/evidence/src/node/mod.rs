//! What nodes tell by Systems Manager: the collector of `infra/node` is sent to each, and its report becomes documents.
//! Of nodes that it does not reach, what their user data says.

pub mod derived;
pub mod mining;
pub mod report;
pub mod run_command;
pub mod user_data;

use crate::collector::Collector;

/// The collectors, alphabetical.
pub const COLLECTORS: &[&dyn Collector] = &[&run_command::Nodes];
