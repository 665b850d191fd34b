//! One round of reading: every collector that is wanted, in one place, a few at a time.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use picket_model::Document;

use crate::collector::{Collector, Reach};
use crate::kubernetes::from_node;
use crate::session::Session;

/// What a node's own collector tells.
const NODE: &str = "node";
/// How many collectors read at once; AWS throttles by account and service.
const AT_ONCE: usize = 8;
/// The id of the document that stands for a whole list that could not be read.
pub const WHOLE_LIST: &str = "*";

/// Whether a document stands for a list that could not be read: a kind's whole one, or that of one cluster, `prod/*`.
fn is_whole_list(id: &str) -> bool {
    id == WHOLE_LIST || id.ends_with("/*")
}

/// What a round of reading gave.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The documents.
    pub documents: Vec<Document>,
    /// The kinds that were read as a whole: what is not among the documents does not exist.
    pub complete: BTreeSet<String>,
}

/// Reads what `wanted` names, or everything, in the session's place.
pub async fn gather(
    session: &Session,
    collectors: impl IntoIterator<Item = &'static dyn Collector>,
    wanted: Option<&BTreeSet<String>>,
) -> Gathered {
    let reach = if session.place.region.is_some() { Reach::Region } else { Reach::Account };
    let is_wanted = |c: &&'static dyn Collector| {
        c.reach() == reach && wanted.is_none_or(|w| c.kinds().iter().any(|k| w.contains(*k)))
    };
    let chosen: Vec<_> = collectors.into_iter().filter(is_wanted).collect();
    let read = |c: &'static dyn Collector| async move { (c, c.collect(session).await) };
    // Made before they are awaited: what is lazy here could not be sent between threads.
    let reads: Vec<_> = chosen.into_iter().map(read).collect();
    let answers: Vec<_> = futures::stream::iter(reads).buffer_unordered(AT_ONCE).collect().await;
    let mut gathered = Gathered::default();
    for (collector, documents) in answers {
        let missed: BTreeSet<_> = documents.iter().filter(|d| is_whole_list(&d.id)).map(|d| d.kind.clone()).collect();
        let read = collector.kinds().iter().filter(|k| !missed.contains(**k));
        gathered.complete.extend(read.map(|k| (*k).to_owned()));
        gathered.documents.extend(documents);
    }
    derive(&mut gathered);
    gathered.documents.sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
    gathered
}

/// Adds what nodes tell about Kubernetes: the kubelet, its files, and the control plane's components.
fn derive(gathered: &mut Gathered) {
    let nodes = gathered.documents.iter().filter(|d| d.kind == NODE);
    let derived: Vec<Document> = nodes.flat_map(from_node::documents).collect();
    gathered.documents.extend(derived);
    if gathered.complete.contains(NODE) {
        gathered.complete.insert("kubernetes.node".to_owned());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test: what is missing fails it")]
    use picket_model::{AccountId, Fact};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_node_tells_about_kubernetes_is_there_too() {
        let facts = json!({"processes": {"kubelet": {"argv": ["kubelet", "--read-only-port=10255"]}}});
        let node = Document {
            kind: NODE.to_owned(),
            account: AccountId::parse("111122223333").unwrap(),
            region: None,
            id: "i-1".to_owned(),
            read_at: jiff::Timestamp::UNIX_EPOCH,
            facts: Fact::known(facts, "ssm:SendCommand"),
        };
        let mut gathered = Gathered { documents: vec![node], complete: BTreeSet::from([NODE.to_owned()]) };
        derive(&mut gathered);
        let kinds: Vec<_> = gathered.documents.iter().map(|d| d.kind.as_str()).collect();
        assert_eq!(kinds, ["node", "kubernetes.node"]);
        assert!(gathered.complete.contains("kubernetes.node"));
    }
}
