//! Which notices people were told. Kept for 30 days: longer than any queue, retry or dead letter lives.

use jiff::{SignedDuration, Timestamp};
use picket_model::Notice;
use picket_pipeline::ports::{Answer, Claim, Kind};

use super::{Table, number, text};
use crate::error::port_error;

const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

impl Table {
    /// Takes a notice for telling: a conditional write, so that of two workers one gets it.
    /// `channel` is the sort key: each channel tells by itself, and one that fails does not make another tell twice.
    pub(crate) async fn claim_notice(
        &self,
        notice: &Notice,
        channel: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Answer<Claim> {
        let doing = "taking the notice";
        let pk = format!("notice#{}", notice.id);
        let expires = notice.at.saturating_add(KEPT).unwrap_or(notice.at).as_second();
        let call = self.client.put_item().table_name(&self.name).item("pk", text(&pk)).item("sk", text(channel));
        let call = call
            .item("telling_until", number(until.as_millisecond()))
            .item("expires_at", number(expires))
            .condition_expression(
                "attribute_not_exists(pk) OR (attribute_not_exists(told_at) AND telling_until < :now)",
            )
            .expression_attribute_values(":now", number(now.as_millisecond()));
        match call.send().await {
            Ok(_) => Ok(Claim::Ours),
            Err(error) => {
                let error = port_error(doing, &pk, &error);
                if error.kind != Kind::Conflict {
                    return Err(error);
                }
                let found = self.get(doing, &pk, channel).await?;
                let told = found.is_some_and(|item| item.contains_key("told_at"));
                Ok(if told { Claim::Told } else { Claim::Busy })
            }
        }
    }

    /// Ends the claim, if it still stands: whoever tries again need not wait for its end.
    pub(crate) async fn give_back(&self, notice: &Notice, channel: &str) -> Answer<()> {
        let doing = "giving back the notice";
        let pk = format!("notice#{}", notice.id);
        let call = self.client.update_item().table_name(&self.name).key("pk", text(&pk)).key("sk", text(channel));
        let call = call
            .update_expression("SET telling_until = :ended")
            .condition_expression("attribute_exists(telling_until) AND attribute_not_exists(told_at)")
            .expression_attribute_values(":ended", number(0));
        match call.send().await.map_err(|e| port_error(doing, &pk, &e)) {
            Err(error) if error.kind != Kind::Conflict => Err(error),
            _ => Ok(()),
        }
    }

    pub(crate) async fn keep_told(&self, notice: &Notice, channel: &str) -> Answer<()> {
        let pk = format!("notice#{}", notice.id);
        let expires = notice.at.saturating_add(KEPT).unwrap_or(notice.at).as_second();
        let call = self.client.put_item().table_name(&self.name).item("pk", text(&pk)).item("sk", text(channel));
        let call = call.item("told_at", text(notice.at.to_string())).item("expires_at", number(expires));
        call.send().await.map(drop).map_err(|e| port_error("noting that people were told", &pk, &e))
    }
}
