//! The API servers of a Region's EKS clusters: each is found by EKS, and asked with a token of our own role.

use std::time::SystemTime;

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use futures::{FutureExt as _, StreamExt as _};
use picket_kubernetes::{ApiServer, EksAccess, eks_token};
use picket_model::Document;

use super::documents::{Context, KINDS, nothing_read};
use super::read;
use crate::collector::Collector;
use crate::session::{Session, why_unread};

/// How many clusters are read at once.
const AT_ONCE: usize = 2;

/// Reads every EKS cluster of a Region by its Kubernetes API.
#[derive(Debug)]
pub struct Kubernetes;

#[async_trait]
impl Collector for Kubernetes {
    fn kinds(&self) -> &'static [&'static str] {
        KINDS
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["eks:DescribeCluster", "eks:ListClusters"]
    }

    async fn collect(&self, session: &Session) -> Vec<Document> {
        let client = aws_sdk_eks::Client::new(session.config());
        let names: Result<Vec<String>, _> = client.list_clusters().into_paginator().items().send().collect().await;
        match names {
            Ok(names) => {
                // Boxed, so that what they borrow has one lifetime for the compiler.
                let all: Vec<_> = names.into_iter().map(|name| cluster(session, &client, name).boxed()).collect();
                let read: Vec<Vec<Document>> = futures::stream::iter(all).buffer_unordered(AT_ONCE).collect().await;
                read.into_iter().flatten().collect()
            }
            Err(error) => {
                let code = code_of(&error);
                KINDS.iter().map(|kind| session.unread(kind, "*", "eks:ListClusters", &code)).collect()
            }
        }
    }
}

async fn cluster(session: &Session, client: &aws_sdk_eks::Client, name: String) -> Vec<Document> {
    let context = Context {
        account: session.place.account.clone(),
        region: session.place.region.clone(),
        cluster: name.clone(),
        at: session.at,
        version: String::new(),
    };
    match server(session, client, &name).await {
        Ok(server) => read::cluster(&server, context).await,
        Err(why) => nothing_read(&context, &why),
    }
}

/// The API server of an EKS cluster, or why it cannot be asked.
async fn server(session: &Session, client: &aws_sdk_eks::Client, name: &str) -> Result<ApiServer, String> {
    let answer = client.describe_cluster().name(name).send().await;
    let answer = answer.map_err(|e| why_unread("eks:DescribeCluster", &code_of(&e)))?;
    let described = answer.cluster.ok_or("eks:DescribeCluster gave no cluster")?;
    let endpoint = described.endpoint.ok_or("the cluster has no endpoint yet")?;
    let authority = described.certificate_authority.and_then(|c| c.data).unwrap_or_default();
    let region = session.place.region.as_ref().ok_or("EKS clusters live in Regions")?;
    let credentials = credentials(session).await?;
    let token = eks_token(&credentials, region, name, SystemTime::now()).map_err(|e| e.to_string())?;
    let access = EksAccess { name: name.to_owned(), endpoint, authority, token };
    ApiServer::eks(&access).await.map_err(|e| e.to_string())
}

async fn credentials(session: &Session) -> Result<Credentials, String> {
    let provider = session.config().credentials_provider().ok_or("there are no AWS credentials to make a token of")?;
    provider.provide_credentials().await.map_err(|e| format!("reading the AWS credentials: {e}"))
}

fn code_of<E: aws_sdk_eks::error::ProvideErrorMetadata>(error: &E) -> String {
    error.code().unwrap_or("no answer").to_owned()
}
