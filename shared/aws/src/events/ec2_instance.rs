//! Instances as the answer of `RunInstances` describes them: starting points for reads that AWS may not answer yet.
//! What cannot be read is left out; live reads replace all of it.

use jiff::Timestamp;
use picket_model::{GroupId, Hint, Instance, InstanceId, InstanceState, Interface, InterfaceKind, Untrusted, VpcId};

use super::MOST_INSTANCES;
use super::cloudtrail::Record;
use super::fields::Fields;

/// What a launch says about its instances.
pub(super) fn hint(record: &Record<'_>, items: &[Fields<'_>]) -> Hint {
    let mut hint = Hint::default();
    for item in items.iter().take(MOST_INSTANCES) {
        hint.instances.extend(instance(record, item));
        let own = groups_of(item);
        let of_interfaces = item.list("networkInterfaceSet").into_iter().flat_map(|i| groups_of(&i));
        for group in own.into_iter().chain(of_interfaces) {
            if !hint.groups.contains(&group) {
                hint.groups.push(group);
            }
        }
    }
    hint
}

/// The groups in the part's `groupSet`.
pub(super) fn groups_of(part: &Fields<'_>) -> Vec<GroupId> {
    part.list("groupSet").iter().filter_map(|group| group.id("groupId")).collect()
}

fn instance(record: &Record<'_>, item: &Fields<'_>) -> Option<Instance> {
    let id: InstanceId = item.id("instanceId")?;
    let vpc: Option<VpcId> = item.id("vpcId");
    let tags: std::collections::BTreeMap<_, _> = item
        .list("tagSet")
        .iter()
        .filter_map(|tag| Some((tag.untrusted("key")?, tag.untrusted("value").unwrap_or_default())))
        .collect();
    Some(Instance {
        scope: record.scope.clone(),
        reservation: record.reply().untrusted("reservationId").unwrap_or_default(),
        instance_type: item.untrusted("instanceType").unwrap_or_default(),
        image: item.untrusted("imageId").unwrap_or_default(),
        state: state(item.text("instanceState.name")),
        launched_at: launched_at(item).unwrap_or(record.at),
        interfaces: interfaces(item, &id, vpc.as_ref()),
        vpc,
        name: tags.get(&Untrusted::new("Name")).cloned().unwrap_or_default(),
        tags,
        metadata_v1: item.text("metadataOptions.httpTokens").map(|tokens| tokens != "required"),
        profile: item.untrusted("iamInstanceProfile.arn"),
        id,
    })
}

/// Milliseconds since 1970.
fn launched_at(item: &Fields<'_>) -> Option<Timestamp> {
    Timestamp::from_millisecond(item.whole("launchTime")?).ok()
}

/// A launch that has just been answered is pending unless it says otherwise.
fn state(name: Option<&str>) -> InstanceState {
    match name {
        Some("running") => InstanceState::Running,
        Some("shutting-down") => InstanceState::ShuttingDown,
        Some("stopped") => InstanceState::Stopped,
        Some("stopping") => InstanceState::Stopping,
        Some("terminated") => InstanceState::Terminated,
        _ => InstanceState::Pending,
    }
}

fn interfaces(item: &Fields<'_>, instance: &InstanceId, vpc: Option<&VpcId>) -> Vec<Interface> {
    let of_instance = ["publicIpAddress", "ipAddress"].iter().find_map(|path| item.untrusted(path));
    let read = |(n, part): (usize, Fields<'_>)| {
        Some(Interface {
            id: part.id("networkInterfaceId")?,
            instance: Some(instance.clone()),
            vpc: part.id("vpcId").or_else(|| vpc.cloned())?,
            groups: groups_of(&part),
            kind: kind(&part),
            public_ip: part.untrusted("association.publicIp").or_else(|| of_instance.clone().filter(|_| n == 0)),
        })
    };
    item.list("networkInterfaceSet").into_iter().enumerate().filter_map(read).collect()
}

fn kind(part: &Fields<'_>) -> InterfaceKind {
    if part.flag("operator.managed") == Some(true) {
        InterfaceKind::Operator(part.untrusted("operator.principal").unwrap_or_default())
    } else if part.flag("requesterManaged") == Some(true) {
        InterfaceKind::Requester(part.untrusted("requesterId").unwrap_or_default())
    } else {
        InterfaceKind::Own
    }
}
