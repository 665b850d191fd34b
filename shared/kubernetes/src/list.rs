//! Lists with paging: bounded pages, a list that changes meanwhile is begun anew once, and nothing goes on for ever.

use serde_json::Value;

use crate::error::{ApiError, Failure};
use crate::server::ApiServer;

/// How many objects a page holds; the API server may give fewer.
const PAGE: usize = 500;
/// More pages than any cluster has; a server that never ends its list is not listened to for ever.
const MOST_PAGES: usize = 2_000;
/// Asks for names, labels and annotations alone: contents never travel.
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// One page, as the API gives it.
#[derive(Debug, Default)]
pub struct Page {
    /// The objects.
    pub items: Vec<Value>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

impl ApiServer {
    /// Every object at `path`, each reduced by `keep` as its page arrives, so that a big cluster does not fill memory.
    ///
    /// # Errors
    /// If a page is denied, late, or the list cannot be read to its end.
    pub async fn list(
        &self,
        doing: &str,
        path: &str,
        keep: impl Fn(Value) -> Option<Value>,
    ) -> Result<Vec<Value>, ApiError> {
        self.list_as(doing, path, None, &keep).await
    }

    /// As `list`, but only names, labels and annotations are asked for.
    ///
    /// # Errors
    /// As `list`.
    pub async fn list_metadata(
        &self,
        doing: &str,
        path: &str,
        keep: impl Fn(Value) -> Option<Value>,
    ) -> Result<Vec<Value>, ApiError> {
        self.list_as(doing, path, Some(METADATA_ONLY), &keep).await
    }

    async fn list_as(
        &self,
        doing: &str,
        path: &str,
        accept: Option<&str>,
        keep: &impl Fn(Value) -> Option<Value>,
    ) -> Result<Vec<Value>, ApiError> {
        match self.pages(doing, path, accept, keep).await {
            // The continue token was too old: a change of etcd's history, not of our right to read.
            Err(error) if error.failure == Failure::Conflict => self.pages(doing, path, accept, keep).await,
            other => other,
        }
    }

    async fn pages(
        &self,
        doing: &str,
        path: &str,
        accept: Option<&str>,
        keep: &impl Fn(Value) -> Option<Value>,
    ) -> Result<Vec<Value>, ApiError> {
        let mut kept = Vec::new();
        let mut from: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page = page_of(self.ask(doing, &page_path(path, from.as_deref()), accept).await?);
            kept.extend(page.items.into_iter().filter_map(keep));
            match page.next {
                None => return Ok(kept),
                next if next == from => break,
                next => from = next,
            }
        }
        Err(ApiError::new(doing, self.name(), Failure::Other, "its list does not come to an end"))
    }
}

fn page_path(path: &str, from: Option<&str>) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    match from {
        None => format!("{path}{mark}limit={PAGE}"),
        Some(token) => format!("{path}{mark}limit={PAGE}&continue={}", escaped(token)),
    }
}

/// Continue tokens are base64, whose `+`, `/` and `=` mean other things in a query.
fn escaped(token: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let one = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    token.bytes().map(one).collect()
}

/// The items of a list, each with the kind that lists leave out of their items.
fn page_of(mut answer: Value) -> Page {
    let kind = answer["kind"].as_str().and_then(|k| k.strip_suffix("List")).map(ToOwned::to_owned);
    let version = answer["apiVersion"].as_str().map(ToOwned::to_owned);
    let next = answer["metadata"]["continue"].as_str().filter(|t| !t.is_empty()).map(ToOwned::to_owned);
    let mut items = match answer["items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        if let (Some(kind), false) = (&kind, item.contains_key("kind")) {
            item.insert("kind".to_owned(), kind.clone().into());
        }
        if let (Some(version), false) = (&version, item.contains_key("apiVersion")) {
            item.insert("apiVersion".to_owned(), version.clone().into());
        }
    }
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_escaped_for_a_query() {
        assert_eq!(page_path("/api/v1/pods", Some("a+/=b")), "/api/v1/pods?limit=500&continue=a%2B%2F%3Db");
        assert_eq!(page_path("/x?fieldSelector=a", None), "/x?fieldSelector=a&limit=500");
    }

    #[test]
    fn items_get_the_kind_of_their_list() {
        let page = page_of(json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"continue": ""}, "items": [{}]}));
        assert_eq!(page.items, [json!({"kind": "Pod", "apiVersion": "v1"})]);
        assert_eq!(page.next, None);
    }
}
