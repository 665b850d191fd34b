//! The way to an EKS cluster's API server: its endpoint, its authority, and credentials to make a token of.
//! Speaking to that server is `picket-kubernetes`' work.

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use picket_model::Scope;
use picket_pipeline::ports::{Answer, Kind, PortError};

use crate::Clients;
use crate::error::port_error;

/// How a cluster's API server is reached.
#[derive(Debug, Clone)]
pub struct Door {
    /// The cluster's name.
    pub cluster: String,
    /// `https://...`.
    pub endpoint: String,
    /// The certificate authority, PEM in base64, as EKS gives it.
    pub authority: String,
    /// Who asks. Needs an access entry of the cluster.
    pub credentials: Credentials,
}

impl Clients {
    /// The door of an EKS cluster. Needs `eks:DescribeCluster`.
    ///
    /// # Errors
    /// If the cluster is not there, has no endpoint yet, or nobody's credentials are at hand.
    pub async fn door(&self, scope: &Scope, cluster: &str) -> Answer<Door> {
        let fail = |kind, why: &str| PortError::new("finding the API of cluster", cluster, kind, why);
        let answer = self.eks(&scope.region).describe_cluster().name(cluster).send().await;
        let answer = answer.map_err(|e| port_error("describing cluster", cluster, &e))?;
        let described = answer.cluster.ok_or_else(|| fail(Kind::NotFound, "it is not there"))?;
        let endpoint = described.endpoint.ok_or_else(|| fail(Kind::Conflict, "it has no endpoint yet"))?;
        let authority = described.certificate_authority.and_then(|c| c.data).unwrap_or_default();
        let provider = self.config().credentials_provider();
        let provider = provider.ok_or_else(|| fail(Kind::Denied, "there are no AWS credentials to make a token of"))?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|e| fail(Kind::Denied, &format!("reading the AWS credentials: {e}")))?;
        Ok(Door { cluster: cluster.to_owned(), endpoint, authority, credentials })
    }
}
