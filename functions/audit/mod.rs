//! audit: rows of the journal, as the table's stream tells them, become a segment of the audit chain. May add objects to
//! the audit bucket and nothing else: what was written cannot be written over, and is locked.

mod append;
mod stream;

use async_trait::async_trait;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::Vault;
use picket_pipeline::ports::Answer;
use picket_report::audit::chain;

use crate::entry::{Entry, metric};
use append::Segments;

const BUCKET: &str = "PICKET_AUDIT_BUCKET";

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    let bucket = &entry.environment.need(BUCKET)?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<serde_json::Value>| async move {
        let scope = entry.environment.scope(&event.context.invoked_function_arn)?;
        let events = stream::events(&event.payload);
        if events.is_empty() {
            return Ok::<_, Error>(());
        }
        let bucket = Bucket {
            vault: Vault::new(&entry.clients, bucket, &scope.account),
            prefix: chain::prefix(scope.account.as_str(), scope.region.as_str()),
        };
        let hint = entry.table.audit_head(&scope).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the end is looked for from the start");
            None
        });
        // A failure brings the whole batch back; what was added by then is known by its events.
        let added = append::append(&bucket, hint, events).await?;
        tracing::info!(
            added = added.records,
            told_before = added.told_before,
            sequence = added.head.sequence,
            "exported"
        );
        metric::count("AuditRecords", "Outcome", "added", added.records);
        if let Err(error) = entry.table.keep_audit_head(&scope, added.head.sequence, &added.head).await {
            tracing::warn!(%error, "the next batch looks for the end from where it was known before");
        }
        Ok(())
    }))
    .await
}

/// The chain's segments in the bucket.
struct Bucket {
    vault: Vault,
    prefix: String,
}

#[async_trait]
impl Segments for Bucket {
    async fn from(&self, sequence: u64) -> Answer<Vec<u64>> {
        let before = sequence.checked_sub(1).filter(|n| *n > 0).map(|n| chain::key(&self.prefix, n));
        let keys = self.vault.keys(&self.prefix, before.as_deref()).await?;
        Ok(keys.iter().filter_map(|k| chain::sequence_of(k)).collect())
    }

    async fn read(&self, sequence: u64) -> Answer<Vec<u8>> {
        self.vault.read(&chain::key(&self.prefix, sequence)).await
    }

    async fn put_once(&self, sequence: u64, body: String) -> Answer<bool> {
        self.vault.put_once(&chain::key(&self.prefix, sequence), body, "application/x-ndjson").await
    }
}
