//! The policy and the pause switch.

use async_trait::async_trait;
use futures::try_join;
use picket_model::Untrusted;
use picket_pipeline::ports::{Answer, Policies, StoredPolicy};

use super::{Table, string_of, text};
use crate::error::port_error;

impl Table {
    async fn put_text(&self, doing: &'static str, key: (&str, &str), body: &str, by: &str) -> Answer<()> {
        let call = self.client.put_item().table_name(&self.name);
        let call = call.item("pk", text(key.0)).item("sk", text(key.1)).item("text", text(body)).item("by", text(by));
        call.send().await.map(drop).map_err(|e| port_error(doing, key.0, &e))
    }
}

#[async_trait]
impl Policies for Table {
    async fn policy(&self) -> Answer<StoredPolicy> {
        let doing = "reading the policy";
        let (texts, paused) = try_join!(self.query(doing, "policy", ""), self.get(doing, "switch", "pause"))?;
        let of = |sk: &str| {
            texts.iter().find(|i| string_of(i, "sk").as_deref() == Some(sk)).and_then(|i| string_of(i, "text"))
        };
        Ok(StoredPolicy {
            current: of("current"),
            good: of("good"),
            paused: paused.and_then(|i| string_of(&i, "text")).filter(|t| !t.is_empty()),
        })
    }

    async fn keep_good(&self, body: &str) -> Answer<()> {
        self.put_text("keeping the policy", ("policy", "good"), body, "picket").await
    }

    async fn put_policy(&self, body: &str, by: &Untrusted) -> Answer<()> {
        self.put_text("applying the policy", ("policy", "current"), body, by.as_str()).await
    }

    async fn set_paused(&self, why: Option<&Untrusted>, by: &Untrusted) -> Answer<()> {
        self.put_text("setting the pause switch", ("switch", "pause"), why.map_or("", Untrusted::as_str), by.as_str())
            .await
    }
}
