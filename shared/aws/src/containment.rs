//! The changes of security groups behind the pipeline's `Containment`. Each asks for a permit; none can be reached
//! without one. Quarantine groups carry the tag `picket:quarantine` with the stack's name, which is what the role of
//! respond is confined to.

use async_trait::async_trait;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::create_security_group::builders::CreateSecurityGroupFluentBuilder;
use aws_sdk_ec2::types::{
    Filter, IpPermission, IpRange, Ipv6Range, ResourceType, SecurityGroup, Tag, TagSpecification,
};
use picket_model::{GroupId, Interface, InterfaceId, Scope, VpcId};
use picket_pipeline::Permit;
use picket_pipeline::pace::{Lane, Rank};
use picket_pipeline::ports::{Answer, Containment, GroupState, Kind, PortError, Rehearsal};

use crate::error::port_error;
use crate::{Clients, instances, interfaces};

/// The tag key that marks a quarantine group.
pub const MARK: &str = "picket:quarantine";
/// The tag key that marks a group of the open window. Another one, so that what may be opened is never what must be shut.
pub const OPEN: &str = "picket:open";
/// Mark, name and description of a quarantine group.
const QUARANTINE_GROUP: (&str, &str, &str) =
    (MARK, "quarantine", "Picket quarantine: no rules, on purpose. Rules added here are removed.");
/// The same of a group of the open window.
const OPEN_GROUP: (&str, &str, &str) = (OPEN, "open", "Picket: open to everything for a moment, then removed.");

/// Changes groups for one deployment.
#[derive(Debug)]
pub struct SecurityGroups<'a> {
    clients: &'a Clients,
    stack: String,
}

impl<'a> SecurityGroups<'a> {
    /// For the deployment named `stack`.
    #[must_use]
    pub fn new(clients: &'a Clients, stack: &str) -> Self {
        Self { clients, stack: stack.to_owned() }
    }

    /// The call that makes a group with a mark of this deployment.
    fn creating(
        &self,
        scope: &Scope,
        vpc: &VpcId,
        (mark, name, says): (&str, &str, &str),
    ) -> CreateSecurityGroupFluentBuilder {
        // Names are unique in a VPC, and anybody may have taken ours: the name means nothing, the recorded id does.
        let nonce = jiff::Timestamp::now().as_microsecond();
        let tag = |key: &str, value: String| Tag::builder().key(key).value(value).build();
        let tags = TagSpecification::builder().resource_type(ResourceType::SecurityGroup);
        let tags = tags.tags(tag(mark, self.stack.clone())).tags(tag("Name", format!("{} {name}", self.stack))).build();
        let call = self.clients.ec2(&scope.region).create_security_group();
        call.group_name(format!("{}-{name}-{nonce}", self.stack))
            .description(says)
            .vpc_id(vpc.as_str())
            .tag_specifications(tags)
    }

    async fn read(&self, scope: &Scope, group: &GroupId) -> Answer<SecurityGroup> {
        let doing = "reading the quarantine group";
        let answer = self.clients.ec2(&scope.region).describe_security_groups().group_ids(group.as_str()).send().await;
        let answer = answer.map_err(|e| port_error(doing, group, &e))?;
        let first = answer.security_groups.unwrap_or_default().into_iter().next();
        first.ok_or_else(|| PortError::new(doing, group, Kind::NotFound, "it is not there"))
    }
}

#[async_trait]
impl Containment for SecurityGroups<'_> {
    async fn marked_groups(&self, scope: &Scope, vpc: &VpcId) -> Answer<Vec<GroupState>> {
        let of = |name: String, value: &str| Filter::builder().name(name).values(value).build();
        let call = self.clients.ec2(&scope.region).describe_security_groups();
        let call = call.filters(of("vpc-id".to_owned(), vpc.as_str())).filters(of(format!("tag:{MARK}"), &self.stack));
        let answer = call.send().await.map_err(|e| port_error("reading the quarantine group of", vpc, &e))?;
        let state = |g: &SecurityGroup| {
            Some(GroupState {
                id: GroupId::parse(g.group_id()?).ok()?,
                vpc: vpc.clone(),
                rules: instances::count_rules(g),
            })
        };
        Ok(answer.security_groups().iter().filter_map(state).collect())
    }

    async fn create_group(&self, permit: &Permit, scope: &Scope, vpc: &VpcId) -> Answer<GroupId> {
        tracing::info!(%permit, %vpc, "making a quarantine group");
        let doing = "making the quarantine group of";
        self.clients.paced(&scope.region, Lane::Changes, Rank::Contain).await;
        let made = self.creating(scope, vpc, QUARANTINE_GROUP).send().await.map_err(|e| port_error(doing, vpc, &e))?;
        let id = made.group_id().unwrap_or_default();
        GroupId::parse(id).map_err(|e| PortError::new(doing, vpc, Kind::Other, &e.to_string()))
    }

    async fn open_group(&self, permit: &Permit, scope: &Scope, vpc: &VpcId) -> Answer<GroupId> {
        tracing::warn!(%permit, %vpc, "making a group that is open to everything, for a moment");
        let doing = "making an open group in";
        self.clients.paced(&scope.region, Lane::Changes, Rank::Contain).await;
        let made = self.creating(scope, vpc, OPEN_GROUP).send().await.map_err(|e| port_error(doing, vpc, &e))?;
        let id = GroupId::parse(made.group_id().unwrap_or_default())
            .map_err(|e| PortError::new(doing, vpc, Kind::Other, &e.to_string()))?;
        let client = self.clients.ec2(&scope.region);
        let all = IpPermission::builder()
            .ip_protocol("-1")
            .ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build())
            .ipv6_ranges(Ipv6Range::builder().cidr_ipv6("::/0").build())
            .build();
        let call = client.authorize_security_group_ingress().group_id(id.as_str()).ip_permissions(all);
        call.send().await.map_err(|e| port_error("opening", &id, &e))?;
        // AWS lets everything out by IPv4 already, and by IPv6 where the VPC has it.
        let six = Ipv6Range::builder().cidr_ipv6("::/0").build();
        let six = IpPermission::builder().ip_protocol("-1").ipv6_ranges(six).build();
        let call = client.authorize_security_group_egress().group_id(id.as_str()).ip_permissions(six);
        match call.send().await.map_err(|e| port_error("opening", &id, &e)) {
            Err(error) if !error.why.as_str().starts_with("InvalidPermission.Duplicate") => Err(error),
            _ => Ok(id),
        }
    }

    async fn open_groups(&self, scope: &Scope, vpc: &VpcId) -> Answer<Vec<GroupId>> {
        let of = |name: String, value: &str| Filter::builder().name(name).values(value).build();
        let call = self.clients.ec2(&scope.region).describe_security_groups();
        let call = call.filters(of("vpc-id".to_owned(), vpc.as_str())).filters(of(format!("tag:{OPEN}"), &self.stack));
        let answer = call.send().await.map_err(|e| port_error("looking for open groups in", vpc, &e))?;
        Ok(answer.security_groups().iter().filter_map(|g| GroupId::parse(g.group_id()?).ok()).collect())
    }

    async fn remove_group(&self, permit: &Permit, scope: &Scope, group: &GroupId) -> Answer<()> {
        tracing::info!(%permit, %group, "removing an open group");
        let sent = self.clients.ec2(&scope.region).delete_security_group().group_id(group.as_str()).send().await;
        gone_is_done(sent.map_err(|e| port_error("removing the open group", group, &e)))
    }

    async fn empty_group(&self, permit: &Permit, scope: &Scope, group: &GroupId) -> Answer<()> {
        let found = self.read(scope, group).await?;
        tracing::info!(%permit, %group, rules = instances::count_rules(&found), "emptying the quarantine group");
        self.clients.paced(&scope.region, Lane::Changes, Rank::Contain).await;
        let client = self.clients.ec2(&scope.region);
        let egress: Vec<IpPermission> = found.ip_permissions_egress().to_vec();
        if !egress.is_empty() {
            let call = client.revoke_security_group_egress().group_id(group.as_str()).set_ip_permissions(Some(egress));
            gone_is_done(call.send().await.map_err(|e| port_error("removing egress rules of", group, &e)))?;
        }
        let ingress: Vec<IpPermission> = found.ip_permissions().to_vec();
        if !ingress.is_empty() {
            let call =
                client.revoke_security_group_ingress().group_id(group.as_str()).set_ip_permissions(Some(ingress));
            gone_is_done(call.send().await.map_err(|e| port_error("removing ingress rules of", group, &e)))?;
        }
        Ok(())
    }

    async fn set_groups(
        &self,
        permit: &Permit,
        scope: &Scope,
        interface: &InterfaceId,
        groups: &[GroupId],
    ) -> Answer<()> {
        tracing::info!(%permit, %interface, ?groups, "setting the groups of an interface");
        self.clients.paced(&scope.region, Lane::Interfaces, Rank::Contain).await;
        let call = self.clients.ec2(&scope.region).modify_network_interface_attribute();
        let call = call
            .network_interface_id(interface.as_str())
            .set_groups(Some(groups.iter().map(ToString::to_string).collect()));
        call.send().await.map(drop).map_err(|e| port_error("setting the groups of", interface, &e))
    }
}

/// Interfaces in groups with the mark of an open group, whichever deployment made it: none may stay in one.
pub(crate) async fn in_open_groups(clients: &Clients, scope: &Scope) -> Answer<Vec<Interface>> {
    let marked = Filter::builder().name("tag-key").values(OPEN).build();
    let pages = clients.ec2(&scope.region).describe_security_groups().filters(marked).into_paginator().items().send();
    let found =
        pages.collect::<Result<Vec<_>, _>>().await.map_err(|e| port_error("reading the open groups of", scope, &e))?;
    let ids: Vec<String> = found.iter().filter_map(|g| g.group_id()).map(ToOwned::to_owned).collect();
    let inside = interfaces::described(clients, scope, "group-id", &ids).await?;
    Ok(inside.iter().filter_map(instances::interface).collect())
}

#[async_trait]
impl Rehearsal for SecurityGroups<'_> {
    async fn create_group(&self, scope: &Scope, vpc: &VpcId) -> Answer<()> {
        let answer = self.creating(scope, vpc, QUARANTINE_GROUP).dry_run(true).send().await;
        rehearsed(answer, "asking whether a group may be made in", vpc)
    }

    async fn set_groups(&self, scope: &Scope, interface: &InterfaceId, groups: &[GroupId]) -> Answer<()> {
        let call = self.clients.ec2(&scope.region).modify_network_interface_attribute();
        let call = call.network_interface_id(interface.as_str()).dry_run(true);
        let answer = call.set_groups(Some(groups.iter().map(ToString::to_string).collect())).send().await;
        rehearsed(answer, "asking whether we may set the groups of", interface)
    }
}

/// EC2 answers a dry run with an error in any case; this one means yes.
fn rehearsed<T, E, R>(
    answer: Result<T, SdkError<E, R>>,
    doing: &'static str,
    what: impl std::fmt::Display,
) -> Answer<()>
where
    E: ProvideErrorMetadata,
{
    match answer {
        Err(SdkError::ServiceError(error)) if error.err().code() == Some("DryRunOperation") => Ok(()),
        Err(error) => Err(port_error(doing, what, &error)),
        Ok(_) => Err(PortError::new(doing, what, Kind::Other, "it was answered as if it were no dry run")),
    }
}

/// A rule that is gone already is as removed as one can be.
fn gone_is_done<T>(answer: Answer<T>) -> Answer<()> {
    match answer {
        Err(error) if error.kind != Kind::NotFound => Err(error),
        _ => Ok(()),
    }
}
