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
    tell(pager, &[notice], |_| render::page(notice), now).await
}

/// Tells those notices together that this pager has not told yet, as `page` says them. Where another worker is at one of
/// them, none is told: they stay together.
///
/// # Errors
/// As `run`. What was taken is given back, so that the next attempt need not wait.
pub async fn tell(
    pager: &dyn Pager,
    notices: &[&Notice],
    page: impl Fn(&[&Notice]) -> Page,
    now: Timestamp,
) -> Answer<Told> {
    let (mut ours, mut came) = (Vec::new(), Ok(Told::Before));
    for notice in notices {
        match pager.claim(notice, now, now.saturating_add(LEASE).unwrap_or(now)).await {
            Ok(Claim::Ours) => ours.push(*notice),
            Ok(Claim::Told) => {}
            Ok(Claim::Busy) => came = Ok(Told::Later),
            Err(error) => came = Err(error),
        }
    }
    if let (Ok(Told::Before), Some(last)) = (&came, ours.last()) {
        came = publish(pager, last, &page(&ours)).await.map(|()| Told::Now);
    }
    for notice in ours {
        match &came {
            Ok(Told::Now) => pager.keep_told(notice).await?,
            _ => {
                if let Err(error) = pager.give_back(notice).await {
                    tracing::warn!(%error, "the claim on the notice stays until it runs out");
                }
            }
        }
    }
    came
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
