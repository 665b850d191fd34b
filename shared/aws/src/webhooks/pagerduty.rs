//! PagerDuty: its Events API, version 2. The secret is the routing key of an integration, or that and the address of the
//! service region after a blank: `<key> https://events.eu.pagerduty.com/v2/enqueue`.

use serde_json::{Map, Value};

use super::Post;

const US: &str = "https://events.pagerduty.com/v2/enqueue";

pub(super) fn post(secret: &str, form: &str) -> Result<Post, String> {
    let (key, url) = secret.split_once(char::is_whitespace).unwrap_or((secret, US));
    if key.is_empty() {
        return Err("its secret is empty; put the routing key of the integration there".to_owned());
    }
    let mut event: Map<String, Value> = serde_json::from_str(form).map_err(|e| e.to_string())?;
    event.insert("routing_key".to_owned(), key.into());
    Ok(Post { url: url.trim().to_owned(), body: Value::Object(event).to_string() })
}
