//! Assets by their risk: what is open in each, and what is going on in it. The report, the terminal's assessment and its
//! explanations all list them by this.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use picket_checks::Book;
use picket_checks::risk::{self, About, Live, Place};
use picket_model::{AccountId, Finding, Region, Untrusted};

use crate::snapshot::AssetRisk;

/// What is going on in one asset, beside what rules find.
#[derive(Debug, Clone)]
pub struct Going {
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: Option<Region>,
    /// The asset, such as `ec2.instance/i-0123456789abcdef0`.
    pub asset: String,
    /// Its owner's name for it, where known.
    pub name: Option<Untrusted>,
    /// The signs.
    pub live: Live,
}

impl Going {
    fn place(&self) -> Place {
        let region = self.region.as_ref().map(ToString::to_string).unwrap_or_default();
        (self.account.to_string(), region, self.asset.clone())
    }
}

/// The risk of every asset that has findings, or in which something is going on, the highest first.
#[must_use]
pub fn risks(book: &Book, findings: &[Finding], going: &[Going], now: Timestamp) -> Vec<AssetRisk> {
    let by_asset = risk::by_asset(findings);
    let signs: BTreeMap<Place, &Going> = going.iter().map(|g| (g.place(), g)).collect();
    let places: BTreeSet<&Place> = by_asset.keys().chain(signs.keys()).collect();
    let of = |place: &Place| {
        let (found, signs) = (by_asset.get(place), signs.get(place));
        let (account, region) = match (found.and_then(|f| f.first()), signs) {
            (Some(first), _) => (first.account.clone(), first.region.clone()),
            (None, Some(signs)) => (signs.account.clone(), signs.region.clone()),
            (None, None) => return None,
        };
        let (asset, live) = (&place.2, signs.map(|s| s.live.clone()).unwrap_or_default());
        let found = found.map(Vec::as_slice).unwrap_or_default();
        let score = risk::score(asset, found, &live, |rule| About::of(book, rule), now);
        let own = asset.split_once('/').map_or("", |(_, id)| id);
        let name = signs.and_then(|s| s.name.clone()).unwrap_or_else(|| Untrusted::new(own));
        Some(AssetRisk { asset: asset.clone(), name, account, region, score: score.total, reasons: score.reasons })
    };
    let mut all: Vec<AssetRisk> = places.into_iter().filter_map(of).collect();
    sort(&mut all);
    all
}

/// The highest first.
pub fn sort(all: &mut [AssetRisk]) {
    all.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.asset.cmp(&b.asset)));
}
