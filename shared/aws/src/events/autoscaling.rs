//! Auto Scaling: calls that make or resize a group, and the launches that it reports.

use picket_model::{Decoded, Hint, Subject, TriggerKind, Untrusted};

use super::MOST_INSTANCES;
use super::cloudtrail::{Look, Record};
use super::fields::Fields;
use super::malformed::Malformed;
use super::message::{Message, found};

/// `CreateAutoScalingGroup`, `SetDesiredCapacity`, `UpdateAutoScalingGroup`.
pub(super) fn group(record: &Record<'_>) -> Result<Look, Malformed> {
    let name = record.request().need_text("autoScalingGroupName", "the name of the Auto Scaling group")?;
    Ok(Look::At(Subject::AutoScalingGroup(Untrusted::new(name)), Hint::default()))
}

/// `AttachInstances`: machines that were there before become members.
pub(super) fn attach(record: &Record<'_>) -> Result<Look, Malformed> {
    let named = record.request().list("instanceIds");
    let ids = named.iter().take(MOST_INSTANCES).map(Fields::need_id_itself).collect::<Result<Vec<_>, _>>()?;
    if ids.is_empty() { group(record) } else { Ok(Look::At(Subject::Instances(ids), Hint::default())) }
}

/// `EC2 Instance Launch Successful`.
pub(super) fn launched(message: &Message<'_>, kind: TriggerKind) -> Result<Decoded, Malformed> {
    let id = message.detail.need_id("EC2InstanceId")?;
    found(message.trigger(kind, Subject::Instances(vec![id]))?)
}
