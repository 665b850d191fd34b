//! Which notices people were told. Kept for 30 days: longer than any queue, retry or dead letter lives.

use jiff::SignedDuration;
use picket_model::Notice;
use picket_pipeline::ports::Answer;

use super::{Table, number, text};
use crate::error::port_error;

const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

impl Table {
    pub(crate) async fn was_told(&self, notice: &Notice) -> Answer<bool> {
        let found = self.get("looking for the notice", &format!("notice#{}", notice.id), "told").await?;
        Ok(found.is_some())
    }

    pub(crate) async fn keep_told(&self, notice: &Notice) -> Answer<()> {
        let pk = format!("notice#{}", notice.id);
        let expires = notice.at.saturating_add(KEPT).unwrap_or(notice.at).as_second();
        let call = self.client.put_item().table_name(&self.name).item("pk", text(&pk)).item("sk", text("told"));
        let call = call.item("at", text(notice.at.to_string())).item("expires_at", number(expires));
        call.send().await.map(drop).map_err(|e| port_error("noting that people were told", &pk, &e))
    }
}
