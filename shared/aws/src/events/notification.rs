//! Events that are no API calls and no findings: instance states, the clock, and people who ask Picket to look.

use picket_model::{Decoded, Drop, Subject, TriggerKind, Untrusted};

use super::MOST_INSTANCES;
use super::malformed::Malformed;
use super::message::{Message, found};

/// `EC2 Instance State-change Notification`. An instance on its way down has nothing to cut off.
pub(super) fn state_changed(message: &Message<'_>, kind: TriggerKind) -> Result<Decoded, Malformed> {
    let state = message.detail.need_text("state", "the state of an instance, such as `running`")?;
    if !matches!(state, "pending" | "running") {
        return Ok(Decoded::Drop(Drop::StateOfNoInterest));
    }
    let id = message.detail.need_id("instance-id")?;
    found(message.trigger(kind, Subject::Instances(vec![id]))?)
}

/// `Scheduled Event`: the clock says to look at everything.
pub(super) fn clock(message: &Message<'_>, kind: TriggerKind) -> Result<Decoded, Malformed> {
    found(message.trigger(kind, Subject::Everything)?)
}

/// `Picket Canary`: our own event, sent to see whether events arrive.
pub(super) fn canary(message: &Message<'_>, kind: TriggerKind) -> Result<Decoded, Malformed> {
    let name = message.detail.need_text("name", "the name of the canary")?;
    let digits = name.len() <= 20 && name.bytes().all(|b| b.is_ascii_digit());
    match digits {
        true => found(message.trigger(kind, Subject::Canary(Untrusted::new(name)))?),
        false => Err(message.detail.wrong("name", "a number")),
    }
}

/// `Picket Manual Trigger`, and `Picket Sweep`, which the sweep asks: `{"instances": [..]}`, `{"cluster": ".."}` or `{}` for everything, each with `by` if wanted.
/// Who asks to look is not who launched, so `by` goes into the event's name and not into the principal.
pub(super) fn asked(message: &Message<'_>, kind: TriggerKind) -> Result<Decoded, Malformed> {
    let detail = &message.detail;
    let subject = if detail.get("instances").is_some() {
        let ids = detail.list("instances").into_iter().take(MOST_INSTANCES).map(|id| id.need_id_itself());
        let ids: Vec<_> = ids.collect::<Result<_, _>>()?;
        if ids.is_empty() {
            return Err(detail.wrong("instances", "the ids of instances; leave the field out to look at everything"));
        }
        Subject::Instances(ids)
    } else if detail.get("cluster").is_some() {
        Subject::Cluster(Untrusted::new(detail.need_text("cluster", "the name of an EKS cluster")?))
    } else {
        Subject::Everything
    };
    let mut trigger = message.trigger(kind, subject)?;
    if let Some(by) = detail.text("by") {
        trigger.event = Untrusted::new(&format!("{} by {by}", trigger.event));
    }
    found(trigger)
}
