//! What Kubernetes API servers tell, and what nodes tell about Kubernetes. Reading is `collector`; everything else is
//! plain functions of what was read.

pub mod admission;
pub mod argv;
pub mod aws_auth;
pub mod bindings;
pub mod builtin;
pub mod cluster;
pub mod collector;
pub mod configs;
pub mod containers;
pub mod control_plane;
pub mod documents;
pub mod exposed;
pub mod from_kubeconfig;
pub mod from_node;
pub mod identity;
pub mod kubelet;
pub mod managed_nodes;
pub mod namespaces;
pub mod network_policies;
pub mod node_files;
pub mod objects;
#[cfg(test)]
mod peers;
pub mod pods;
pub mod rbac;
pub mod read;
#[cfg(test)]
mod read_tests;
pub mod requests;
pub mod resources;
pub mod roles;
#[cfg(test)]
mod scenarios;
pub mod service_accounts;
pub mod subjects;
pub mod workloads;

use crate::collector::Collector;

pub use documents::{Context, documents, nothing_read};
pub use objects::Objects;

/// The collectors, alphabetical.
pub const COLLECTORS: &[&dyn Collector] = &[&collector::Kubernetes];
