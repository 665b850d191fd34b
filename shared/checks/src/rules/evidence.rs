//! The evidence of one assessment: documents by kind and place, and which kinds were read as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use picket_model::{AccountId, Document, Fact, Region};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::evaluate::Joined;

/// The id of the document that stands for a whole list that could not be read.
pub const WHOLE_LIST: &str = "*";

/// Documents to be judged.
#[derive(Debug, Default)]
pub struct Evidence {
    documents: BTreeMap<String, Vec<Document>>,
    complete: BTreeSet<(String, AccountId, Option<Region>)>,
    regions: BTreeSet<Region>,
}

/// Evidence as it is kept in a file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// The documents.
    pub documents: Vec<Document>,
    /// Which kinds were read as a whole, and where.
    #[serde(default)]
    pub complete: BTreeSet<(String, AccountId, Option<Region>)>,
    /// The Regions that were to be read.
    #[serde(default)]
    pub regions: BTreeSet<Region>,
}

impl From<Saved> for Evidence {
    fn from(saved: Saved) -> Self {
        let mut evidence = Self { documents: BTreeMap::new(), complete: saved.complete, regions: saved.regions };
        evidence.add(saved.documents);
        evidence
    }
}

impl Evidence {
    /// All of it, to be kept in a file.
    #[must_use]
    pub fn saved(&self) -> Saved {
        Saved {
            documents: self.documents().cloned().collect(),
            complete: self.complete.clone(),
            regions: self.regions.clone(),
        }
    }

    /// Takes documents in.
    pub fn add(&mut self, documents: impl IntoIterator<Item = Document>) {
        for document in documents {
            self.documents.entry(document.kind.clone()).or_default().push(document);
        }
    }

    /// Says that all there is of a kind in a place is among the documents.
    pub fn complete(&mut self, kind: &str, account: &AccountId, region: Option<&Region>) {
        self.complete.insert((kind.to_owned(), account.clone(), region.cloned()));
    }

    /// The documents of a kind.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Document> {
        self.documents.get(kind).into_iter().flatten()
    }

    /// All documents.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        self.documents.values().flatten()
    }

    /// Whether all there is of a kind in a place is among the documents.
    #[must_use]
    pub fn is_complete(&self, kind: &str, account: &AccountId, region: Option<&Region>) -> bool {
        self.complete.contains(&(kind.to_owned(), account.clone(), region.cloned()))
    }

    /// Says which Regions there are, so that what an account has in all of them is not judged by some of them.
    pub fn expect(&mut self, regions: impl IntoIterator<Item = Region>) {
        self.regions.extend(regions);
    }

    /// Whether anything of a kind was read, be it that there is none.
    #[must_use]
    pub fn has_read(&self, kind: &str) -> bool {
        self.documents.contains_key(kind) || self.complete.iter().any(|(k, _, _)| k == kind)
    }

    /// The documents of `kind` that belong beside one in this place: those of its Region, or of its account where either
    /// has no Region.
    #[must_use]
    pub fn joined(&self, kind: &str, account: &AccountId, region: Option<&Region>) -> Arc<Joined> {
        let beside = |other: &AccountId, at: &Option<Region>| {
            other == account && (region.is_none() || at.is_none() || at.as_ref() == region)
        };
        let mut values = Vec::new();
        let mut unread = None;
        let mut read = self.complete.iter().any(|(k, a, r)| k == kind && beside(a, r));
        for document in self.of_kind(kind).filter(|d| beside(&d.account, &d.region)) {
            match &document.facts {
                Fact::Known { value, .. } => values.push(named(document, value)),
                Fact::Unknown { reason } => unread = unread.or_else(|| Some(reason.clone())),
            }
            read = true;
        }
        if !read {
            unread = Some(format!("{kind} was not read"));
        } else if region.is_none() && unread.is_none() {
            unread = self.missed(kind, account).map(|region| format!("{kind} was not read in {region}"));
        }
        Arc::new(Joined::new(values, unread))
    }

    /// A Region in which a kind should have been read and was not; none where the kind has no Regions.
    fn missed(&self, kind: &str, account: &AccountId) -> Option<&Region> {
        if self.is_complete(kind, account, None) {
            return None;
        }
        self.regions.iter().find(|region| !self.is_complete(kind, account, Some(region)))
    }
}

/// The facts, with the document's own id and Region, which the facts of some kinds do not repeat.
fn named(document: &Document, facts: &Value) -> Value {
    let mut facts = facts.clone();
    if let Value::Object(map) = &mut facts {
        map.insert("_id".to_owned(), Value::String(document.id.clone()));
        map.insert(
            "_region".to_owned(),
            Value::String(document.region.as_ref().map_or_else(String::new, Region::to_string)),
        );
    }
    facts
}
