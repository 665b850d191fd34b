//! Reading a cluster: every list of `resources`, a few at a time. A list that is denied costs the others nothing.

use futures::{FutureExt as _, StreamExt as _};
use picket_kubernetes::{ApiError, ApiServer, Failure};
use picket_model::Document;
use serde_json::Value;

use super::documents::{Context, documents, nothing_read};
use super::objects::{Objects, text};
use super::resources::{Part, RESOURCES, Resource, reduced};

/// How many lists are read at once; the API server shares itself among all its clients.
const AT_ONCE: usize = 4;

/// Every document of the cluster behind `server`. One that cannot be reached, or does not know us, gives a document for
/// each kind that says so.
pub async fn cluster(server: &ApiServer, context: Context) -> Vec<Document> {
    match server.get("reading the version", "/version").await {
        Ok(version) => {
            let context = Context { version: text(&version, "/gitVersion").to_owned(), ..context };
            documents(&context, &objects(server).await)
        }
        Err(error) if is_hopeless(error.failure) => nothing_read(&context, &error.to_string()),
        // The version alone may be denied.
        Err(_) => documents(&context, &objects(server).await),
    }
}

/// Whether nothing else will be answered either.
fn is_hopeless(failure: Failure) -> bool {
    !matches!(failure, Failure::Denied | Failure::NotFound | Failure::Other)
}

/// Every list.
pub async fn objects(server: &ApiServer) -> Objects {
    let one = |resource: &'static Resource| {
        let server = server.clone();
        async move { (resource, list(&server, resource).await) }
    };
    let all: Vec<_> = RESOURCES.iter().map(|r| one(r).boxed()).collect();
    let lists: Vec<_> = futures::stream::iter(all).buffer_unordered(AT_ONCE).collect().await;
    let mut objects = Objects::default();
    for (resource, list) in lists {
        objects.put(resource.kind, list.map_err(|e| e.to_string()));
    }
    objects
}

async fn list(server: &ApiServer, resource: &Resource) -> Result<Vec<Value>, ApiError> {
    let doing = format!("listing {}", resource.plural);
    let named = |mut object: Value| {
        // Lists of metadata alone say `PartialObjectMetadata`.
        object["kind"] = resource.kind.into();
        Some(reduced(object))
    };
    let list = match resource.part {
        Part::Metadata => server.list_metadata(&doing, &resource.path(), named).await,
        Part::Whole | Part::System => server.list(&doing, &resource.path(), named).await,
    };
    match list {
        Err(error) if resource.optional && error.failure == Failure::NotFound => Ok(Vec::new()),
        other => other,
    }
}
