//! What a collector is: it makes all documents of its kinds for one place, and says by which permissions.

use async_trait::async_trait;
use picket_model::Document;

use crate::session::Session;

/// Makes the documents of some kinds. It never fails as a whole: what could not be read is a document that says why.
#[async_trait]
pub trait Collector: Send + Sync + std::fmt::Debug {
    /// The kinds that it makes, as in `shared/checks/kinds/`.
    fn kinds(&self) -> &'static [&'static str];

    /// The permissions that it needs, such as `eks:DescribeCluster`, no more.
    fn permissions(&self) -> &'static [&'static str];

    /// Whether it is asked once an account or in each Region.
    fn reach(&self) -> Reach {
        Reach::Region
    }

    /// All documents of its kinds in the session's place. A kind whose list could not be read has one document with
    /// the id `*` and the reason (`Session::unread`); then nothing that needs the whole list is judged. A thing whose
    /// details could not be read has a document with its own id and the reason.
    async fn collect(&self, session: &Session) -> Vec<Document>;
}

/// How often a collector is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Once an account: IAM, S3, Route 53, CloudFront.
    Account,
    /// In each Region.
    Region,
}
