//! What AWS, nodes and clusters tell: one collector a service, each fact with where and when it was read.
//! `COLLECTORS` of each folder are the registry: which kinds of documents there are, who makes them, and by which permissions.

pub mod account;
pub mod aws;
pub mod collector;
pub mod gather;
pub mod kubernetes;
pub mod memo;
pub mod node;
pub mod permissions;
pub mod reader;
pub mod session;
pub mod vectors;

pub use collector::{Collector, Reach};
pub use gather::{Gathered, gather};
pub use session::{Place, Session};

/// Every collector there is.
pub fn collectors() -> impl Iterator<Item = &'static dyn Collector> {
    aws::COLLECTORS.iter().chain(kubernetes::COLLECTORS).chain(node::COLLECTORS).copied()
}
