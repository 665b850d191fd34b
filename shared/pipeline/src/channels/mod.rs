//! One notice, many forms: a channel is one file, and one line in `CHANNELS`. Pure: what a form is sent through, and with
//! which secret, is left to `picket-aws`. Every channel escapes foreign words for its own sink and bounds them.

mod chat;
mod email;
mod machine;
mod pagerduty;
mod slack;
mod sms;

#[cfg(test)]
mod tests;

use picket_model::Notice;
use serde_json::Value;

use crate::render::Story;

pub use machine::{DETAIL_VERSION, detail};

/// A channel: what it is called, and how it says a notice.
struct Channel {
    /// Its name, and that of its file.
    name: &'static str,
    /// The protocols of SNS that are sent this form; none where it is posted by itself.
    protocols: &'static [&'static str],
    /// The form; none where the channel has nothing to say about it.
    write: fn(&Story, &Notice) -> Option<String>,
}

/// Every channel, by name.
const CHANNELS: &[Channel] = &[
    // Amazon Q Developer in chat applications, which brings notices to Slack and Teams, subscribes by https.
    Channel { name: "chat", protocols: &["https"], write: chat::write },
    Channel { name: "email", protocols: &["email"], write: email::write },
    Channel { name: "machine", protocols: &["email-json", "firehose", "lambda"], write: machine::write },
    Channel { name: "pagerduty", protocols: &[], write: pagerduty::write },
    Channel { name: "slack", protocols: &[], write: slack::write },
    Channel { name: "sms", protocols: &["sms"], write: sms::write },
];

/// What a channel says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Which channel.
    pub channel: &'static str,
    /// The protocols of SNS that are sent it.
    pub protocols: &'static [&'static str],
    /// The text, or JSON as text.
    pub text: String,
}

/// What every channel says about a notice.
#[must_use]
pub fn forms(story: &Story, notice: &Notice) -> Vec<Form> {
    let form = |c: &Channel| {
        let text = (c.write)(story, notice)?;
        Some(Form { channel: c.name, protocols: c.protocols, text })
    };
    CHANNELS.iter().filter_map(form).collect()
}

/// At most `longest` characters; what was cut is marked.
fn bounded(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// As text; an object of strings cannot fail to be written.
fn written(value: &Value) -> Option<String> {
    serde_json::to_string(value).ok()
}
