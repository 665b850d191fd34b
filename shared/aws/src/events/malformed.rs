//! Why an event cannot be decoded, in words for the person who reads the dead-letter queue.
//! What the event holds is foreign text: it is cut and cleaned before it is repeated.

use picket_model::Untrusted;
use serde_json::Value;

/// An event that is not what it says it is. The message names the kind of event and the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The text is not JSON.
    #[error("the text is not JSON: {cause}")]
    NotJson {
        /// What the parser says, with line and column.
        cause: Untrusted,
    },
    /// It is JSON, and nothing that AWS sends.
    #[error(
        "this is no event: expected an object with `source`, `detail-type` and `detail`, or a CloudTrail record with \
         `eventSource` and `eventName`, or a GuardDuty finding with `type`, `service` and `resource`"
    )]
    NotAnEvent,
    /// A field that we need is not there.
    #[error("{event}: `{field}` is missing, expected {expected}")]
    Missing {
        /// The kind of event.
        event: Untrusted,
        /// The path of the field.
        field: String,
        /// What it should hold.
        expected: String,
    },
    /// A field that we need holds something else.
    #[error("{event}: `{field}` is {found}, expected {expected}")]
    Wrong {
        /// The kind of event.
        event: Untrusted,
        /// The path of the field.
        field: String,
        /// What it holds, cut to 64 characters.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// It was sent by somebody who cannot have sent it.
    #[error("this claims to be {event}, but its source is `{source_found}`, not `{expected}`")]
    Forged {
        /// What it claims to be.
        event: Untrusted,
        /// The envelope's `source`.
        source_found: String,
        /// Who sends such events.
        expected: String,
    },
    /// What it says does not fit together, or not into one trigger.
    #[error("{event}: {why}")]
    Contradiction {
        /// The kind of event.
        event: Untrusted,
        /// What does not fit.
        why: String,
    },
}

impl Malformed {
    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::NotJson { cause: Untrusted::new(&error.to_string()) }
    }

    pub(super) fn missing(event: &str, field: &str, expected: &str) -> Self {
        Self::Missing { event: Untrusted::new(event), field: field.to_owned(), expected: expected.to_owned() }
    }

    pub(super) fn wrong(event: &str, field: &str, found: &Value, expected: &str) -> Self {
        let event = Untrusted::new(event);
        Self::Wrong { event, field: field.to_owned(), found: shown(found), expected: expected.to_owned() }
    }

    pub(super) fn forged(event: &str, source: &str, expected: &str) -> Self {
        Self::Forged { event: Untrusted::new(event), source_found: cut(source), expected: expected.to_owned() }
    }

    pub(super) fn contradiction(event: &str, why: impl Into<String>) -> Self {
        Self::Contradiction { event: Untrusted::new(event), why: why.into() }
    }
}

/// At most 64 characters of `text`, safe to show.
pub(super) fn cut(text: &str) -> String {
    let text = Untrusted::new(text);
    let mut kept: String = text.as_str().chars().take(64).collect();
    if kept.len() < text.as_str().len() {
        kept.push('…');
    }
    kept
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("`{}`", cut(&value.to_string())),
        Value::String(text) => format!("`{}`", cut(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
