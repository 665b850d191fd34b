//! What Picket knows, as data and plain functions: the policy, the risk signals, the fingerprints of Kubernetes,
//! the marks of miners, and `decide`. Nothing here reads AWS, the clock or the environment.

pub mod decide;
pub mod exposure;
pub mod fingerprints;
pub mod miners;
pub mod policy;
mod script;
pub mod signals;
pub mod signs;
pub mod survey;
pub mod user_data;

pub use decide::{Judgement, decide, judge};
pub use policy::{Policy, PolicyError};
