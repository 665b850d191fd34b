//! What is kept back, in the fake world.

use async_trait::async_trait;
use jiff::Timestamp;

use super::World;
use crate::digest::{Outbox, Waiting, Window};
use crate::ports::Answer;

#[async_trait]
impl Outbox for World {
    async fn window(&self, group: &str, notice: &str, now: Timestamp, until: Timestamp) -> Answer<Window> {
        self.call("window", |s| {
            let open = s.windows.get(group).filter(|w| w.until > now).cloned();
            let window = open.unwrap_or_else(|| Window { first: notice.to_owned(), until });
            s.windows.insert(group.to_owned(), window.clone());
            Ok(window)
        })
        .await
    }

    async fn keep(&self, waiting: &Waiting) -> Answer<()> {
        self.call("keep", |s| {
            s.waiting.entry(waiting.notice.id.clone()).or_insert_with(|| waiting.clone());
            Ok(())
        })
        .await
    }

    async fn waiting(&self) -> Answer<Vec<Waiting>> {
        self.call("waiting", |s| Ok(s.waiting.values().cloned().collect())).await
    }

    async fn forget(&self, told: &[Waiting]) -> Answer<()> {
        self.call("forget", |s| {
            s.waiting.retain(|id, _| told.iter().all(|t| t.notice.id != *id));
            Ok(())
        })
        .await
    }
}
