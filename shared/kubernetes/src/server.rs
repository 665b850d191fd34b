//! One cluster's API server: how to reach it, and reads with a limit in time.

use std::path::Path;
use std::time::Duration;

use http::Request;
use kube::config::{
    AuthInfo, Cluster, Config, Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext,
};
use serde_json::Value;

use crate::error::{ApiError, Failure, Role};

/// How long one answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// How long a connection may take: a private endpoint mostly swallows packets.
const CONNECT_WITHIN: Duration = Duration::from_secs(4);

/// What `eks:DescribeCluster` and a token say about how to reach a cluster.
#[derive(Clone)]
pub struct EksAccess {
    /// The cluster's name.
    pub name: String,
    /// Its endpoint, `https://...`.
    pub endpoint: String,
    /// Its certificate authority, PEM in base64, as EKS gives it.
    pub authority: String,
    /// A token (`eks_token`).
    pub token: String,
}

/// A cluster's API server.
#[derive(Clone)]
pub struct ApiServer {
    name: String,
    client: kube::Client,
    answer_within: Duration,
    role: Role,
}

impl std::fmt::Debug for ApiServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiServer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ApiServer {
    /// An EKS cluster. Nothing is asked of it yet.
    ///
    /// # Errors
    /// If the endpoint or the certificate authority make no sense.
    pub async fn eks(access: &EksAccess) -> Result<Self, ApiError> {
        let login = AuthInfo { token: Some(access.token.clone().into()), ..AuthInfo::default() };
        let cluster = Cluster {
            server: Some(access.endpoint.clone()),
            certificate_authority_data: Some(access.authority.clone()),
            ..Cluster::default()
        };
        Self::from_kubeconfig(&access.name, kubeconfig_of(cluster, login), None).await
    }

    /// The cluster of a kubeconfig: of the file at `path`, else of `KUBECONFIG` or `~/.kube/config`; of `context`, else
    /// of the current one. Login commands in it are run, as kubectl does.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn kubeconfig(path: Option<&Path>, context: Option<&str>) -> Result<Self, ApiError> {
        let place = path.map_or_else(|| "of the kubeconfig".to_owned(), |p| p.display().to_string());
        let read = match path {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let read = read.map_err(|e| misconfigured(&place, &e.to_string()))?;
        let name = context.or(read.current_context.as_deref()).unwrap_or(&place).to_owned();
        Self::from_kubeconfig(&name, read, context).await
    }

    async fn from_kubeconfig(name: &str, read: Kubeconfig, context: Option<&str>) -> Result<Self, ApiError> {
        let options = KubeConfigOptions { context: context.map(ToOwned::to_owned), ..KubeConfigOptions::default() };
        let config = Config::from_custom_kubeconfig(read, &options).await;
        Self::of(name, config.map_err(|e| misconfigured(name, &e.to_string()))?)
    }

    /// The server that `config` leads to, with our limits in time.
    ///
    /// # Errors
    /// If no client can be made of it.
    pub fn of(name: &str, mut config: Config) -> Result<Self, ApiError> {
        config.connect_timeout = Some(CONNECT_WITHIN);
        config.read_timeout = Some(ANSWER_WITHIN);
        config.write_timeout = Some(ANSWER_WITHIN);
        let client = kube::Client::try_from(config).map_err(|e| ApiError::of("reaching the API", name, &e))?;
        Ok(Self { name: name.to_owned(), client, answer_within: ANSWER_WITHIN, role: Role::Reader })
    }

    /// The same server with another limit for one answer.
    #[must_use]
    pub fn answering_within(self, limit: Duration) -> Self {
        Self { answer_within: limit, ..self }
    }

    /// The same server for who needs another role than the reader's; refusals name it.
    #[must_use]
    pub fn as_role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// The cluster's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One object.
    ///
    /// # Errors
    /// If it is not there, denied, or late.
    pub async fn get(&self, doing: &str, path: &str) -> Result<Value, ApiError> {
        self.ask(doing, path, None).await
    }

    /// One GET, within the limit; `accept` asks for another form of the answer.
    pub(crate) async fn ask(&self, doing: &str, path: &str, accept: Option<&str>) -> Result<Value, ApiError> {
        let mut request = Request::get(path);
        if let Some(accept) = accept {
            request = request.header(http::header::ACCEPT, accept);
        }
        self.answered(doing, request.body(Vec::new())).await
    }

    /// Sends a request and waits for its answer, within the limit.
    pub(crate) async fn answered(
        &self,
        doing: &str,
        request: Result<Request<Vec<u8>>, http::Error>,
    ) -> Result<Value, ApiError> {
        let request = request.map_err(|e| ApiError::new(doing, &self.name, Failure::Misconfigured, &e.to_string()))?;
        let answer = match tokio::time::timeout(self.answer_within, self.client.request::<Value>(request)).await {
            Ok(answer) => answer.map_err(|e| ApiError::of(doing, &self.name, &e)),
            Err(_) => {
                let why = format!("no answer within {} s", self.answer_within.as_secs());
                Err(ApiError::new(doing, &self.name, Failure::Busy, &why))
            }
        };
        answer.map_err(|e| e.needing(self.role))
    }
}

fn misconfigured(name: &str, why: &str) -> ApiError {
    ApiError::new("reading how to reach the API", name, Failure::Misconfigured, why)
}

/// A kubeconfig of one cluster and one login, so that EKS and files go the same way.
fn kubeconfig_of(cluster: Cluster, login: AuthInfo) -> Kubeconfig {
    let name = "picket".to_owned();
    let context = Context { cluster: name.clone(), user: Some(name.clone()), ..Context::default() };
    Kubeconfig {
        clusters: vec![NamedCluster { name: name.clone(), cluster: Some(cluster), ..NamedCluster::default() }],
        auth_infos: vec![NamedAuthInfo { name: name.clone(), auth_info: Some(login), ..NamedAuthInfo::default() }],
        contexts: vec![NamedContext { name: name.clone(), context: Some(context), ..NamedContext::default() }],
        current_context: Some(name),
        ..Kubeconfig::default()
    }
}
