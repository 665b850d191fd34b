//! What is remembered of clusters and places, and how a new look changes it. A cluster that vanishes is marked, never
//! dropped; and only a look that saw everything may say that it vanished.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use picket_model::landscape::{Found, Survey, Unseen};
use picket_model::{Asset, InstanceId, Scope};
use serde::{Deserialize, Serialize};

use super::Scanned;
use crate::ports::Answer;

/// How many changes of one thing are remembered.
pub const HISTORY: usize = 50;
/// What may be missing from a look that is complete all the same: it adds to what is known of a cluster, and shows none.
const ADDS_ONLY: &[&str] = &[
    "who made the clusters",
    "the callers of AWS",
    "programs on machines",
    "names of rules and queues",
    "prefix lists",
];

/// One attribute that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// When it was noticed.
    pub at: Timestamp,
    /// What, such as `version`.
    pub what: String,
    /// What it was.
    pub from: String,
    /// What it is.
    pub to: String,
}

/// A cluster as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// As it was found last.
    pub found: Found,
    /// When it was found first.
    pub first_seen: Timestamp,
    /// When it was seen last.
    pub last_seen: Timestamp,
    /// What led to it: the clock, or the sign that was seen.
    pub found_by: String,
    /// Since when it is gone.
    pub gone_at: Option<Timestamp>,
    /// What changed, oldest first.
    pub history: Vec<Changed>,
}

/// A place as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// Where.
    pub scope: Scope,
    /// When it was looked at last.
    pub at: Timestamp,
    /// How many instances it has.
    pub instances: usize,
    /// How many clusters it has.
    pub clusters: usize,
    /// How many calls the look took.
    pub calls: usize,
    /// What could not be seen.
    pub unseen: Vec<Unseen>,
}

impl Looked {
    /// Whether it was ever looked at: one that could not be entered took no call.
    #[must_use]
    pub fn was_seen(&self) -> bool {
        self.calls > 0
    }
}

/// Remembers.
#[async_trait]
pub trait Atlas: Send + Sync {
    /// All clusters of a place, those that are gone included.
    async fn clusters(&self, scope: &Scope) -> Answer<Vec<Kept>>;
    /// Writes one.
    async fn keep_cluster(&self, cluster: &Kept) -> Answer<()>;
    /// What the last look at a place came to; none if it was never looked at.
    async fn place(&self, scope: &Scope) -> Answer<Option<Looked>>;
    /// Writes what a look at a place came to.
    async fn keep_place(&self, place: &Looked) -> Answer<()>;
    /// Marks the instances of a place that are not among `there` as gone, if they were seen before `at`. Answers how many.
    async fn mark_gone(&self, scope: &Scope, there: &[InstanceId], at: Timestamp) -> Answer<usize>;
}

/// What a look changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// Clusters that were not known, or are back.
    pub new: Vec<Kept>,
    /// Clusters with a change.
    pub changed: Vec<Kept>,
    /// Clusters that are gone now.
    pub gone: Vec<Kept>,
    /// How many instances are gone now.
    pub instances_gone: usize,
}

/// Remembers what a look found.
///
/// # Errors
/// If it cannot be read or written; doing it again is doing it once.
pub async fn keep(atlas: &dyn Atlas, scanned: &Scanned, because: &str) -> Answer<News> {
    let scope = &scanned.survey.scope;
    let known = atlas.clusters(scope).await?;
    let mut news = News::default();
    for found in &scanned.survey.clusters {
        let before = known.iter().find(|k| k.found.id == found.id);
        let (kept, is_news) = merged(before, found, scanned.at, because);
        atlas.keep_cluster(&kept).await?;
        match is_news {
            Some(true) => news.new.push(kept),
            Some(false) => news.changed.push(kept),
            None => {}
        }
    }
    if saw_everything(&scanned.survey) {
        for lost in known.iter().filter(|k| is_lost(k, scanned)) {
            let gone = Kept { gone_at: Some(scanned.at), ..lost.clone() };
            atlas.keep_cluster(&gone).await?;
            news.gone.push(gone);
        }
        let there: Vec<InstanceId> = scanned.instances.iter().map(|i| i.id.clone()).collect();
        news.instances_gone = atlas.mark_gone(scope, &there, scanned.at).await?;
    }
    let place = Looked {
        scope: scope.clone(),
        at: scanned.at,
        instances: scanned.instances.len(),
        clusters: scanned.survey.clusters.len(),
        calls: scanned.calls,
        unseen: scanned.survey.unseen.iter().take(HISTORY).cloned().collect(),
    };
    atlas.keep_place(&place).await.map(|()| news)
}

/// Remembers that a place could not be looked at, beside what the last look there came to.
///
/// # Errors
/// If it cannot be read or written.
pub async fn blind(atlas: &dyn Atlas, scope: &Scope, why: &str, now: Timestamp) -> Answer<()> {
    let never = || Looked { scope: scope.clone(), at: now, instances: 0, clusters: 0, calls: 0, unseen: Vec::new() };
    let known = atlas.place(scope).await?.unwrap_or_else(never);
    let unseen = vec![Unseen { what: "the account".to_owned(), instance: None, reason: why.to_owned() }];
    atlas.keep_place(&Looked { unseen, ..known }).await
}

/// Whether nothing was hidden that could show a cluster or an instance.
fn saw_everything(survey: &Survey) -> bool {
    survey.unseen.iter().all(|u| ADDS_ONLY.contains(&u.what.as_str()))
}

fn is_lost(known: &Kept, scanned: &Scanned) -> bool {
    let there = scanned.survey.clusters.iter().any(|f| f.id == known.found.id);
    known.gone_at.is_none() && !there && known.last_seen < scanned.at
}

/// What is to be remembered of a cluster, and whether that is news: true of a new one, false of a changed one.
fn merged(before: Option<&Kept>, found: &Found, at: Timestamp, because: &str) -> (Kept, Option<bool>) {
    let Some(before) = before else {
        let kept = Kept {
            found: found.clone(),
            first_seen: at,
            last_seen: at,
            found_by: because.to_owned(),
            gone_at: None,
            history: Vec::new(),
        };
        return (kept, Some(true));
    };
    let mut found = found.clone();
    // CloudTrail forgets after 90 days; we do not.
    found.owner = found.owner.or_else(|| before.found.owner.clone());
    let mut changes = differences(&before.found, &found, at);
    if let Some(gone) = before.gone_at {
        changes.push(Changed { at, what: "gone".to_owned(), from: gone.to_string(), to: "back".to_owned() });
    }
    let news = match (before.gone_at, changes.is_empty()) {
        (Some(_), _) => Some(true),
        (None, false) => Some(false),
        (None, true) => None,
    };
    let kept = Kept {
        found,
        last_seen: at.max(before.last_seen),
        gone_at: None,
        history: bounded(before.history.clone(), changes),
        ..before.clone()
    };
    (kept, news)
}

/// The history with what is new; the oldest goes when there is too much.
#[must_use]
pub fn bounded(mut history: Vec<Changed>, new: Vec<Changed>) -> Vec<Changed> {
    history.extend(new);
    history.split_off(history.len().saturating_sub(HISTORY))
}

fn differences(was: &Found, is: &Found, at: Timestamp) -> Vec<Changed> {
    let plain = |value: &Option<picket_model::Untrusted>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    let nodes = |f: &Found| sorted(f.nodes.iter().map(|n| n.id.to_string()));
    let doors = |f: &Found| {
        sorted(f.exposure.iter().map(|r| serde_json::to_string(r).unwrap_or_default()).collect::<Vec<_>>().into_iter())
    };
    let plane = |f: &Found| serde_json::to_string(&f.control_plane).unwrap_or_default();
    let mut all = vec![
        ("distribution", was.distribution.clone(), is.distribution.clone()),
        ("version", plain(&was.version), plain(&is.version)),
        ("control plane", plane(was), plane(is)),
    ];
    for (what, was, is) in [("nodes", nodes(was), nodes(is)), ("who can reach it", doors(was), doors(is))] {
        let (left, came) = (only_in(&was, &is), only_in(&is, &was));
        all.push((what, left, came));
    }
    let differ = all.into_iter().filter(|(_, from, to)| from != to);
    differ.map(|(what, from, to)| Changed { at, what: what.to_owned(), from: cut(&from), to: cut(&to) }).collect()
}

fn sorted(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = all.collect();
    all.sort();
    all.dedup();
    all
}

/// What is in `these` alone, in words.
fn only_in(these: &[String], others: &[String]) -> String {
    these.iter().filter(|t| !others.contains(t)).cloned().collect::<Vec<_>>().join(" ")
}

/// What changed of an asset, attribute by attribute.
#[must_use]
pub fn changes(was: &Asset, is: &Asset, at: Timestamp) -> Vec<Changed> {
    let (Ok(was), Ok(is)) = (serde_json::to_value(was), serde_json::to_value(is)) else { return Vec::new() };
    let (Some(was), Some(is)) = (was.as_object(), is.as_object()) else { return Vec::new() };
    let show = |value: Option<&serde_json::Value>| match value {
        None | Some(serde_json::Value::Null) => String::new(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let keys = sorted(was.keys().chain(is.keys()).cloned());
    keys.into_iter()
        .map(|key| (show(was.get(&key)), show(is.get(&key)), key))
        .filter(|(from, to, _)| from != to)
        .map(|(from, to, what)| Changed { at, what, from: cut(&from), to: cut(&to) })
        .collect()
}

/// A value that fits into a history of fifty.
fn cut(text: &str) -> String {
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Whether something changed after `since`: for `picket diff`.
#[must_use]
pub fn changed_since(history: &[Changed], since: Timestamp) -> Vec<&Changed> {
    history.iter().filter(|c| c.at.duration_since(since) >= SignedDuration::ZERO).collect()
}

#[cfg(test)]
#[path = "atlas_tests.rs"]
mod tests;
