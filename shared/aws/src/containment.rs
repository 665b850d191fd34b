//! The changes of security groups behind the pipeline's `Containment`. Each asks for a permit; none can be reached
//! without one. Quarantine groups carry the tag `picket:quarantine` with the stack's name, which is what the role of
//! respond is confined to.

use async_trait::async_trait;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::create_security_group::builders::CreateSecurityGroupFluentBuilder;
use aws_sdk_ec2::types::{Filter, IpPermission, ResourceType, SecurityGroup, Tag, TagSpecification};
use picket_model::{GroupId, InterfaceId, Scope, VpcId};
use picket_pipeline::Permit;
use picket_pipeline::pace::{Lane, Rank};
use picket_pipeline::ports::{Answer, Containment, GroupState, Kind, PortError, Rehearsal};

use crate::error::port_error;
use crate::{Clients, instances};

/// The tag key that marks a quarantine group.
pub const MARK: &str = "picket:quarantine";

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

    fn creating(&self, scope: &Scope, vpc: &VpcId) -> CreateSecurityGroupFluentBuilder {
        // Names are unique in a VPC, and anybody may have taken ours: the name means nothing, the recorded id does.
        let nonce = jiff::Timestamp::now().as_microsecond();
        let mark = Tag::builder().key(MARK).value(&self.stack).build();
        let name = Tag::builder().key("Name").value(format!("{} quarantine", self.stack)).build();
        let tags = TagSpecification::builder().resource_type(ResourceType::SecurityGroup).tags(mark).tags(name).build();
        let call = self.clients.ec2(&scope.region).create_security_group();
        call.group_name(format!("{}-quarantine-{nonce}", self.stack))
            .description("Picket quarantine: no rules, on purpose. Rules added here are removed.")
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
        let doing = "making the quarantine group of";
        tracing::info!(%permit, %vpc, "making a quarantine group");
        self.clients.paced(&scope.region, Lane::Changes, Rank::Contain).await;
        let made = self.creating(scope, vpc).send().await.map_err(|e| port_error(doing, vpc, &e))?;
        let id = made.group_id().unwrap_or_default();
        GroupId::parse(id).map_err(|e| PortError::new(doing, vpc, Kind::Other, &e.to_string()))
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

#[async_trait]
impl Rehearsal for SecurityGroups<'_> {
    async fn create_group(&self, scope: &Scope, vpc: &VpcId) -> Answer<()> {
        let answer = self.creating(scope, vpc).dry_run(true).send().await;
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
