//! EC2's answers as the model's instances, interfaces and rules. An answer without an id that we need is left out and
//! logged: AWS does not send such, and one odd row must not cost the rest.

use std::collections::BTreeMap;

use aws_sdk_ec2::types as ec2;
use jiff::Timestamp;
use picket_model::{
    GroupId, Instance, InstanceId, InstanceState, Interface, InterfaceId, InterfaceKind, Rule, Scope, Untrusted, VpcId,
};

/// An instance of a reservation.
pub fn instance(scope: &Scope, reservation: Option<&str>, from: &ec2::Instance) -> Option<Instance> {
    let id = InstanceId::parse(from.instance_id()?).ok()?;
    let tags = tags(from.tags());
    Some(Instance {
        scope: scope.clone(),
        reservation: text(reservation),
        instance_type: text(from.instance_type().map(ec2::InstanceType::as_str)),
        image: text(from.image_id()),
        state: state(from.state().and_then(ec2::InstanceState::name)),
        launched_at: time(from.launch_time()),
        vpc: from.vpc_id().and_then(|v| VpcId::parse(v).ok()),
        interfaces: from.network_interfaces().iter().filter_map(|i| attached(&id, i)).collect(),
        name: tags.get(&Untrusted::new("Name")).cloned().unwrap_or_default(),
        tags,
        metadata_v1: metadata_v1(from.metadata_options()),
        profile: from.iam_instance_profile().and_then(|p| p.arn()).map(Untrusted::new),
        id,
    })
}

/// Its id and state alone.
pub fn standing(from: &ec2::Instance) -> Option<(InstanceId, InstanceState)> {
    let id = InstanceId::parse(from.instance_id()?).ok()?;
    Some((id, state(from.state().and_then(ec2::InstanceState::name))))
}

fn attached(instance: &InstanceId, from: &ec2::InstanceNetworkInterface) -> Option<Interface> {
    let operator = from.operator().filter(|o| o.managed() == Some(true)).map(|o| text(o.principal()));
    Some(Interface {
        id: InterfaceId::parse(from.network_interface_id()?).ok()?,
        instance: Some(instance.clone()),
        vpc: VpcId::parse(from.vpc_id()?).ok()?,
        groups: groups(from.groups()),
        kind: operator.map_or(InterfaceKind::Own, InterfaceKind::Operator),
        public_ip: from.association().and_then(|a| a.public_ip()).map(Untrusted::new),
    })
}

/// An interface by itself.
pub fn interface(from: &ec2::NetworkInterface) -> Option<Interface> {
    let operator = from.operator().filter(|o| o.managed() == Some(true)).map(|o| text(o.principal()));
    let kind = match operator {
        Some(by) => InterfaceKind::Operator(by),
        None if from.requester_managed() == Some(true) => InterfaceKind::Requester(text(from.requester_id())),
        None => InterfaceKind::Own,
    };
    Some(Interface {
        id: InterfaceId::parse(from.network_interface_id()?).ok()?,
        instance: from.attachment().and_then(|a| a.instance_id()).and_then(|i| InstanceId::parse(i).ok()),
        vpc: VpcId::parse(from.vpc_id()?).ok()?,
        groups: groups(from.groups()),
        kind,
        public_ip: from.association().and_then(|a| a.public_ip()).map(Untrusted::new),
    })
}

/// The ingress rules of a group, one row a source.
pub fn rules(from: &ec2::SecurityGroup) -> Vec<Rule> {
    let Some(group) = from.group_id().and_then(|g| GroupId::parse(g).ok()) else { return Vec::new() };
    let mut rows = Vec::new();
    for permission in from.ip_permissions() {
        let v4 = permission.ip_ranges().iter().filter_map(|r| r.cidr_ip());
        let v6 = permission.ipv6_ranges().iter().filter_map(|r| r.cidr_ipv6());
        rows.extend(v4.chain(v6).map(|cidr| Rule {
            group: group.clone(),
            protocol: permission.ip_protocol().unwrap_or("-1").to_owned(),
            first: permission.from_port().and_then(|p| u16::try_from(p).ok()),
            last: permission.to_port().and_then(|p| u16::try_from(p).ok()),
            cidr: cidr.to_owned(),
        }));
    }
    rows
}

/// How many rules a group has, in both directions, whatever they name: addresses, prefix lists or groups.
pub fn count_rules(from: &ec2::SecurityGroup) -> usize {
    let count = |p: &ec2::IpPermission| {
        let named =
            p.ip_ranges().len() + p.ipv6_ranges().len() + p.prefix_list_ids().len() + p.user_id_group_pairs().len();
        named.max(1)
    };
    from.ip_permissions().iter().map(count).sum::<usize>()
        + from.ip_permissions_egress().iter().map(count).sum::<usize>()
}

fn groups(from: &[ec2::GroupIdentifier]) -> Vec<GroupId> {
    from.iter().filter_map(|g| g.group_id()).filter_map(|g| GroupId::parse(g).ok()).collect()
}

fn tags(from: &[ec2::Tag]) -> BTreeMap<Untrusted, Untrusted> {
    from.iter().map(|t| (text(t.key()), text(t.value()))).collect()
}

fn text(from: Option<&str>) -> Untrusted {
    Untrusted::new(from.unwrap_or_default())
}

fn time(from: Option<&aws_sdk_ec2::primitives::DateTime>) -> Timestamp {
    from.and_then(|t| Timestamp::from_second(t.secs()).ok()).unwrap_or_default()
}

fn metadata_v1(from: Option<&ec2::InstanceMetadataOptionsResponse>) -> Option<bool> {
    let options = from?;
    if options.http_endpoint() == Some(&ec2::InstanceMetadataEndpointState::Disabled) {
        return Some(false);
    }
    options.http_tokens().map(|t| *t == ec2::HttpTokensState::Optional)
}

fn state(from: Option<&ec2::InstanceStateName>) -> InstanceState {
    match from {
        Some(ec2::InstanceStateName::Pending) => InstanceState::Pending,
        Some(ec2::InstanceStateName::ShuttingDown) => InstanceState::ShuttingDown,
        Some(ec2::InstanceStateName::Stopped) => InstanceState::Stopped,
        Some(ec2::InstanceStateName::Stopping) => InstanceState::Stopping,
        Some(ec2::InstanceStateName::Terminated) => InstanceState::Terminated,
        // What is not known to be down is taken as up: that is the careful side for containment.
        _ => InstanceState::Running,
    }
}
