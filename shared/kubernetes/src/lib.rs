//! The only crate that speaks to a Kubernetes API: EKS tokens, kubeconfigs, reads and permitted changes.

pub mod error;
pub mod list;
pub mod server;
pub mod token;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod server_tests;

pub use error::{ApiError, Failure};
pub use list::Page;
pub use server::{ApiServer, EksAccess};
pub use token::{TokenError, eks_token};
