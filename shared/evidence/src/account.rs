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
use crate::gather::{Gathered, gather};
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
    // Made before they are awaited: what is lazy here could not be sent between threads.
    let mut rounds = Vec::new();
    for session in sessions(wanted, config) {
        rounds.push(round(session, collectors, kinds.as_ref()));
    }
    let mut read = Read::default();
    let gathered: Vec<_> = futures::stream::iter(rounds).buffer_unordered(REGIONS_AT_ONCE).collect().await;
    for (region, gathered) in gathered {
        read.documents.extend(gathered.documents);
        read.complete.extend(gathered.complete.into_iter().map(|kind| (kind, region.clone())));
    }
    let asked = asked(collectors, kinds.as_ref());
    joined::join(&mut read.documents, &asked, wanted.settings);
    read.documents.sort_by(|a, b| (&a.kind, &a.region, &a.id).cmp(&(&b.kind, &b.region, &b.id)));
    read
}

/// A session for the account, and one for each Region.
fn sessions(wanted: &Wanted<'_>, config: impl Fn(Option<&Region>) -> SdkConfig) -> Vec<Session> {
    let places = std::iter::once(None).chain(wanted.regions.iter().map(Some));
    let session = |region: Option<&Region>| {
        let place = Place { account: wanted.account.clone(), region: region.cloned() };
        Session::new(place, wanted.at, config(region))
    };
    places.map(session).collect()
}

/// All that is wanted of one place.
async fn round(
    session: Session,
    collectors: &[&'static dyn Collector],
    kinds: Option<&BTreeSet<String>>,
) -> (Option<Region>, Gathered) {
    let mut gathered = gather(&session, collectors.iter().copied(), kinds).await;
    gathered.documents.push(itself(&session));
    (session.place.region, gathered)
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
