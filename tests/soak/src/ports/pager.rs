//! The alerts topic, and the record of what was told.

use async_trait::async_trait;
use picket_model::Notice;
use picket_pipeline::ports::{Answer, Pager};

use crate::api::Api;
use crate::call::Client;
use crate::invariants;

#[async_trait]
impl Pager for Client {
    async fn was_told(&self, notice: &Notice) -> Answer<bool> {
        let notice = notice.clone();
        self.call(Api::WasTold, notice.id.clone(), move |w, _| {
            invariants::expect_page(w, &notice);
            Ok(w.store.told.contains(&notice.id))
        })
        .await
    }

    async fn publish(&self, subject: &str, body: &str, _: &str) -> Answer<()> {
        let (subject, body, task) = (subject.to_owned(), body.to_owned(), self.task);
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
