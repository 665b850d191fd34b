//! The wire shapes of AWS events, translated into `picket_model::Trigger`.
//! Here: what wakes us (`NOTIFICATIONS`; the API calls are in `cloudtrail::CALLS`) and what drops an event early.
//! An event is a hint, so nothing here asks AWS whether it is true; that is for the stages that read live state.

mod agents;
mod autoscaling;
mod cloudtrail;
pub mod corpus;
mod ec2;
mod ec2_instance;
mod ec2_join;
mod eks;
mod elb;
mod fields;
mod file;
mod glance;
mod guardduty;
mod iam;
mod malformed;
mod message;
mod notification;
mod place;
mod principal;
mod securityhub;
#[cfg(test)]
mod tests;
pub mod touched;
pub mod watch;

use picket_model::{Decoded, Drop, TriggerKind};
use serde_json::Value;

pub use cloudtrail::calls;
pub use file::decode_all;
pub use malformed::Malformed;

use fields::Fields;
use message::Message;

/// The `detail-type` of every API call.
const API_CALL: &str = "AWS API Call via CloudTrail";

/// At most so many instances go into one trigger.
const MOST_INSTANCES: usize = 1_000;

/// One kind of event, besides API calls, that wakes us.
struct Notification {
    detail_type: &'static str,
    /// Who may send it; only `aws.*` is reserved to AWS, and only on the default bus.
    sources: &'static [&'static str],
    kind: TriggerKind,
    read: fn(&Message<'_>, TriggerKind) -> Result<Decoded, Malformed>,
}

/// All of them, in alphabetical order of `detail_type`. To add one: a line here, and a function that reads it.
#[rustfmt::skip]
const NOTIFICATIONS: &[Notification] = &[
    Notification { detail_type: "EC2 Instance Launch Successful", sources: &["aws.autoscaling"], kind: TriggerKind::AutoScalingLaunch, read: autoscaling::launched },
    Notification { detail_type: "EC2 Instance State-change Notification", sources: &["aws.ec2"], kind: TriggerKind::InstanceState, read: notification::state_changed },
    Notification { detail_type: "GuardDuty Finding", sources: &["aws.guardduty"], kind: TriggerKind::GuardDuty, read: guardduty::finding },
    Notification { detail_type: "Picket Canary", sources: &["picket"], kind: TriggerKind::Canary, read: notification::canary },
    Notification { detail_type: "Picket Manual Trigger", sources: &["picket"], kind: TriggerKind::Manual, read: notification::asked },
    Notification { detail_type: "Picket Sweep", sources: &["picket"], kind: TriggerKind::Schedule, read: notification::asked },
    Notification { detail_type: "Scheduled Event", sources: &["aws.events", "aws.scheduler"], kind: TriggerKind::Schedule, read: notification::clock },
    Notification { detail_type: "Security Hub Findings - Custom Action", sources: &["aws.securityhub"], kind: TriggerKind::CustomAction, read: securityhub::action },
    Notification { detail_type: "Security Hub Findings - Imported", sources: &["aws.securityhub"], kind: TriggerKind::SecurityHub, read: securityhub::imported },
];

/// Decodes one event as EventBridge delivers it (the SQS message body), or a bare record: a CloudTrail record, a
/// GuardDuty finding. Never panics, whatever the text.
///
/// # Errors
/// Says which field of which kind of event is wrong and what was expected; made to be read on a dead-letter queue.
pub fn decode(body: &str) -> Result<Decoded, Malformed> {
    if glance::is_surely_not_watched(body) {
        return Ok(Decoded::Drop(Drop::NotWatched));
    }
    let value = serde_json::from_str(body).map_err(|error| Malformed::not_json(&error))?;
    decode_value(&value)
}

/// As `decode`, for what is parsed already.
fn decode_value(value: &Value) -> Result<Decoded, Malformed> {
    let has = |key: &str| fields::field(value, key).is_some();
    if has("detail-type") || has("detail") {
        delivered(value)
    } else if has("eventSource") && has("eventName") {
        cloudtrail::decode(&Message::bare(&cloudtrail::title(value), value))
    } else if (has("schemaVersion") || has("type")) && has("service") && has("resource") {
        guardduty::finding(&Message::bare("GuardDuty Finding", value), TriggerKind::GuardDuty)
    } else {
        Err(Malformed::NotAnEvent)
    }
}

/// An event in EventBridge's envelope.
fn delivered(value: &Value) -> Result<Decoded, Malformed> {
    let envelope = Fields::new("an event of EventBridge", "", value);
    let detail_type = envelope.need_text("detail-type", "what kind of event it is")?;
    let source = envelope.need_text("source", "the service that sent it, such as `aws.ec2`")?;
    let detail = envelope.need_object("detail")?;
    if detail_type == API_CALL {
        return cloudtrail::delivered(&Message::new(&cloudtrail::title(detail), value, detail), source);
    }
    match NOTIFICATIONS.iter().find(|n| n.detail_type == detail_type) {
        None => Ok(Decoded::Drop(Drop::NotWatched)),
        Some(known) if known.sources.contains(&source) => {
            (known.read)(&Message::new(detail_type, value, detail), known.kind)
        }
        Some(known) => Err(Malformed::forged(detail_type, source, &known.sources.join("` or `"))),
    }
}
