//! From a cluster's name to its API server. Tests reach one on loopback; deployments those of EKS, by its own door.

use std::time::SystemTime;

use async_trait::async_trait;
use picket_aws::Clients;
use picket_model::Scope;
use picket_pipeline::ports::{Answer, Kind, PortError};

use crate::server::{ApiServer, EksAccess};
use crate::token::eks_token;

/// Reaches clusters by name.
#[async_trait]
pub trait Reach: Send + Sync {
    /// The API server of `cluster`. It has not been asked anything yet.
    async fn server(&self, scope: &Scope, cluster: &str) -> Answer<ApiServer>;
}

/// The clusters of EKS, each with a token of our own role.
#[derive(Debug, Clone, Copy)]
pub struct EksClusters<'a>(pub &'a Clients);

#[async_trait]
impl Reach for EksClusters<'_> {
    async fn server(&self, scope: &Scope, cluster: &str) -> Answer<ApiServer> {
        let door = self.0.door(scope, cluster).await?;
        let token = eks_token(&door.credentials, &scope.region, cluster, SystemTime::now());
        let token = token.map_err(|e| PortError::new("opening", cluster, Kind::Denied, &e.to_string()))?;
        let (endpoint, authority) = (door.endpoint, door.authority);
        let access = EksAccess { name: cluster.to_owned(), endpoint, authority, token };
        Ok(ApiServer::eks(&access).await?)
    }
}
