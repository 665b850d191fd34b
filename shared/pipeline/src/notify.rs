//! Notify: tell people, once. It may publish and nothing else.
//!
//! Flow: was it told? -> publish -> remember. A message that the topic refuses is published again, plainer.
//! Guarantees: at least once; twice only if this stage dies between the topic's answer and its own note of it.

use picket_model::Notice;

use crate::ports::{Answer, Kind, Pager};
use crate::render;

/// What came of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// People were told now.
    Now,
    /// They had been told before.
    Before,
}

/// Tells one notice.
///
/// # Errors
/// If neither the message nor its plain form can be published; it is tried again.
pub async fn run(pager: &dyn Pager, notice: &Notice) -> Answer<Told> {
    if pager.was_told(notice).await? {
        return Ok(Told::Before);
    }
    let page = render::page(notice);
    match pager.publish(&page.subject, &page.body, page.severity).await {
        Err(error) if error.kind == Kind::Other => {
            tracing::warn!(%error, "the topic refused the message; it is told plainer");
            let plain = render::plain(notice);
            pager.publish(&plain.subject, &plain.body, plain.severity).await?;
        }
        other => other?,
    }
    pager.keep_told(notice).await?;
    Ok(Told::Now)
}
