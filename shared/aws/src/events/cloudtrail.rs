//! API calls as CloudTrail records them: which of them wake us (`CALLS`), and what every record says.
//! What one call means is in the file of its service.

use jiff::Timestamp;
use picket_model::{Decoded, Drop, Hint, Scope, Subject, Trigger, TriggerKind};
use serde_json::Value;

use super::fields::{Fields, field};
use super::malformed::{Malformed, cut};
use super::message::{Message, found};
use super::principal::principal;
use super::{autoscaling, ec2, eks};

/// One API call that wakes us. The name alone would not do: ECS, Redshift and CloudHSM have a `CreateCluster` too.
pub(super) struct Call {
    pub source: &'static str,
    pub name: &'static str,
    kind: TriggerKind,
    read: fn(&Record<'_>) -> Result<Look, Malformed>,
}

/// All of them, in alphabetical order of source and name. To add one: a line here, and a function that reads it.
#[rustfmt::skip]
pub(super) const CALLS: &[Call] = &[
    Call { source: "autoscaling.amazonaws.com", name: "CreateAutoScalingGroup", kind: TriggerKind::ChangeAutoScalingGroup, read: autoscaling::group },
    Call { source: "autoscaling.amazonaws.com", name: "UpdateAutoScalingGroup", kind: TriggerKind::ChangeAutoScalingGroup, read: autoscaling::group },
    Call { source: "ec2.amazonaws.com", name: "AuthorizeSecurityGroupEgress", kind: TriggerKind::ChangeGroupRules, read: ec2::authorize },
    Call { source: "ec2.amazonaws.com", name: "AuthorizeSecurityGroupIngress", kind: TriggerKind::ChangeGroupRules, read: ec2::authorize },
    Call { source: "ec2.amazonaws.com", name: "CreateFleet", kind: TriggerKind::CreateFleet, read: ec2::create_fleet },
    Call { source: "ec2.amazonaws.com", name: "CreateLaunchTemplate", kind: TriggerKind::CreateLaunchTemplate, read: ec2::launch_template },
    Call { source: "ec2.amazonaws.com", name: "CreateLaunchTemplateVersion", kind: TriggerKind::CreateLaunchTemplate, read: ec2::launch_template },
    Call { source: "ec2.amazonaws.com", name: "ModifyInstanceAttribute", kind: TriggerKind::ModifyInstance, read: ec2::modify_instance },
    Call { source: "ec2.amazonaws.com", name: "ModifySecurityGroupRules", kind: TriggerKind::ChangeGroupRules, read: ec2::modify_rules },
    Call { source: "ec2.amazonaws.com", name: "RequestSpotFleet", kind: TriggerKind::CreateFleet, read: ec2::spot_fleet },
    Call { source: "ec2.amazonaws.com", name: "RequestSpotInstances", kind: TriggerKind::CreateFleet, read: ec2::spot_instances },
    Call { source: "ec2.amazonaws.com", name: "RunInstances", kind: TriggerKind::RunInstances, read: ec2::run_instances },
    Call { source: "ec2.amazonaws.com", name: "StartInstances", kind: TriggerKind::StartInstances, read: ec2::start_instances },
    Call { source: "eks.amazonaws.com", name: "AssociateAccessPolicy", kind: TriggerKind::GrantClusterAccess, read: eks::cluster },
    Call { source: "eks.amazonaws.com", name: "CreateAccessEntry", kind: TriggerKind::GrantClusterAccess, read: eks::cluster },
    Call { source: "eks.amazonaws.com", name: "CreateCluster", kind: TriggerKind::CreateCluster, read: eks::cluster },
    Call { source: "eks.amazonaws.com", name: "CreateFargateProfile", kind: TriggerKind::ChangeNodes, read: eks::cluster },
    Call { source: "eks.amazonaws.com", name: "CreateNodegroup", kind: TriggerKind::ChangeNodes, read: eks::cluster },
    Call { source: "eks.amazonaws.com", name: "UpdateClusterConfig", kind: TriggerKind::UpdateCluster, read: eks::cluster },
    Call { source: "eks.amazonaws.com", name: "UpdateNodegroupConfig", kind: TriggerKind::ChangeNodes, read: eks::cluster },
];

/// The call of that source and name, if it is watched.
pub(super) fn call(source: &str, name: &str) -> Option<&'static Call> {
    CALLS.iter().find(|call| call.source == source && call.name == name)
}

/// The names of all calls that wake us, each once.
pub fn calls() -> impl Iterator<Item = &'static str> {
    let names: std::collections::BTreeSet<&'static str> = CALLS.iter().map(|call| call.name).collect();
    names.into_iter()
}

/// What a call says to do.
pub(super) enum Look {
    /// To look there.
    At(Subject, Hint),
    /// Nothing.
    Nowhere(Drop),
}

/// The record of a call that succeeded.
pub(super) struct Record<'a> {
    /// All of it.
    pub fields: Fields<'a>,
    /// Where the call was made.
    pub scope: Scope,
    /// When.
    pub at: Timestamp,
}

impl<'a> Record<'a> {
    /// What was asked.
    pub(super) fn request(&self) -> Fields<'a> {
        self.fields.within("requestParameters")
    }

    /// What was answered. CloudTrail leaves out answers above 100 KB.
    pub(super) fn reply(&self) -> Fields<'a> {
        self.fields.within("responseElements")
    }
}

/// What errors call this record.
pub(super) fn title(record: &Value) -> String {
    let text = |key| field(record, key).and_then(Value::as_str);
    match (text("eventName"), text("eventSource")) {
        (Some(name), Some(source)) => format!("{} of {}", cut(name), cut(source)),
        _ => "a CloudTrail record".to_owned(),
    }
}

/// A record that EventBridge delivered from `source`.
pub(super) fn delivered(message: &Message<'_>, source: &str) -> Result<Decoded, Malformed> {
    let (service, call) = watched(message)?;
    let expected = format!("aws.{}", service.trim_end_matches(".amazonaws.com"));
    // Nobody but AWS can send as `aws.*` on the default bus, and nothing is done for calls that we do not watch.
    if !source.starts_with("aws.") || (call.is_some() && source != expected) {
        return Err(Malformed::forged(message.detail.event(), source, &cut(&expected)));
    }
    let Some(call) = call else { return Ok(Decoded::Drop(Drop::NotWatched)) };
    match (message.envelope.text("account"), message.detail.text("recipientAccountId")) {
        (Some(envelope), Some(record)) if envelope != record => {
            let (envelope, record) = (cut(envelope), cut(record));
            let why = format!("was delivered in account `{envelope}`, but its `recipientAccountId` is `{record}`");
            Err(Malformed::contradiction(message.detail.event(), why))
        }
        _ => read(message, call),
    }
}

/// A record as it stands in a log file.
pub(super) fn decode(message: &Message<'_>) -> Result<Decoded, Malformed> {
    match watched(message)?.1 {
        Some(call) => read(message, call),
        None => Ok(Decoded::Drop(Drop::NotWatched)),
    }
}

fn watched<'a>(message: &Message<'a>) -> Result<(&'a str, Option<&'static Call>), Malformed> {
    let source = message.detail.need_text("eventSource", "the service called, such as `ec2.amazonaws.com`")?;
    let name = message.detail.need_text("eventName", "the call, such as `RunInstances`")?;
    Ok((source, call(source, name)))
}

fn read(message: &Message<'_>, call: &Call) -> Result<Decoded, Malformed> {
    let record = &message.detail;
    let principal = principal(record)?;
    let failed = record.has("errorCode");
    // A launch that AWS refused is evidence; of other calls that failed nothing is left to look at.
    if failed && call.kind != TriggerKind::RunInstances {
        return Ok(Decoded::Drop(Drop::FailedCall));
    }
    if failed && principal.as_ref().is_some_and(|p| p.is_aws_service()) {
        return Ok(Decoded::Drop(Drop::ServiceProbe));
    }
    let scope = message.scope("recipientAccountId", "awsRegion")?;
    let record = Record { fields: record.clone(), scope, at: message.time("eventTime")? };
    let look = if failed { ec2::attempt(&record)? } else { (call.read)(&record)? };
    let (subject, hint) = match look {
        Look::At(subject, hint) => (subject, hint),
        Look::Nowhere(why) => return Ok(Decoded::Drop(why)),
    };
    let event = message.id("eventID");
    let Record { scope, at, .. } = record;
    found(Trigger { kind: call.kind, scope, at, event, subject, principal, signal: None, hint })
}
