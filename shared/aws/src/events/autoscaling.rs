//! Auto Scaling: calls that make or resize a group, and the launches that it reports.

use picket_model::{Decoded, Hint, Subject, TriggerKind, Untrusted};

use super::cloudtrail::{Look, Record};
use super::malformed::Malformed;
use super::message::{Message, found};

/// `CreateAutoScalingGroup`, `UpdateAutoScalingGroup`.
pub(super) fn group(record: &Record<'_>) -> Result<Look, Malformed> {
    let name = record.request().need_text("autoScalingGroupName", "the name of the Auto Scaling group")?;
    Ok(Look::At(Subject::AutoScalingGroup(Untrusted::new(name)), Hint::default()))
}

/// `EC2 Instance Launch Successful`.
pub(super) fn launched(message: &Message<'_>, kind: TriggerKind) -> Result<Decoded, Malformed> {
    let id = message.detail.need_id("EC2InstanceId")?;
    found(message.trigger(kind, Subject::Instances(vec![id]))?)
}
