//! The first look at an event: enough to drop what we do not watch, without reading the rest of it.
//! It decides nothing else: whatever it is unsure of, malformed text included, goes the long way.

use std::borrow::Cow;

use serde::Deserialize;

use super::{API_CALL, NOTIFICATIONS, cloudtrail};

#[derive(Deserialize)]
struct Glance<'a> {
    #[serde(borrow)]
    source: Option<Text<'a>>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Option<Text<'a>>,
    #[serde(borrow)]
    detail: Option<Detail<'a>>,
}

#[derive(Deserialize)]
struct Detail<'a> {
    #[serde(borrow, rename = "eventSource")]
    event_source: Option<Text<'a>>,
    #[serde(borrow, rename = "eventName")]
    event_name: Option<Text<'a>>,
    #[serde(borrow, rename = "userAgent")]
    user_agent: Option<Text<'a>>,
}

/// Borrowed unless it holds escapes; `Option<Cow<str>>` by itself would always be copied.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Whether the long way would surely find that nobody watches this event.
pub(super) fn is_surely_not_watched(body: &str) -> bool {
    // Serde would take an array for a struct.
    if !body.trim_start().starts_with('{') {
        return false;
    }
    match serde_json::from_str(body) {
        Ok(Glance { source: Some(source), detail_type: Some(detail_type), detail: Some(detail) }) => {
            let (source, detail_type) = (source.0.as_ref(), detail_type.0.as_ref());
            let is_known = NOTIFICATIONS.iter().any(|n| n.detail_type == detail_type);
            !source.is_empty()
                && !detail_type.is_empty()
                && if detail_type == API_CALL { source.starts_with("aws.") && detail.is_unwatched() } else { !is_known }
        }
        Ok(Glance { source: _, detail_type: None, detail: None }) => {
            serde_json::from_str::<Detail<'_>>(body).is_ok_and(|record| record.is_unwatched())
        }
        _ => false,
    }
}

impl Detail<'_> {
    fn is_unwatched(&self) -> bool {
        match (&self.event_source, &self.event_name) {
            (Some(Text(source)), Some(Text(name))) => {
                let agent = self.user_agent.as_ref().map(|text| text.0.as_ref()).filter(|text| !text.is_empty());
                !source.is_empty() && !name.is_empty() && cloudtrail::call(source, name, agent).is_none()
            }
            _ => false,
        }
    }
}
