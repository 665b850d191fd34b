//! Assets by their risk: what is open in each, and what is going on in it, as the report and the terminal list them.

use jiff::Timestamp;
use picket_checks::Book;
use picket_checks::risk::{self, Live};
use picket_model::{Finding, Untrusted};

use crate::snapshot::AssetRisk;

/// The risk of every asset that has findings, the highest first.
#[must_use]
pub fn risks(book: &Book, findings: &[Finding], now: Timestamp) -> Vec<AssetRisk> {
    risks_with(book, findings, &|_| Live::default(), now)
}

/// The same with what is going on in assets.
#[must_use]
pub fn risks_with(book: &Book, findings: &[Finding], live: &dyn Fn(&str) -> Live, now: Timestamp) -> Vec<AssetRisk> {
    let exposes = |rule: &str| book.rules().get(rule).is_some_and(picket_checks::rules::Rule::exposes);
    let mut all: Vec<AssetRisk> = risk::by_asset(findings)
        .into_values()
        .filter_map(|of| {
            let first = of.first()?;
            let score = risk::score(&of, &live(&first.asset), exposes, now);
            Some(AssetRisk {
                asset: first.asset.clone(),
                name: Untrusted::new(first.asset.split_once('/').map_or("", |(_, id)| id)),
                account: first.account.clone(),
                region: first.region.clone(),
                score: score.total,
                reasons: score.reasons,
            })
        })
        .collect();
    sort(&mut all);
    all
}

/// The highest first.
pub fn sort(all: &mut [AssetRisk]) {
    all.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.asset.cmp(&b.asset)));
}
