//! A static pod as its manifest is written: the whole command line of its first container.

use serde_json::Value;

use crate::kubernetes::objects::texts;

/// The command line; none if it is no pod, or cannot be parsed.
#[must_use]
pub fn argv(content: &str) -> Option<Vec<String>> {
    let pod: Value = serde_saphyr::from_str(content).ok()?;
    if pod.get("kind").and_then(Value::as_str) != Some("Pod") {
        return None;
    }
    let container = pod.pointer("/spec/containers/0")?;
    let words = texts(container, "/command").chain(texts(container, "/args")).map(ToOwned::to_owned);
    Some(words.collect::<Vec<_>>()).filter(|w| !w.is_empty())
}
