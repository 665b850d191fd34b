//! The interfaces of instances, those that AWS does not list under them included: branch interfaces of pods with their
//! own groups hang on an instance's trunk interface and are found by the tag that the VPC resource controller sets.
//!
//! Guarantees: managed ones are asked for, since `Describe` calls may hide them otherwise. Only interfaces of AWS's own
//! type `branch` are taken from the tag: anybody can set a tag, and nobody can make an interface be a branch.
//! Source: amazon-vpc-resource-controller-k8s, pkg/aws/ec2/api/helper.go.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, NetworkInterface, NetworkInterfaceType};
use futures::future::try_join_all;
use picket_model::{InstanceId, Interface, InterfaceId, Scope};
use picket_pipeline::ports::Answer;

use crate::error::port_error;
use crate::{Clients, instances};

/// EC2 takes at most 200 values in a filter.
const PER_FILTER: usize = 200;
/// Which trunk interface a branch interface hangs on.
const TRUNK_TAG: &str = "tag:vpcresources.k8s.aws/trunk-eni-id";

/// The interfaces of `of`, branches included: one call for each 200 instances, and one more where there are trunks.
pub(crate) async fn of_instances(clients: &Clients, scope: &Scope, of: &[InstanceId]) -> Answer<Vec<Interface>> {
    let ids: Vec<String> = of.iter().map(ToString::to_string).collect();
    let attached = described(clients, scope, "attachment.instance-id", &ids).await?;
    let trunks = trunks(&attached);
    let mut found: Vec<Interface> = attached.iter().filter_map(instances::interface).collect();
    if !trunks.is_empty() {
        let ids: Vec<String> = trunks.keys().cloned().collect();
        let hanging = described(clients, scope, TRUNK_TAG, &ids).await?;
        found.extend(hanging.iter().filter_map(|i| branch(i, &trunks)));
    }
    Ok(found)
}

/// `DescribeNetworkInterfaces` with one filter; `ec2:DescribeNetworkInterfaces`.
pub(crate) async fn described(
    clients: &Clients,
    scope: &Scope,
    filter: &str,
    values: &[String],
) -> Answer<Vec<NetworkInterface>> {
    let part = |part: Vec<String>| async move {
        let filter = Filter::builder().name(filter).set_values(Some(part)).build();
        let call = clients.ec2(&scope.region).describe_network_interfaces().include_managed_resources(true);
        let mut pages = call.filters(filter).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|e| port_error("reading the interfaces of", format!("{} things", values.len()), &e))?;
            found.extend(page.network_interfaces.unwrap_or_default());
        }
        Ok(found)
    };
    Ok(try_join_all(values.chunks(PER_FILTER).map(|p| part(p.to_vec()))).await?.concat())
}

/// Trunk interfaces and the instance of each.
fn trunks(attached: &[NetworkInterface]) -> BTreeMap<String, InstanceId> {
    let trunks = attached.iter().filter(|i| i.interface_type() == Some(&NetworkInterfaceType::Trunk));
    let of = |i: &NetworkInterface| {
        let instance = InstanceId::parse(i.attachment()?.instance_id()?).ok()?;
        Some((i.network_interface_id()?.to_owned(), instance))
    };
    trunks.filter_map(of).collect()
}

/// A branch interface as one of the instance that its trunk is attached to.
fn branch(from: &NetworkInterface, trunks: &BTreeMap<String, InstanceId>) -> Option<Interface> {
    if from.interface_type().map(NetworkInterfaceType::as_str) != Some("branch") {
        return None;
    }
    let key = TRUNK_TAG.trim_start_matches("tag:");
    let trunk = from.tag_set().iter().find(|t| t.key() == Some(key)).and_then(|t| t.value())?;
    let trunk = InterfaceId::parse(trunk).ok()?;
    Some(Interface { instance: Some(trunks.get(trunk.as_str())?.clone()), ..instances::interface(from)? })
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{GroupIdentifier, NetworkInterfaceAttachment, Tag};

    use super::*;

    const TRUNK: &str = "eni-00000001";

    fn interface(id: &str, kind: &str, trunk: Option<&str>) -> NetworkInterface {
        let tag = |t: &str| Tag::builder().key("vpcresources.k8s.aws/trunk-eni-id").value(t).build();
        NetworkInterface::builder()
            .network_interface_id(id)
            .vpc_id("vpc-00000001")
            .interface_type(NetworkInterfaceType::from(kind))
            .groups(GroupIdentifier::builder().group_id("sg-00000001").build())
            .set_tag_set(trunk.map(|t| vec![tag(t)]))
            .build()
    }

    fn trunk() -> NetworkInterface {
        let mut trunk = interface(TRUNK, "trunk", None);
        trunk.attachment = Some(NetworkInterfaceAttachment::builder().instance_id("i-00000001").build());
        trunk
    }

    #[test]
    fn a_branch_belongs_to_the_instance_of_its_trunk() {
        let trunks = trunks(&[trunk(), interface("eni-00000002", "interface", None)]);
        let found = branch(&interface("eni-00000003", "branch", Some(TRUNK)), &trunks).unwrap();
        assert_eq!(found.instance, InstanceId::parse("i-00000001").ok());
    }

    #[test]
    fn a_tag_alone_makes_no_branch() {
        let trunks = trunks(&[trunk()]);
        assert_eq!(branch(&interface("eni-00000003", "interface", Some(TRUNK)), &trunks), None);
        assert_eq!(branch(&interface("eni-00000003", "branch", Some("eni-0000000f")), &trunks), None);
        assert_eq!(branch(&interface("eni-00000003", "branch", None), &trunks), None);
    }
}
