//! Posts JSON by HTTPS, with the HTTP client that the SDK brings. Redirects are not followed. Plain HTTP is for loopback.

use std::time::Duration;

use aws_smithy_http_client::default_connector;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use picket_pipeline::ports::{Answer, Kind, PortError};

use super::Post;
use crate::Clients;

const DOING: &str = "telling";
/// What both services answer in far less; the function's time is 30 seconds for all channels together.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Posts.
pub(super) struct Poster(Option<SharedHttpConnector>);

impl Poster {
    /// With the SDK's connector.
    pub(super) fn new(clients: &Clients) -> Self {
        let settings = HttpConnectorSettings::builder().connect_timeout(TIMEOUT).read_timeout(TIMEOUT).build();
        Self(default_connector(&settings, clients.config().sleep_impl()))
    }

    /// Posts once. `Other` is what the same message would meet again; then a plainer one may go through.
    pub(super) async fn post(&self, channel: &str, post: &Post) -> Answer<()> {
        let error = |kind, why: &str| PortError::new(DOING, channel, kind, why);
        if !may_be_posted_to(&post.url) {
            return Err(error(Kind::Other, "the address in its secret does not begin with https://"));
        }
        let connector = self.0.as_ref().ok_or_else(|| error(Kind::Other, "there is no HTTP client"))?;
        let request = request(post).ok_or_else(|| error(Kind::Other, "the address in its secret is none"))?;
        // The address is a secret: an error of the connector may name it, and is not shown.
        let answer = connector.call(request).await;
        let status = answer.map_err(|_| error(Kind::Transient, "it cannot be reached"))?.status().as_u16();
        match kind_of(status) {
            None => Ok(()),
            Some(kind) => Err(error(kind, &format!("it answered {status}"))),
        }
    }
}

fn request(post: &Post) -> Option<HttpRequest> {
    let mut request = HttpRequest::new(SdkBody::from(post.body.as_str()));
    request.set_method("POST").ok()?;
    request.set_uri(post.url.as_str()).ok()?;
    request.headers_mut().try_insert("content-type", "application/json").ok()?;
    request.headers_mut().try_insert("content-length", post.body.len().to_string()).ok()?;
    Some(request)
}

fn may_be_posted_to(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://127.0.0.1:")
}

/// What a status means, if it is none of success.
pub(super) fn kind_of(status: u16) -> Option<Kind> {
    match status {
        200..=299 => None,
        401 | 403 | 404 | 410 => Some(Kind::Denied),
        408 | 429 | 500..=599 => Some(Kind::Transient),
        _ => Some(Kind::Other),
    }
}
