//! What every AWS collector is made of: a service as data, and short ways to tell what was read or why nothing was.

use async_trait::async_trait;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use futures::future::BoxFuture;
use picket_aws::error::port_error;
use picket_model::Document;
use picket_pipeline::ports::Kind;
use serde_json::Value;

use crate::aws::json::{Text, tidy};
use crate::collector::{Collector, Reach};
pub use crate::gather::WHOLE_LIST;
use crate::session::Session;

/// How many things of one kind are asked about at once. AWS throttles per account; more gains nothing.
pub const AT_ONCE: usize = 8;

/// What a collector is asked.
pub type Ask<'a> = &'a Session;

/// One service's collector.
pub struct Service {
    /// Once an account or once a Region.
    pub reach: Reach,
    /// The kinds of documents that it makes.
    pub kinds: &'static [&'static str],
    /// The permissions that it needs, no more.
    pub permissions: &'static [&'static str],
    /// Reads everything; what could not be read is told in a document.
    pub collect: for<'a> fn(Ask<'a>) -> BoxFuture<'a, Vec<Document>>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("kinds", &self.kinds).finish_non_exhaustive()
    }
}

#[async_trait]
impl Collector for Service {
    fn kinds(&self) -> &'static [&'static str] {
        self.kinds
    }

    fn permissions(&self) -> &'static [&'static str] {
        self.permissions
    }

    fn reach(&self) -> Reach {
        self.reach
    }

    async fn collect(&self, session: &Session) -> Vec<Document> {
        (self.collect)(session).await
    }
}

/// Short ways to tell.
pub trait Tell {
    /// A document of something that was read, without the fields that the API left out.
    fn known(&self, kind: &str, id: impl Text, source: &str, value: Value) -> Document;

    /// The document that stands for what could not be read.
    fn failed<E, R>(&self, kind: &str, id: impl Text, call: &str, error: &SdkError<E, R>) -> Document
    where
        E: ProvideErrorMetadata;

    /// The documents of a listing, or the one that says why there is no listing.
    fn listed<T, E, R>(
        &self,
        kind: &str,
        call: &str,
        list: Result<Vec<T>, SdkError<E, R>>,
        describe: impl Fn(&T) -> (String, Value),
    ) -> Vec<Document>
    where
        E: ProvideErrorMetadata;
}

impl Tell for Session {
    fn known(&self, kind: &str, id: impl Text, source: &str, value: Value) -> Document {
        self.document(kind, &id.text(), tidy(value), source)
    }

    fn failed<E, R>(&self, kind: &str, id: impl Text, call: &str, error: &SdkError<E, R>) -> Document
    where
        E: ProvideErrorMetadata,
    {
        let mut document = self.unread(kind, &id.text(), call, "");
        document.facts = picket_model::Fact::unknown(reason(call, error));
        document
    }

    fn listed<T, E, R>(
        &self,
        kind: &str,
        call: &str,
        list: Result<Vec<T>, SdkError<E, R>>,
        describe: impl Fn(&T) -> (String, Value),
    ) -> Vec<Document>
    where
        E: ProvideErrorMetadata,
    {
        let items = match list {
            Ok(items) => items,
            Err(error) => return vec![self.failed(kind, WHOLE_LIST, call, &error)],
        };
        let document = |item: &T| {
            let (id, value) = describe(item);
            self.known(kind, id, call, value)
        };
        items.iter().map(document).collect()
    }
}

/// Why a call told nothing, with the permission that is missing where that is why.
pub fn reason<E, R>(call: &str, error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata,
{
    let error = port_error("calling", call, error);
    match error.kind {
        Kind::Denied => crate::session::why_unread(call, "AccessDenied"),
        _ => format!("{call} failed: {}", error.why),
    }
}

/// The service's error code, where the service answered.
pub fn code<E, R>(error: &SdkError<E, R>) -> Option<&str>
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(service) => service.err().code(),
        _ => None,
    }
}
