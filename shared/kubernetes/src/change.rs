//! Changes of a cluster's objects. Each asks for a permit, so that nothing is written in a mode that only observes.
//!
//! Guarantees: one request each, within the server's limit in time; making what is there already and deleting what is
//! gone are success, so that the same thing twice is once.

use http::Request;
use http::header::CONTENT_TYPE;
use picket_pipeline::Permit;
use serde_json::Value;

use crate::error::{ApiError, Failure};
use crate::server::ApiServer;

const JSON: &str = "application/json";
/// RFC 7386: `null` removes a field, a list is replaced whole.
const MERGE_PATCH: &str = "application/merge-patch+json";

impl ApiServer {
    /// Merges `patch` into the object at `path`.
    ///
    /// # Errors
    /// If it is not there, denied, or late.
    pub async fn merge(&self, _: &Permit, doing: &str, path: &str, patch: &Value) -> Result<(), ApiError> {
        let request = Request::patch(path).header(CONTENT_TYPE, MERGE_PATCH).body(patch.to_string().into_bytes());
        self.answered(doing, request).await.map(drop)
    }

    /// Makes an object in the collection at `path`. One of that name that is there already stays as it is.
    ///
    /// # Errors
    /// If it is denied, refused, or late.
    pub async fn create(&self, _: &Permit, doing: &str, path: &str, object: &Value) -> Result<(), ApiError> {
        let request = Request::post(path).header(CONTENT_TYPE, JSON).body(object.to_string().into_bytes());
        match self.answered(doing, request).await {
            Err(error) if error.failure == Failure::Conflict => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Deletes the object at `path`, if it is there.
    ///
    /// # Errors
    /// If it is denied or late.
    pub async fn delete(&self, _: &Permit, doing: &str, path: &str) -> Result<(), ApiError> {
        match self.answered(doing, Request::delete(path).body(Vec::new())).await {
            Err(error) if error.failure == Failure::NotFound => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Asks that a pod be evicted. Its owner's disruption budget may forbid that for now, which is `Busy`.
    ///
    /// # Errors
    /// If the budget forbids it, it is denied, or late.
    pub async fn evict(&self, permit: &Permit, namespace: &str, pod: &str) -> Result<(), ApiError> {
        let eviction = serde_json::json!({"apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace}});
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/eviction");
        match self.create(permit, "evicting a pod", &path, &eviction).await {
            Err(error) if error.failure == Failure::NotFound => Ok(()),
            answer => answer,
        }
    }
}
