//! kubescape's answers of AWS (`ClusterDescribe`, `DescribeRepositories`, ...) as our documents.

use picket_model::Document;
use serde_json::Value;

use crate::kubernetes::documents::Context;

/// The documents of AWS's answers among a vector's objects.
#[must_use]
pub fn documents(_context: &Context, _objects: &[Value]) -> Vec<Document> {
    Vec::new()
}

/// Our rules for a rule about AWS's answers; none if it is about something else.
#[must_use]
pub fn rules(_name: &str) -> Option<Vec<String>> {
    None
}
