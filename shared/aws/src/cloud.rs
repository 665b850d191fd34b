//! The reads of AWS behind the pipeline's `Cloud`.

use async_trait::async_trait;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_sdk_ec2::types::{Filter, InstanceAttributeName, SecurityGroup};
use picket_model::{
    Cluster, Decoded, GroupId, Instance, InstanceId, InstanceState, Interface, Principal, Rule, Scope, Untrusted, VpcId,
};
use picket_pipeline::ports::{Answer, Cloud, Kind, PortError, Which};

use crate::containment::OPEN;
use crate::error::port_error;
use crate::{Clients, containment, events, instances, interfaces};

/// EC2 takes at most 200 values in a filter.
const PER_FILTER: usize = 200;
/// How many instances a page of a whole Region holds.
const PER_PAGE: i32 = 500;

fn filter(name: &str, values: impl IntoIterator<Item = String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().collect())).build()
}

/// The filters that `which` comes to; more than one are asked one after the other. Filters, unlike id lists, leave out
/// what is not visible instead of failing for all.
fn filters(which: &Which) -> Vec<Filter> {
    let one = |name: &str, value: &Untrusted| vec![filter(name, [value.to_string()])];
    match which {
        Which::Ids(ids) => {
            ids.chunks(PER_FILTER).map(|part| filter("instance-id", part.iter().map(ToString::to_string))).collect()
        }
        Which::Reservation(id) => one("reservation-id", id),
        Which::ClientToken(token) => one("client-token", token),
        Which::Group(group) => vec![filter("instance.group-id", [group.to_string()])],
        Which::AutoScalingGroup(name) => one("tag:aws:autoscaling:groupName", name),
        Which::LaunchTemplate(id) => one("tag:aws:ec2launchtemplate:id", id),
        Which::Fleet(id) if id.as_str().starts_with("sfr-") => one("tag:aws:ec2spot:fleet-request-id", id),
        Which::Fleet(id) if id.as_str().starts_with("sir-") => one("spot-instance-request-id", id),
        Which::Fleet(id) => one("tag:aws:ec2:fleet-id", id),
        Which::All => {
            let live = ["pending", "running", "stopping", "stopped"].map(str::to_owned);
            vec![filter("instance-state-name", live)]
        }
    }
}

#[async_trait]
impl Cloud for Clients {
    async fn instances(&self, scope: &Scope, which: &Which) -> Answer<Vec<Instance>> {
        let mut found = Vec::new();
        for filter in filters(which) {
            let call = self.ec2(&scope.region).describe_instances().include_managed_resources(true);
            let mut pages = call.filters(filter).into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|e| port_error("reading the instances of", scope, &e))?;
                for reservation in page.reservations() {
                    let of = |i| instances::instance(scope, reservation.reservation_id(), i);
                    found.extend(reservation.instances().iter().filter_map(of));
                }
            }
        }
        Ok(found)
    }

    async fn standing(&self, scope: &Scope) -> Answer<Vec<(InstanceId, InstanceState)>> {
        let mut found = Vec::new();
        for filter in filters(&Which::All) {
            let call = self.ec2(&scope.region).describe_instances().include_managed_resources(true).filters(filter);
            let mut pages = call.into_paginator().page_size(PER_PAGE).send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|e| port_error("listing the instances of", scope, &e))?;
                let all = page.reservations().iter().flat_map(|r| r.instances());
                found.extend(all.filter_map(instances::standing));
            }
        }
        Ok(found)
    }

    async fn interfaces(&self, scope: &Scope, of: &[InstanceId]) -> Answer<Vec<Interface>> {
        interfaces::of_instances(self, scope, of).await
    }

    async fn user_data(&self, scope: &Scope, of: &InstanceId) -> Answer<Option<String>> {
        let call = self.ec2(&scope.region).describe_instance_attribute().instance_id(of.as_str());
        let answer = call.attribute(InstanceAttributeName::UserData).send().await;
        let answer = answer.map_err(|e| port_error("reading the user data of", of, &e))?;
        Ok(answer.user_data().and_then(|d| d.value()).filter(|v| !v.is_empty()).map(ToOwned::to_owned))
    }

    async fn ingress_rules(&self, scope: &Scope, of: &[GroupId]) -> Answer<Vec<Rule>> {
        let found = groups(self, scope, of).await?;
        Ok(found.iter().flat_map(instances::rules).collect())
    }

    async fn existing_groups(&self, scope: &Scope, of: &[GroupId]) -> Answer<Vec<GroupId>> {
        let found = groups(self, scope, of).await?;
        let is_open = |g: &&SecurityGroup| g.tags().iter().any(|t| t.key() == Some(OPEN));
        Ok(found.iter().filter(|g| !is_open(g)).filter_map(|g| GroupId::parse(g.group_id()?).ok()).collect())
    }

    async fn cluster(&self, scope: &Scope, name: &str) -> Answer<Cluster> {
        let doing = "reading EKS cluster";
        let answer = self.eks(&scope.region).describe_cluster().name(name).send().await;
        let answer = answer.map_err(|e| port_error(doing, name, &e))?;
        let found = answer.cluster.ok_or_else(|| PortError::new(doing, name, Kind::NotFound, "the answer is empty"))?;
        let access = found.resources_vpc_config();
        Ok(Cluster {
            name: Untrusted::new(name),
            scope: scope.clone(),
            version: Untrusted::new(found.version().unwrap_or_default()),
            status: Untrusted::new(found.status().map_or("", |s| s.as_str())),
            public_endpoint: access.map(|a| a.endpoint_public_access()),
            private_endpoint: access.map(|a| a.endpoint_private_access()),
            public_cidrs: access
                .map_or_else(Vec::new, |a| a.public_access_cidrs().iter().map(|c| c.as_str().into()).collect()),
        })
    }

    async fn vpcs(&self, scope: &Scope) -> Answer<Vec<VpcId>> {
        let mut found = Vec::new();
        let mut pages = self.ec2(&scope.region).describe_vpcs().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| port_error("listing the VPCs of", scope, &e))?;
            found.extend(page.vpcs().iter().filter_map(|v| VpcId::parse(v.vpc_id()?).ok()));
        }
        Ok(found)
    }

    async fn clusters(&self, scope: &Scope) -> Answer<Vec<Untrusted>> {
        let mut found = Vec::new();
        let mut pages = self.eks(&scope.region).list_clusters().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| port_error("listing the EKS clusters of", scope, &e))?;
            found.extend(page.clusters().iter().map(|c| Untrusted::new(c)));
        }
        Ok(found)
    }

    async fn attached_policies(&self, user: &str) -> Answer<Vec<Untrusted>> {
        let mut found = Vec::new();
        let mut pages = self.iam().list_attached_user_policies().user_name(user).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                // A user of another account, or one that was deleted since: nothing is attached to it here.
                Err(e) if port_error("", "", &e).kind == Kind::NotFound => return Ok(found),
                Err(e) => return Err(port_error("reading the policies of IAM user", user, &e)),
            };
            found.extend(page.attached_policies().iter().filter_map(|p| p.policy_name()).map(Untrusted::new));
        }
        Ok(found)
    }

    async fn in_open_groups(&self, scope: &Scope) -> Answer<Vec<Interface>> {
        containment::in_open_groups(self, scope).await
    }

    async fn launched_by(&self, scope: &Scope, instance: &InstanceId) -> Answer<Option<Principal>> {
        let doing = "asking CloudTrail who launched";
        let wanted = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::ResourceName)
            .attribute_value(instance.as_str())
            .build()
            .map_err(|e| PortError::new(doing, instance, Kind::Other, &e.to_string()))?;
        let answer =
            self.cloudtrail(&scope.region).lookup_events().lookup_attributes(wanted).max_results(10).send().await;
        let answer = answer.map_err(|e| port_error(doing, instance, &e))?;
        let launches = answer.events().iter().filter(|e| e.event_name() == Some("RunInstances"));
        let records = launches.filter_map(|e| e.cloud_trail_event());
        Ok(records.filter_map(|r| events::decode(r).ok()).find_map(|decoded| match decoded {
            Decoded::Trigger(trigger) => trigger.principal,
            Decoded::Drop(_) => None,
        }))
    }
}

/// These groups, those of them that exist.
pub(crate) async fn groups(
    clients: &Clients,
    scope: &Scope,
    of: &[GroupId],
) -> Answer<Vec<aws_sdk_ec2::types::SecurityGroup>> {
    let mut found = Vec::new();
    for part in of.chunks(PER_FILTER) {
        let filter = filter("group-id", part.iter().map(ToString::to_string));
        let mut pages = clients.ec2(&scope.region).describe_security_groups().filters(filter).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| port_error("reading security groups of", scope, &e))?;
            found.extend(page.security_groups.unwrap_or_default());
        }
    }
    Ok(found)
}
