//! The only crate that speaks to a Kubernetes API: EKS tokens, kubeconfigs, reads and permitted changes.

pub mod change;
pub mod error;
pub mod fixes;
pub mod list;
pub mod nodes;
pub mod probe;
pub mod reach;
pub mod server;
pub mod token;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod server_tests;

pub use error::{ApiError, Failure, Role};
pub use fixes::KubernetesFixes;
pub use list::Page;
pub use nodes::ClusterNodes;
pub use reach::{EksClusters, Reach};
pub use server::{ApiServer, EksAccess};
pub use token::{TokenError, eks_token};
