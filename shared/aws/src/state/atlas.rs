//! Clusters and places, as the sweep found them.

use std::collections::HashSet;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use picket_model::{InstanceId, Scope};
use picket_pipeline::ports::Answer;
use picket_pipeline::scan::{Atlas, Kept, Looked};

use super::{Table, by_account, by_scope, item, read, string_of, text};
use crate::error::port_error;

/// The partition of the places.
const PLACES: &str = "places";
/// How many writes run at once.
const AT_ONCE: usize = 25;

#[async_trait]
impl Atlas for Table {
    async fn clusters(&self, scope: &Scope) -> Answer<Vec<Kept>> {
        let rows = self.query("listing the clusters of", &by_scope("cluster", scope), "").await?;
        rows.iter().map(read).collect()
    }

    async fn keep_cluster(&self, cluster: &Kept) -> Answer<()> {
        self.keep(&by_scope("cluster", &cluster.found.scope), &cluster.found.id, cluster).await
    }

    async fn place(&self, scope: &Scope) -> Answer<Option<Looked>> {
        self.get("reading what is known of", PLACES, &sort_key(scope)).await?.as_ref().map(read).transpose()
    }

    async fn keep_place(&self, place: &Looked) -> Answer<()> {
        self.keep(PLACES, &sort_key(&place.scope), place).await
    }

    async fn mark_gone(&self, scope: &Scope, there: &[InstanceId], at: Timestamp) -> Answer<usize> {
        let there: HashSet<&str> = there.iter().map(InstanceId::as_str).collect();
        let pk = by_scope("asset", scope);
        let rows = self.query("listing the instances of", &pk, "i-").await?;
        let lost = rows.iter().filter_map(|row| {
            let id = string_of(row, "sk").filter(|id| !there.contains(id.as_str()))?;
            let seen = string_of(row, "last_seen").and_then(|t| t.parse::<Timestamp>().ok());
            (string_of(row, "gone_at").is_none() && seen.is_none_or(|seen| seen < at)).then_some(id)
        });
        let lost: Vec<String> = lost.collect();
        let count = lost.len();
        let writes = lost.into_iter().map(|id| self.gone(&pk, id, at)).collect::<Vec<_>>();
        futures::stream::iter(writes).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        Ok(count)
    }
}

fn canary(home: &Scope) -> String {
    format!("canary#{}", home.region)
}

fn sort_key(scope: &Scope) -> String {
    format!("{}#{}", scope.account, scope.region)
}

impl Table {
    /// Every place that was looked at.
    ///
    /// # Errors
    /// If they cannot be listed.
    pub async fn places(&self) -> Answer<Vec<Looked>> {
        let rows = self.query("listing the places in", PLACES, "").await?;
        rows.iter().map(read).collect()
    }

    /// The canary that was let go last, and when.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn last_canary(&self, home: &Scope) -> Answer<Option<(String, Timestamp)>> {
        let row = self.get("looking for the canary of", &by_account("seen", &home.account), &canary(home)).await?;
        row.as_ref().map(read).transpose()
    }

    /// Remembers the canary that was let go.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn keep_canary(&self, home: &Scope, name: &str, at: Timestamp) -> Answer<()> {
        self.keep(&by_account("seen", &home.account), &canary(home), &(name, at)).await
    }

    async fn keep(&self, pk: &str, sk: &str, body: &impl serde::Serialize) -> Answer<()> {
        let call = self.client.put_item().table_name(&self.name).set_item(Some(item(pk, sk, body)?));
        call.send().await.map(drop).map_err(|e| port_error("writing to the inventory", sk, &e))
    }

    async fn gone(&self, pk: &str, id: String, at: Timestamp) -> Answer<()> {
        let call = self.client.update_item().table_name(&self.name).key("pk", text(pk)).key("sk", text(&id));
        let call = call.update_expression("SET gone_at = if_not_exists(gone_at, :at)");
        let call = call.expression_attribute_values(":at", text(at.to_string()));
        call.send().await.map(drop).map_err(|e| port_error("marking as gone", &id, &e))
    }
}
