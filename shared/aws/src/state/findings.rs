//! Findings, what benchmarks come to, and the user's own rules.

use std::collections::HashMap;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use picket_model::{AccountId, BenchmarkResult, Finding, Unseen};
use picket_pipeline::ports::{Answer, Kind, PortError};
use picket_pipeline::posture::{File, Findings};
use serde::{Deserialize, Serialize};

use super::{Table, by_account, item, number, read};
use crate::error::port_error;

/// How many writes run at once.
const AT_ONCE: usize = 25;
/// How long a resolved finding is kept.
const RESOLVED: SignedDuration = SignedDuration::from_hours(24 * 90);
/// How many findings a control names; an item holds 400 KB.
const NAMED: usize = 20;
/// How many things that were not seen are kept.
const MOST_UNSEEN: usize = 500;
/// How much text of a user's rules fits into one item.
const PER_ITEM: usize = 300_000;

/// A part of the user's files.
#[derive(Serialize, Deserialize)]
struct Part {
    files: Vec<File>,
}

#[async_trait]
impl Findings for Table {
    async fn findings(&self, account: &AccountId) -> Answer<Vec<Finding>> {
        let rows = self.query("reading the findings of", &by_account("finding", account), "").await?;
        rows.iter().map(read).collect()
    }

    async fn keep_findings(&self, findings: &[Finding]) -> Answer<()> {
        let writes: Vec<_> = findings.iter().map(|f| self.keep_one(f)).collect();
        futures::stream::iter(writes).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
    }

    async fn benchmarks(&self, account: &AccountId) -> Answer<Vec<BenchmarkResult>> {
        let rows = self.query("reading the benchmarks of", &by_account("benchmark", account), "").await?;
        rows.iter().map(read).collect()
    }

    async fn keep_benchmarks(&self, account: &AccountId, results: &[BenchmarkResult], at: Timestamp) -> Answer<()> {
        let pk = by_account("benchmark", account);
        for result in results {
            let mut result = result.clone();
            result.controls.iter_mut().for_each(|c| c.findings.truncate(NAMED));
            let mut item = item(&pk, &result.id, &result)?;
            item.insert("at".to_owned(), super::text(at.to_string()));
            self.put_whole("keeping a benchmark of", &pk, item).await?;
        }
        Ok(())
    }

    async fn keep_unseen(&self, account: &AccountId, unseen: &[Unseen]) -> Answer<()> {
        // An item holds 400 KB: what is beyond is counted by its last line.
        let mut kept = fairly(unseen, MOST_UNSEEN);
        if let Some(more) = unseen.len().checked_sub(MOST_UNSEEN).filter(|n| *n > 0) {
            let why = "`picket assess --output json` names each".to_owned();
            kept.push(Unseen { what: format!("and {more} more"), why, permission: None });
        }
        self.put_unseen(account, &kept).await
    }

    async fn rule_files(&self) -> Answer<Vec<File>> {
        let rows = self.query("reading the rules of", "rules", "").await?;
        let parts: Vec<Part> = rows.iter().map(read).collect::<Answer<_>>()?;
        Ok(parts.into_iter().flat_map(|p| p.files).collect())
    }

    async fn put_rule_files(&self, files: &[File]) -> Answer<()> {
        let parts = parts(files)?;
        let before = self.query("reading the rules of", "rules", "").await?.len();
        // Nothing is deleted: a part that is no longer needed is written empty.
        for n in 0..parts.len().max(before) {
            let files = parts.get(n).cloned().unwrap_or_default();
            let item = item("rules", &format!("part-{n:03}"), &Part { files })?;
            self.put_whole("applying the rules of", "rules", item).await?;
        }
        Ok(())
    }
}

impl Table {
    async fn keep_one(&self, finding: &Finding) -> Answer<()> {
        let pk = by_account("finding", &finding.account);
        let mut item = item(&pk, &finding.id, finding)?;
        if let Some(resolved) = finding.resolved_at {
            let expires = resolved.saturating_add(RESOLVED).unwrap_or(resolved);
            item.insert("expires_at".to_owned(), number(expires.as_second()));
        }
        self.put_whole("keeping a finding of", &pk, item).await
    }

    async fn put_whole(&self, doing: &'static str, pk: &str, item: super::Item) -> Answer<()> {
        let call = self.client.put_item().table_name(&self.name).set_item(Some(item));
        call.send().await.map(drop).map_err(|e| port_error(doing, pk, &e))
    }
}

/// As many as `most`, in their order: first one of each reason, then a second of each, and so on. What a thousand nodes
/// have in common does not hide what one cluster has alone.
fn fairly(unseen: &[Unseen], most: usize) -> Vec<Unseen> {
    let mut of_reason: HashMap<&str, usize> = HashMap::new();
    let mut turns: Vec<(usize, usize)> = Vec::with_capacity(unseen.len());
    for (place, one) in unseen.iter().enumerate() {
        let turn = of_reason.entry(&one.why).or_default();
        turns.push((*turn, place));
        *turn += 1;
    }
    turns.sort_unstable();
    let mut places: Vec<usize> = turns.into_iter().take(most).map(|(_, place)| place).collect();
    places.sort_unstable();
    places.into_iter().filter_map(|place| unseen.get(place).cloned()).collect()
}

/// Files in parts that fit into an item each.
fn parts(files: &[File]) -> Answer<Vec<Vec<File>>> {
    let mut parts: Vec<Vec<File>> = vec![Vec::new()];
    let mut size = 0;
    for file in files {
        let more = file.0.len() + file.1.len();
        if more > PER_ITEM {
            return Err(PortError::new(
                "applying the rules of",
                &file.0,
                Kind::Other,
                "one file is larger than 300 KB",
            ));
        }
        if size + more > PER_ITEM {
            parts.push(Vec::new());
            size = 0;
        }
        size += more;
        if let Some(last) = parts.last_mut() {
            last.push(file.clone());
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_many_share_does_not_hide_one_of_its_own() {
        let one = |what: usize, why: &str| Unseen { what: what.to_string(), why: why.to_owned(), permission: None };
        let all: Vec<Unseen> =
            (0..9).map(|n| one(n, "no agent")).chain([one(9, "private")]).chain([one(10, "denied")]).collect();
        let kept = |most| fairly(&all, most).into_iter().map(|u| u.what).collect::<Vec<_>>().join(" ");
        assert_eq!(kept(3), "0 9 10");
        assert_eq!(kept(5), "0 1 2 9 10");
        assert_eq!(fairly(&all, 50), all);
    }

    #[test]
    fn many_files_are_kept_in_parts_and_one_too_large_is_refused() {
        let file = |n: usize| (format!("rules/a/b{n}.yaml"), "x".repeat(100_000));
        let parts_of = |n: usize| parts(&(0..n).map(file).collect::<Vec<_>>()).unwrap();
        assert_eq!(parts_of(1).len(), 1);
        assert_eq!(parts_of(7).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2, 1]);
        assert!(parts(&[("a".to_owned(), "x".repeat(400_000))]).is_err());
    }
}
