//! The bucket of the live report: pages and exports are written whole, over what was there, and read through links that
//! expire. What is in them is made by `picket-report`.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::default_connector;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;
use picket_pipeline::ports::{Answer, Kind, PortError};

use crate::error::port_error;
use crate::{Clients, Environment};

/// The variable that holds the bucket's name.
const BUCKET: &str = "PICKET_REPORT_BUCKET";
/// How long one part of reading a page may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// One bucket.
#[derive(Debug)]
pub struct Reports {
    client: aws_sdk_s3::Client,
    bucket: String,
}

/// A page that can be opened for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The address; whoever has it can read the page until it expires.
    pub url: String,
    /// When the page was written.
    pub written: Option<Timestamp>,
}

/// What a link leads to, without credentials: the link carries its own.
///
/// # Errors
/// If it expired, or nothing is there.
pub async fn fetch(clients: &Clients, url: &str) -> Answer<Vec<u8>> {
    const DOING: &str = "reading";
    let wrong = |kind, why: &str| PortError::new(DOING, "the report", kind, why);
    let settings = HttpConnectorSettings::builder().connect_timeout(TIMEOUT).read_timeout(TIMEOUT).build();
    let connector = default_connector(&settings, clients.config().sleep_impl());
    let connector = connector.ok_or_else(|| wrong(Kind::Other, "there is no HTTP client"))?;
    let mut request = HttpRequest::new(SdkBody::empty());
    request.set_uri(url).map_err(|_| wrong(Kind::Other, "its link is no address"))?;
    let answer = connector.call(request).await.map_err(|e| wrong(Kind::Transient, &e.to_string()))?;
    match answer.status().as_u16() {
        200 => {}
        status => return Err(wrong(Kind::NotFound, &format!("S3 answered {status}; ask for a new link"))),
    }
    let body =
        ByteStream::new(answer.into_body()).collect().await.map_err(|e| wrong(Kind::Transient, &e.to_string()))?;
    Ok(body.to_vec())
}

/// The key of an account's page, or of the organization's.
#[must_use]
pub fn page_of(whose: &str) -> String {
    format!("{whose}/index.html")
}

impl Reports {
    /// The bucket that the environment names; none if it names none.
    #[must_use]
    pub fn of(clients: &Clients, environment: &Environment) -> Option<Self> {
        let bucket = environment.get(BUCKET)?.to_owned();
        // Local clouds have no name for each bucket.
        let path_style = clients.config().endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(clients.config()).force_path_style(path_style);
        Some(Self { client: aws_sdk_s3::Client::from_conf(config.build()), bucket })
    }

    /// Writes one object. A browser is told to ask again each time.
    ///
    /// # Errors
    /// If S3 refuses.
    pub async fn put(&self, key: &str, content_type: &str, body: Vec<u8>) -> Answer<()> {
        let call = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        let call = call.cache_control("no-store").body(ByteStream::from(body));
        call.send().await.map(drop).map_err(|e| port_error("writing to the report", key, &e))
    }

    /// A link to an object that is there.
    ///
    /// # Errors
    /// If there is none yet, or S3 refuses.
    pub async fn share(&self, key: &str, lasts: Duration) -> Answer<Shared> {
        let head = self.client.head_object().bucket(&self.bucket).key(key).send().await;
        let head = head.map_err(|e| port_error("looking for the report", key, &e))?;
        let written = head.last_modified().and_then(|t| Timestamp::from_second(t.secs()).ok());
        Ok(Shared { url: self.link(key, lasts).await?, written })
    }

    /// A link, whether anything is there or not. No call is made for it.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub async fn link(&self, key: &str, lasts: Duration) -> Answer<String> {
        let wrong = |why: &str| PortError::new("signing a link to", key, Kind::Other, why);
        let lasts = PresigningConfig::expires_in(lasts).map_err(|e| wrong(&e.to_string()))?;
        let signed = self.client.get_object().bucket(&self.bucket).key(key).presigned(lasts).await;
        signed.map(|s| s.uri().to_owned()).map_err(|e| port_error("signing a link to", key, &e))
    }
}
