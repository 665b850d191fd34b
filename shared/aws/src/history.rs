//! What CloudTrail remembers: the calls of the last 90 days that would have woken us, one Region at a time.

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use jiff::Timestamp;
use picket_model::Region;
use picket_pipeline::ports::{Answer, Kind, PortError};

use crate::Clients;
use crate::error::port_error;
use crate::events::calls;

/// How many events of one name are read; a Region with more launches is judged by the latest.
const MOST: usize = 2_000;

/// Records of one Region.
#[derive(Debug, Default)]
pub struct History {
    /// Each as CloudTrail wrote it, the oldest first.
    pub records: Vec<String>,
    /// Calls of which there were more than were read.
    pub cut: Vec<&'static str>,
}

impl Clients {
    /// The calls since a time that would have woken us.
    ///
    /// # Errors
    /// If CloudTrail cannot be asked.
    pub async fn history(&self, region: &Region, since: Timestamp) -> Answer<History> {
        let mut history = History::default();
        let mut found: Vec<(i64, String)> = Vec::new();
        for name in calls() {
            let before = found.len();
            self.one_call(region, since, name, &mut found).await?;
            if found.len() - before >= MOST {
                history.cut.push(name);
            }
        }
        found.sort();
        history.records = found.into_iter().map(|(_, record)| record).collect();
        Ok(history)
    }

    async fn one_call(
        &self,
        region: &Region,
        since: Timestamp,
        name: &str,
        found: &mut Vec<(i64, String)>,
    ) -> Answer<()> {
        let doing = "reading CloudTrail's history of";
        let wanted = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::EventName)
            .attribute_value(name)
            .build()
            .map_err(|e| PortError::new(doing, name, Kind::Other, &e.to_string()))?;
        let since = aws_sdk_cloudtrail::primitives::DateTime::from_secs(since.as_second());
        let call = self.cloudtrail(region).lookup_events().lookup_attributes(wanted).start_time(since);
        let (mut pages, mut read) = (call.into_paginator().send(), 0);
        while let Some(page) = pages.next().await {
            for event in page.map_err(|e| port_error(doing, name, &e))?.events.unwrap_or_default() {
                let at = event.event_time().map_or(0, |t| t.secs());
                found.extend(event.cloud_trail_event.map(|record| (at, record)));
                read += 1;
            }
            if read >= MOST {
                break;
            }
        }
        Ok(())
    }
}
