//! What was seen when.

use async_trait::async_trait;
use jiff::Timestamp;
use picket_model::{AccountId, Observation, Scope};
use picket_pipeline::ports::{Answer, Inventory, Seen};

use crate::api::Api;
use crate::call::Client;

#[async_trait]
impl Inventory for Client {
    async fn first_seen(&self, _: &AccountId, what: &[Seen], at: Timestamp) -> Answer<Vec<Timestamp>> {
        let what = what.to_vec();
        self.call(Api::FirstSeen, format!("{} things", what.len()), move |w, _| {
            Ok(what.iter().map(|s| *w.store.seen.entry(s.clone()).or_insert(at)).collect())
        })
        .await
    }

    async fn keep_running(&self, _: &Scope, count: usize) -> Answer<()> {
        self.call(Api::Other, format!("{count} run"), move |w, _| {
            w.store.running = Some(count as u64);
            Ok(())
        })
        .await
    }

    /// Posture is not played here, so nobody is to be asked.
    async fn remember(&self, observations: &[Observation]) -> Answer<Vec<String>> {
        self.call(Api::Remember, format!("{} assets", observations.len()), |_, _| Ok(Vec::new())).await
    }
}
