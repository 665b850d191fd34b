//! One account read as a whole: its own things once, each Region once, and then what rules ask of several at once.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use jiff::Timestamp;
use picket_aws::SdkConfig;
use picket_model::{AccountId, Document, Region};
use serde_json::json;

use crate::aws::joined;
use crate::aws::settings::Settings;
use crate::collector::Collector;
use crate::gather::gather;
use crate::session::{Place, Session};

/// How many Regions are read at once. Each reads a handful of services at once by itself.
const REGIONS_AT_ONCE: usize = 4;

/// What to read, and how.
pub struct Wanted<'a> {
    /// The account that the credentials belong to.
    pub account: &'a AccountId,
    /// Its Regions that are in use.
    pub regions: &'a [Region],
    /// The kinds that are wanted, all if none; those that they are joined with are read, too.
    pub kinds: Option<&'a BTreeSet<String>>,
    /// The owner's words.
    pub settings: &'a Settings,
    /// The time of the assessment.
    pub at: Timestamp,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    /// The documents, joined.
    pub documents: Vec<Document>,
    /// Kinds that were read as a whole, each with the Region; none for those of the account.
    pub complete: Vec<(String, Option<Region>)>,
}

/// Reads an account. `config` gives the SDK's configuration for a Region, or for the account.
pub async fn read(
    wanted: &Wanted<'_>,
    collectors: &[&'static dyn Collector],
    config: impl Fn(Option<&Region>) -> SdkConfig,
) -> Read {
    let kinds = wanted.kinds.map(joined::with_needs);
    let places = std::iter::once(None).chain(wanted.regions.iter().map(Some));
    let sessions = places.map(|region| {
        let place = Place { account: wanted.account.clone(), region: region.cloned() };
        Session::new(place, wanted.at, config(region))
    });
    let gathered = futures::stream::iter(sessions).map(|session| {
        let kinds = kinds.as_ref();
        async move {
            let mut gathered = gather(&session, collectors.iter().copied(), kinds).await;
            gathered.documents.push(itself(&session));
            (session.place.region, gathered)
        }
    });
    let mut read = Read::default();
    for (region, gathered) in gathered.buffer_unordered(REGIONS_AT_ONCE).collect::<Vec<_>>().await {
        read.documents.extend(gathered.documents);
        read.complete.extend(gathered.complete.into_iter().map(|kind| (kind, region.clone())));
    }
    let asked = asked(collectors, kinds.as_ref());
    joined::join(&mut read.documents, &asked, wanted.settings);
    read.documents.sort_by(|a, b| (&a.kind, &a.region, &a.id).cmp(&(&b.kind, &b.region, &b.id)));
    read
}

/// The document that stands for the account or the Region itself.
fn itself(session: &Session) -> Document {
    let account = session.place.account.as_str();
    match &session.place.region {
        Some(region) => {
            session.document("aws.region", region.as_str(), json!({"name": region.as_str()}), "sts:GetCallerIdentity")
        }
        None => session.document("aws.account", account, json!({"id": account}), "sts:GetCallerIdentity"),
    }
}

/// The kinds that were asked for: of these, what is not among the documents does not exist.
fn asked(collectors: &[&'static dyn Collector], kinds: Option<&BTreeSet<String>>) -> BTreeSet<String> {
    let chosen = collectors.iter().filter(|c| kinds.is_none_or(|w| c.kinds().iter().any(|k| w.contains(*k))));
    chosen.flat_map(|c| c.kinds()).map(|k| (*k).to_owned()).collect()
}
