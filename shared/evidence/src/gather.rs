//! One round of reading: every collector that is wanted, in one place, a few at a time.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use picket_model::Document;

use crate::collector::{Collector, Reach};
use crate::session::Session;

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
    gathered.documents.sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
    gathered
}
