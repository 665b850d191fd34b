//! The alerts topic, and the record of what was told.

use async_trait::async_trait;
use jiff::Timestamp;
use picket_model::Notice;
use picket_pipeline::ports::{Answer, Claim, Pager};
use picket_pipeline::render::Page;

use crate::api::Api;
use crate::call::Client;
use crate::invariants;

#[async_trait]
impl Pager for Client {
    async fn claim(&self, notice: &Notice, now: Timestamp, until: Timestamp) -> Answer<Claim> {
        let (notice, task) = (notice.clone(), self.task);
        self.call(Api::ClaimNotice, notice.id.clone(), move |w, _| {
            if w.store.told.contains(&notice.id) {
                return Ok(Claim::Told);
            }
            if w.store.telling.get(&notice.id).is_some_and(|other| *other > now) {
                return Ok(Claim::Busy);
            }
            invariants::expect_page(w, task, &notice);
            w.store.telling.insert(notice.id.clone(), until);
            Ok(Claim::Ours)
        })
        .await
    }

    async fn publish(&self, page: &Page) -> Answer<()> {
        let (subject, body, task) = (page.subject.clone(), page.body.clone(), self.task);
        self.call(Api::Publish, subject, move |w, _| {
            invariants::published(w, task, &body);
            Ok(())
        })
        .await
    }

    async fn keep_told(&self, notice: &Notice) -> Answer<()> {
        let id = notice.id.clone();
        self.call(Api::KeepTold, id.clone(), move |w, _| {
            w.store.told.insert(id.clone());
            Ok(())
        })
        .await
    }
}
