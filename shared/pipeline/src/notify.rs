//! Notify: tell people, once. It may publish and nothing else.
//!
//! Flow: take it for telling, unless it was told or somebody else is at it -> publish -> remember. A message that the
//! topic refuses is published again, plainer.
//! Guarantees: at least once; twice only if this stage dies between the topic's answer and its own note of it.

use jiff::{SignedDuration, Timestamp};
use picket_model::Notice;

use crate::ports::{Answer, Claim, Kind, Pager};
use crate::render::{self, Page};

/// What came of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// People were told now.
    Now,
    /// They had been told before.
    Before,
    /// Another worker is at it; try again soon.
    Later,
}

/// How long one worker may take to tell; longer than the function's time limit.
const LEASE: SignedDuration = SignedDuration::from_secs(45);

/// Tells one notice.
///
/// # Errors
/// If neither the message nor its plain form can be published; it is tried again.
pub async fn run(pager: &dyn Pager, notice: &Notice, now: Timestamp) -> Answer<Told> {
    tell(pager, notice, &render::page(notice), now).await
}

/// Tells what `page` says under the name of a notice.
///
/// # Errors
/// As `run`.
pub async fn tell(pager: &dyn Pager, notice: &Notice, page: &Page, now: Timestamp) -> Answer<Told> {
    match pager.claim(notice, now, now.saturating_add(LEASE).unwrap_or(now)).await? {
        Claim::Ours => {}
        Claim::Told => return Ok(Told::Before),
        Claim::Busy => return Ok(Told::Later),
    }
    if let Err(error) = publish(pager, notice, page).await {
        if let Err(kept) = pager.give_back(notice).await {
            tracing::warn!(error = %kept, "the claim on the notice stays until it runs out");
        }
        return Err(error);
    }
    pager.keep_told(notice).await?;
    Ok(Told::Now)
}

async fn publish(pager: &dyn Pager, notice: &Notice, page: &Page) -> Answer<()> {
    match pager.publish(page).await {
        Err(error) if error.kind == Kind::Other => {
            tracing::warn!(%error, "the message was refused; it is told plainer");
            pager.publish(&render::plain(notice)).await
        }
        other => other,
    }
}
