//! A cluster of a kubeconfig: self-managed ones, which no AWS API lists, and those of other accounts.

use std::path::Path;

use jiff::Timestamp;
use picket_kubernetes::{ApiError, ApiServer};
use picket_model::{AccountId, Document};

use super::documents::Context;
use super::read;

/// A cluster that was read.
#[derive(Debug)]
pub struct Read {
    /// Its name: the context of the kubeconfig.
    pub cluster: String,
    /// Its documents.
    pub documents: Vec<Document>,
}

/// Reads the cluster that `context` of the kubeconfig at `path` names, else the current context. Its documents belong
/// to `account`.
///
/// # Errors
/// If the kubeconfig makes no sense. A cluster that does not answer has documents that say so.
pub async fn from_kubeconfig(
    path: &Path,
    context: Option<&str>,
    account: AccountId,
    at: Timestamp,
) -> Result<Read, ApiError> {
    let server = ApiServer::kubeconfig(Some(path), context).await?;
    let cluster = server.name().to_owned();
    let context = Context { account, region: None, cluster: cluster.clone(), at, version: String::new() };
    Ok(Read { cluster, documents: read::cluster(&server, context).await })
}
