//! The policy and the pause switch.

use async_trait::async_trait;
use picket_model::Untrusted;
use picket_pipeline::ports::{Answer, Policies, StoredPolicy};

use crate::api::Api;
use crate::call::Client;

#[async_trait]
impl Policies for Client {
    async fn policy(&self) -> Answer<StoredPolicy> {
        self.call(Api::Policy, String::new(), |w, _| Ok(w.store.policy.clone())).await
    }

    async fn keep_good(&self, text: &str) -> Answer<()> {
        let text = text.to_owned();
        self.call(Api::KeepGood, String::new(), move |w, _| {
            w.store.policy.good = Some(text.clone());
            Ok(())
        })
        .await
    }

    async fn put_policy(&self, text: &str, _: &Untrusted) -> Answer<()> {
        let text = text.to_owned();
        self.call(Api::PutPolicy, String::new(), move |w, _| {
            w.store.policy.current = Some(text.clone());
            Ok(())
        })
        .await
    }

    async fn set_paused(&self, why: Option<&Untrusted>, _: &Untrusted) -> Answer<()> {
        let why = why.map(ToString::to_string);
        self.call(Api::SetPaused, format!("{why:?}"), move |w, _| {
            w.store.policy.paused.clone_from(&why);
            Ok(())
        })
        .await
    }
}
