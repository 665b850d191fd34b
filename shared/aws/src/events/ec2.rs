//! EC2 calls: where each says to look. Instances as `RunInstances` describes them are read in `ec2_instance`.

use picket_model::{Drop, GroupId, Hint, InstanceId, Subject, Untrusted};

use super::MOST_INSTANCES;
use super::cloudtrail::{Look, Record};
use super::ec2_instance::{groups_of, hint};
use super::fields::Fields;
use super::malformed::Malformed;

/// `RunInstances` that succeeded.
pub(super) fn run_instances(record: &Record<'_>) -> Result<Look, Malformed> {
    let items = record.reply().list("instancesSet");
    let ids = instance_ids(&items)?;
    if !ids.is_empty() {
        return Ok(Look::At(Subject::Instances(ids), hint(record, &items)));
    }
    // About 44 instances make an answer that CloudTrail leaves out for its size.
    let expected = "the client token of the launch, since `responseElements` lists no instances";
    let token = record.fields.need_text("requestParameters.clientToken", expected)?;
    Ok(Look::At(Subject::Launch(Untrusted::new(token)), Hint::default()))
}

/// `RunInstances` that AWS refused.
pub(super) fn attempt(record: &Record<'_>) -> Result<Look, Malformed> {
    let request = record.request();
    let error = Untrusted::new(record.fields.need_text("errorCode", "the code of the error")?);
    let instance_type = ["instanceType", "instanceType.value"].iter().find_map(|path| request.untrusted(path));
    let counts = request.list("instancesSet").into_iter().filter_map(|item| item.whole("maxCount"));
    let count = counts.fold(0u32, |sum, n| sum.saturating_add(u32::try_from(n).unwrap_or(0)));
    Ok(Look::At(Subject::Attempt { error, instance_type, count: count.max(1) }, Hint::default()))
}

/// `StartInstances`.
pub(super) fn start_instances(record: &Record<'_>) -> Result<Look, Malformed> {
    let (reply, request) = (record.reply().list("instancesSet"), record.request().list("instancesSet"));
    let ids = instance_ids(if reply.is_empty() { &request } else { &reply })?;
    match ids.is_empty() {
        false => at(Subject::Instances(ids)),
        true => Err(record.fields.missing("requestParameters.instancesSet", "the instances to start")),
    }
}

/// `CreateFleet`. A fleet of type `instant` lists its instances; AWS cannot be asked for them by the fleet's id.
pub(super) fn create_fleet(record: &Record<'_>) -> Result<Look, Malformed> {
    let reply = unwrapped(record.reply(), "CreateFleetResponse");
    let sets = [reply.list("fleetInstanceSet"), reply.list("instances")].concat();
    let ids: Vec<_> = sets.iter().flat_map(|set| set.list("instanceIds")).take(MOST_INSTANCES).collect();
    let ids = ids.iter().map(Fields::need_id_itself).collect::<Result<Vec<_>, _>>()?;
    match ids.is_empty() {
        false => at(Subject::Instances(ids)),
        true => at(Subject::Fleet(Untrusted::new(reply.need_text("fleetId", "the id of the fleet")?))),
    }
}

/// `RequestSpotFleet`.
pub(super) fn spot_fleet(record: &Record<'_>) -> Result<Look, Malformed> {
    let reply = unwrapped(record.reply(), "RequestSpotFleetResponse");
    let id = reply.need_text("spotFleetRequestId", "the id of the Spot fleet request")?;
    at(Subject::Fleet(Untrusted::new(id)))
}

/// `RequestSpotInstances`. Its instances come later, each with a state change of its own; so the first request's id is
/// enough to say that somebody asked.
pub(super) fn spot_instances(record: &Record<'_>) -> Result<Look, Malformed> {
    let reply = unwrapped(record.reply(), "RequestSpotInstancesResponse");
    let requests = reply.list("spotInstanceRequestSet");
    let ids = instance_ids(&requests)?;
    if !ids.is_empty() {
        return at(Subject::Instances(ids));
    }
    match requests.iter().find_map(|r| r.untrusted("spotInstanceRequestId")) {
        Some(id) => at(Subject::Fleet(id)),
        None => Err(reply.missing("spotInstanceRequestSet", "the ids of the Spot requests")),
    }
}

/// `CreateLaunchTemplate`, `CreateLaunchTemplateVersion`, `ModifyLaunchTemplate` (which version is the default).
pub(super) fn launch_template(record: &Record<'_>) -> Result<Look, Malformed> {
    let id = record.fields.need_text_of(
        &[
            "responseElements.CreateLaunchTemplateResponse.launchTemplate.launchTemplateId",
            "responseElements.CreateLaunchTemplateVersionResponse.launchTemplateVersion.launchTemplateId",
            "responseElements.ModifyLaunchTemplateResponse.launchTemplate.launchTemplateId",
            "responseElements.launchTemplate.launchTemplateId",
            "responseElements.launchTemplateVersion.launchTemplateId",
            "requestParameters.CreateLaunchTemplateVersionRequest.LaunchTemplateId",
            "requestParameters.ModifyLaunchTemplateRequest.LaunchTemplateId",
            "requestParameters.launchTemplateId",
        ],
        "the id of the launch template",
    )?;
    at(Subject::LaunchTemplate(Untrusted::new(id)))
}

/// `ModifyInstanceAttribute`: what a rogue instance is protected, changed or freed with.
pub(super) fn modify_instance(record: &Record<'_>) -> Result<Look, Malformed> {
    let request = record.request();
    let named = request.text("attribute");
    let concerns = |attribute: &str| named == Some(attribute) || request.get(attribute).is_some();
    // Terraform turns protection off before each destroy. A redacted value is no answer, so it is looked at.
    let protects = |attribute: &str| {
        let value = format!("{attribute}.value");
        let on = request.flag(attribute).or_else(|| request.flag(&value)).or_else(|| request.flag("value"));
        concerns(attribute) && on != Some(false)
    };
    let matters = ["groupSet", "instanceType", "userData"].into_iter().any(concerns)
        || ["disableApiStop", "disableApiTermination"].into_iter().any(protects);
    if !matters {
        return Ok(Look::Nowhere(Drop::AttributeOfNoInterest));
    }
    let id: InstanceId = record.fields.need_id("requestParameters.instanceId")?;
    Ok(Look::At(Subject::Instances(vec![id]), Hint { groups: groups_of(&request), ..Hint::default() }))
}

/// `AuthorizeSecurityGroupIngress`, `AuthorizeSecurityGroupEgress`.
pub(super) fn authorize(record: &Record<'_>) -> Result<Look, Malformed> {
    let request = record.request();
    if request.has("groupId") {
        return rules_of(request.need_id("groupId")?);
    }
    match record.reply().list("securityGroupRuleSet").first() {
        Some(rule) => rules_of(rule.need_id("groupId")?),
        None if request.has("groupName") => {
            let why =
                "names the group, not its id, and group names are not unique; expected `requestParameters.groupId`";
            Err(Malformed::contradiction(record.fields.event(), why))
        }
        None => rules_of(request.need_id("groupId")?),
    }
}

/// `ModifySecurityGroupRules`.
pub(super) fn modify_rules(record: &Record<'_>) -> Result<Look, Malformed> {
    rules_of(unwrapped(record.request(), "ModifySecurityGroupRulesRequest").need_id("groupId")?)
}

fn rules_of(group: GroupId) -> Result<Look, Malformed> {
    Ok(Look::At(Subject::Group(group.clone()), Hint { groups: vec![group], ..Hint::default() }))
}

pub(super) fn at(subject: Subject) -> Result<Look, Malformed> {
    Ok(Look::At(subject, Hint::default()))
}

/// EC2's newer calls stand in an element of their own name, its older ones do not.
pub(super) fn unwrapped<'a>(part: Fields<'a>, element: &str) -> Fields<'a> {
    if part.get(element).is_some() { part.within(element) } else { part }
}

/// The ids in `items`, each once. An item without one is left to live reads; one that is none is a fault.
fn instance_ids(items: &[Fields<'_>]) -> Result<Vec<InstanceId>, Malformed> {
    let mut ids = Vec::new();
    for item in items.iter().filter(|item| item.has("instanceId")).take(MOST_INSTANCES) {
        let id = item.need_id("instanceId")?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}
