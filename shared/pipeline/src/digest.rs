//! What is not told at once: repeats of what was told, which merge into a count, and what nobody has to hurry for, which
//! is told together. What is kept back is in the outbox, whole, before its message is done with; nothing is lost.
//!
//! Flow: a notice that may wait is kept until its window ends -> a clock tells what is due, group by group -> what every
//! channel has told is taken out.
//! Guarantees: the first of a kind is told at once; each kept notice is in at least one message, by name or in its count.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use picket_model::notice::Became;
use picket_model::{Notice, NoticeKind};
use serde::{Deserialize, Serialize};

use crate::notify::{self, Told};
use crate::ports::{Answer, Pager};
use crate::render;

/// How long notices are kept back; no time tells them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Repeats, from the first on.
    pub repeats: SignedDuration,
    /// What nobody has to hurry for.
    pub digest: SignedDuration,
}

/// A notice that is kept back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The notice.
    pub notice: Notice,
    /// What it is told together with.
    pub group: String,
    /// From when on it is told.
    pub due: Timestamp,
}

/// A window of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The notice that opened it.
    pub first: String,
    /// When it ends.
    pub until: Timestamp,
}

/// Keeps what waits.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The window of a group that is open now; if there is none, this notice opens one that ends at `until`.
    async fn window(&self, group: &str, notice: &str, now: Timestamp, until: Timestamp) -> Answer<Window>;
    /// Keeps a notice; the same one twice is once.
    async fn keep(&self, waiting: &Waiting) -> Answer<()>;
    /// All that is kept.
    async fn waiting(&self) -> Answer<Vec<Waiting>>;
    /// Takes these out: they were told.
    async fn forget(&self, told: &[Waiting]) -> Answer<()>;
}

/// How urgent a kind is.
enum Haste {
    /// It is told at once, each time.
    Now,
    /// The first is told at once, and what is like it merges.
    First,
    /// It is told with others.
    Later,
}

fn haste(kind: &NoticeKind) -> Haste {
    match kind {
        NoticeKind::Quarantined { .. } | NoticeKind::Escalated { .. } | NoticeKind::Released { .. } => Haste::Now,
        // It answers an alert that somebody reads right now.
        NoticeKind::Secured { .. } => Haste::Now,
        NoticeKind::Fix(fix) if fix.became == Became::Proposed => Haste::Now,
        NoticeKind::Refused { .. }
        | NoticeKind::Tampering { .. }
        | NoticeKind::Trouble { .. }
        | NoticeKind::WouldQuarantine { .. } => Haste::First,
        NoticeKind::Fix(fix) if fix.became == Became::Failed => Haste::First,
        NoticeKind::Fix(_) | NoticeKind::Suspicious => Haste::Later,
    }
}

/// Keeps a notice back if it may wait. False if it is to be told now.
///
/// # Errors
/// If it could not be kept; then it is neither told nor forgotten, and is tried again.
pub async fn keep_back(outbox: &dyn Outbox, notice: &Notice, patience: Patience, now: Timestamp) -> Answer<bool> {
    let haste = haste(&notice.kind);
    let wait = match haste {
        Haste::Now => return Ok(false),
        Haste::First => patience.repeats,
        Haste::Later => patience.digest,
    };
    if !wait.is_positive() {
        return Ok(false);
    }
    let group = group(notice, &haste);
    let until = now.saturating_add(wait).unwrap_or(now);
    let window = outbox.window(&group, &notice.id, now, until).await?;
    if matches!(haste, Haste::First) && window.first == notice.id {
        return Ok(false);
    }
    outbox.keep(&Waiting { notice: notice.clone(), group, due: window.until }).await?;
    Ok(true)
}

/// What a notice is told together with: what the same hand did in the same place, or what else can wait there.
fn group(notice: &Notice, haste: &Haste) -> String {
    let d = &notice.decision;
    if matches!(haste, Haste::Later) {
        return format!("digest/{}/{}", d.scope.account, d.scope.region);
    }
    let who = match &d.principal {
        Some(p) => p.arn.to_string(),
        None => d.targets.iter().map(|t| t.asset.as_str()).collect::<Vec<_>>().join(","),
    };
    let what = format!("{}/{}/{}/{who}", notice.kind.name(), d.scope.account, d.scope.region);
    format!("repeats/{}", picket_model::text::sha256_hex(what.as_bytes()))
}

/// Tells what is due, by every pager. Answers how many messages that took.
///
/// # Errors
/// If a channel could not tell a group, or what waits could not be read. What was not told by all stays.
pub async fn tell_due(outbox: &dyn Outbox, pagers: &[&dyn Pager], now: Timestamp) -> Answer<usize> {
    let mut due: Vec<Waiting> = outbox.waiting().await?.into_iter().filter(|w| w.due <= now).collect();
    due.sort_by(|a, b| (&a.group, a.notice.at, &a.notice.id).cmp(&(&b.group, b.notice.at, &b.notice.id)));
    let (mut told, mut failed) = (0, None);
    for group in due.chunk_by(|a, b| a.group == b.group) {
        match tell(pagers, group, now).await {
            Ok(true) => {
                outbox.forget(group).await?;
                told += 1;
            }
            Ok(false) => {}
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(told), Err)
}

/// False if another worker is at it. Each pager tells what it has not told, so that one that is down for long makes no
/// other tell twice; and it keeps none of them from telling.
async fn tell(pagers: &[&dyn Pager], group: &[Waiting], now: Timestamp) -> Answer<bool> {
    let notices: Vec<&Notice> = group.iter().map(|w| &w.notice).collect();
    let page = |of: &[&Notice]| match of {
        [one] => render::page(one),
        many => render::merged(many),
    };
    let (mut all, mut failed) = (true, None);
    for pager in pagers {
        match notify::tell(*pager, &notices, page, now).await {
            Ok(came) => all &= came != Told::Later,
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(all), Err)
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
