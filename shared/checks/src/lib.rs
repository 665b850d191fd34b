//! What Picket knows, as data and plain functions: the policy, the risk signals, the fingerprints of Kubernetes,
//! the marks of miners, `decide`, and rules with the evidence that they judge. Nothing here reads AWS, the clock or the environment.

pub mod assessment;
pub mod belongs;
pub mod benchmarks;
pub mod book;
pub mod decide;
pub mod exposure;
pub mod findings;
pub mod fingerprints;
pub mod fixes;
pub mod miners;
pub mod platform;
pub mod policy;
pub mod reach;
pub mod risk;
pub mod rules;
mod script;
pub mod signals;
pub mod signs;
pub mod survey;
pub mod user_data;
pub mod vectors;
pub mod waivers;

pub use book::Book;
pub use decide::{Judgement, decide, judge};
pub use policy::{Policy, PolicyError};
