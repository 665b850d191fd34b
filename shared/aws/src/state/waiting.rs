//! The outbox's other half: notices that are kept back until they are told together.

use async_trait::async_trait;
use futures::future::try_join_all;
use jiff::Timestamp;
use picket_pipeline::digest::{Outbox, Waiting, Window};
use picket_pipeline::ports::{Answer, Kind, PortError};

use super::{Item, Table, item, number, read, string_of, text};
use crate::error::port_error;

/// Where all that waits is.
const WAITING: &str = "notice#waiting";
/// How long a window is remembered after its end.
const AFTER_SECONDS: i64 = 24 * 3600;

#[async_trait]
impl Outbox for Table {
    async fn window(&self, group: &str, notice: &str, now: Timestamp, until: Timestamp) -> Answer<Window> {
        let pk = format!("notice#window#{group}");
        let doing = "opening the window of";
        let call = self.client.put_item().table_name(&self.name).item("pk", text(&pk)).item("sk", text("window"));
        let call = call
            .item("first", text(notice))
            .item("until", number(until.as_millisecond()))
            .item("expires_at", number(until.as_second() + AFTER_SECONDS))
            .condition_expression("attribute_not_exists(pk) OR #until <= :now")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":now", number(now.as_millisecond()));
        match call.send().await.map_err(|e| port_error(doing, &pk, &e)) {
            Ok(_) => Ok(Window { first: notice.to_owned(), until }),
            Err(error) if error.kind == Kind::Conflict => {
                let found = self.get(doing, &pk, "window").await?;
                found
                    .and_then(|i| window_of(&i))
                    .ok_or_else(|| PortError::new(doing, &pk, Kind::Transient, "it ended while it was looked at"))
            }
            Err(error) => Err(error),
        }
    }

    async fn keep(&self, waiting: &Waiting) -> Answer<()> {
        let kept = item(WAITING, &waiting.notice.id, waiting)?;
        let call = self.client.put_item().table_name(&self.name).set_item(Some(kept));
        match call.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(()),
            Err(error) => match port_error("keeping back the notice", &waiting.notice.id, &error) {
                error if error.kind == Kind::Conflict => Ok(()),
                error => Err(error),
            },
        }
    }

    async fn waiting(&self) -> Answer<Vec<Waiting>> {
        self.query("reading what waits in", WAITING, "").await?.iter().map(read).collect()
    }

    async fn forget(&self, told: &[Waiting]) -> Answer<()> {
        let one = |w: &Waiting| {
            let call = self.client.delete_item().table_name(&self.name).key("pk", text(WAITING));
            let (call, id) = (call.key("sk", text(&w.notice.id)), w.notice.id.clone());
            async move { call.send().await.map(drop).map_err(|e| port_error("taking out the notice", id, &e)) }
        };
        try_join_all(told.iter().map(one)).await.map(drop)
    }
}

fn window_of(item: &Item) -> Option<Window> {
    let until = item.get("until")?.as_n().ok()?.parse().ok()?;
    Some(Window { first: string_of(item, "first")?, until: Timestamp::from_millisecond(until).ok()? })
}
