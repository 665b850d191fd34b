//! GuardDuty findings, single and attack sequences. What a type means for a verdict is for the checks to say.

use picket_model::{Decoded, Drop, GroupId, Hint, Signal, Trigger, TriggerKind, Untrusted};
use serde_json::Value;

use super::fields::Fields;
use super::malformed::Malformed;
use super::message::{Message, found};
use super::place::{Place, last_name, most_telling, subject};

/// `GuardDuty Finding`. It returns every few hours as an update with the same id.
pub(super) fn finding(message: &Message<'_>, kind: TriggerKind) -> Result<Decoded, Malformed> {
    let detail = &message.detail;
    if is_sample(&detail.within("service.additionalInfo")) {
        return Ok(Decoded::Drop(Drop::SampleFinding));
    }
    if detail.flag("service.archived") == Some(true) {
        return Ok(Decoded::Drop(Drop::ArchivedFinding));
    }
    let finding = Untrusted::new(detail.need_text("type", "the type of the finding")?);
    let severity_tenths = severity_tenths(detail)?;
    let Some(subject) = subject(most_telling(places(detail)?)) else {
        return Ok(Decoded::Drop(Drop::NoAssetInFinding));
    };
    found(Trigger {
        kind,
        scope: message.scope("accountId", "region")?,
        at: message.time("updatedAt")?,
        event: message.id("id"),
        subject,
        principal: None,
        signal: Some(Signal::Finding { finding, severity_tenths }),
        hint: Hint { groups: groups(detail), ..Hint::default() },
    })
}

/// Whether GuardDuty made the finding up to show what one looks like. It says so in a field of its own, inside a text
/// of JSON, or both.
pub(super) fn is_sample(additional: &Fields<'_>) -> bool {
    additional.flag("sample") == Some(true) || additional.text("value").is_some_and(says_sample)
}

/// Whether a text of JSON says `"sample": true`, even when it was cut off behind that.
pub(super) fn says_sample(json: &str) -> bool {
    match serde_json::from_str::<Value>(json) {
        Ok(value) => Fields::new("", "", &value).flag("sample") == Some(true),
        Err(_) => json.split_whitespace().collect::<String>().contains("\"sample\":true"),
    }
}

fn severity_tenths(detail: &Fields<'_>) -> Result<u16, Malformed> {
    const EXPECTED: &str = "a severity from 0 to 10";
    let Some(value) = detail.get("severity") else { return Err(detail.missing("severity", EXPECTED)) };
    let severity = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    match severity.filter(|s| (0.0..=10.0).contains(s)) {
        Some(severity) => Ok(tenths(severity)),
        None => Err(detail.wrong("severity", EXPECTED)),
    }
}

/// Floating point ends here: 8.0 becomes 80.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the caller checked that it is from 0 to 10"
)]
fn tenths(severity: f64) -> u16 {
    (severity * 10.0).round() as u16
}

/// What the finding names, of what we watch.
fn places(detail: &Fields<'_>) -> Result<Vec<Place>, Malformed> {
    let resource = detail.within("resource");
    let mut places = Vec::new();
    if resource.has("instanceDetails.instanceId") {
        places.push(Place::Instance(resource.need_id("instanceDetails.instanceId")?));
    }
    places.extend(resource.untrusted("eksClusterDetails.name").map(Place::Cluster));
    for part in detail.list("service.detection.sequence.resources") {
        places.extend(place_in_sequence(&part)?);
    }
    Ok(places)
}

/// One resource of an attack sequence.
fn place_in_sequence(part: &Fields<'_>) -> Result<Option<Place>, Malformed> {
    let is = |kind: &str, data: &str| part.text("resourceType") == Some(kind) || part.get(data).is_some();
    let names = ["uid", "name"].into_iter().filter_map(|path| part.text(path)).map(last_name);
    let name = || part.text("name").or(part.text("uid")).map(last_name).map(Untrusted::new);
    if is("EC2_INSTANCE", "data.ec2Instance") {
        let id = names.filter_map(|name| name.parse().ok()).next();
        return match id {
            Some(id) => Ok(Some(Place::Instance(id))),
            None => part.need_id("uid").map(|id| Some(Place::Instance(id))),
        };
    }
    if is("EKS_CLUSTER", "data.eksCluster") {
        return Ok(name().map(Place::Cluster));
    }
    if is("AUTOSCALING_AUTO_SCALING_GROUP", "data.autoscalingAutoScalingGroup") {
        return Ok(name().map(Place::AutoScalingGroup));
    }
    if is("EC2_LAUNCH_TEMPLATE", "data.ec2LaunchTemplate") {
        let id = names.into_iter().find(|name| name.starts_with("lt-"));
        return Ok(id.map(Untrusted::new).map(Place::LaunchTemplate));
    }
    Ok(None)
}

fn groups(detail: &Fields<'_>) -> Vec<GroupId> {
    let mut groups = Vec::new();
    for interface in detail.list("resource.instanceDetails.networkInterfaces") {
        for group in interface.list("securityGroups").iter().filter_map(|g| g.id("groupId")) {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
    }
    groups
}
