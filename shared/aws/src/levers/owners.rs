//! What owns an instance: found by the tags that AWS sets, believed only as far as the owner itself says so. A tag that
//! anybody can set names a node group or a cluster, so the node group has to name the instance's Auto Scaling group.

use aws_sdk_ec2::types::{
    ExcessCapacityTerminationPolicy, FleetExcessCapacityTerminationPolicy, FleetType,
    TargetCapacitySpecificationRequest,
};
use picket_model::{Capacity, Fleet, Instance, InstanceId, NodeGroup, Owner, Owners, ScalingGroup, Scope, Untrusted};
use picket_pipeline::ports::{Answer, Kind, PortError};

use super::{AwsLevers, failed, known};

impl AwsLevers<'_> {
    /// The calls are those of `described_group`, `node_group`, `fleet`, `capacity_providers`, `compute_environments`, made
    /// for what its tags name.
    pub(super) async fn owners_of(&self, scope: &Scope, instance: &Instance) -> Answer<Owners> {
        let tag = |key: &str| instance.tags.get(&Untrusted::new(key)).cloned();
        let mut owners = Owners::default();
        let group = match tag("aws:autoscaling:groupName") {
            Some(name) => {
                let read = gone_is_none(self.described_group(scope, &name).await);
                known(read, None, "Auto Scaling group", &mut owners.unknown)?
            }
            None => None,
        };
        if let Some(group) = group {
            let managed = tag("eks:cluster-name").zip(tag("eks:nodegroup-name"));
            let ecs = tag("AmazonECSManaged").is_some();
            let batch = tag("AWSBatchServiceTag").is_some();
            let (node_group, providers, environments) = futures::join!(
                async {
                    match managed {
                        Some((c, n)) => self.node_group(scope, &c, &n, &group).await,
                        None => Ok(None),
                    }
                },
                async { if ecs { self.capacity_providers(scope, &group).await } else { Ok(Vec::new()) } },
                async { if batch { self.compute_environments(scope, &group).await } else { Ok(Vec::new()) } },
            );
            let node_group = known(gone_is_none(node_group), None, "node group", &mut owners.unknown)?.flatten();
            owners.found.extend(node_group.map(Owner::NodeGroup));
            owners.found.extend(known(providers, Vec::new(), "ECS capacity", &mut owners.unknown)?);
            owners.found.extend(known(environments, Vec::new(), "Batch", &mut owners.unknown)?);
            owners.found.push(Owner::ScalingGroup(group));
        }
        for key in ["aws:ec2:fleet-id", "aws:ec2spot:fleet-request-id"] {
            let Some(id) = tag(key) else { continue };
            let fleet = gone_is_none(self.fleet(scope, &id).await);
            let fleet = known(fleet, None, "fleet", &mut owners.unknown)?.flatten();
            owners.found.extend(fleet.map(Owner::Fleet));
        }
        owners.found.extend(controller(instance));
        Ok(owners)
    }

    /// `DescribeNodegroup`; `eks:DescribeNodegroup`. One that does not name the scaling group is not its owner.
    async fn node_group(
        &self,
        scope: &Scope,
        cluster: &Untrusted,
        name: &Untrusted,
        group: &ScalingGroup,
    ) -> Answer<Option<NodeGroup>> {
        let call = self.clients.eks(&scope.region).describe_nodegroup();
        let answer = call.cluster_name(cluster.as_str()).nodegroup_name(name.as_str()).send().await;
        let answer = answer.map_err(|e| failed("reading node group", name, &e))?;
        let Some(found) = answer.nodegroup else { return Ok(None) };
        let groups = found.resources().map_or(&[][..], |r| r.auto_scaling_groups());
        let (Some(scaling), true) =
            (found.scaling_config(), groups.iter().any(|g| g.name() == Some(group.name.as_str())))
        else {
            return Ok(None);
        };
        Ok(Some(NodeGroup {
            cluster: cluster.clone(),
            name: name.clone(),
            min: scaling.min_size().unwrap_or(0),
            max: scaling.max_size().unwrap_or(0),
            desired: scaling.desired_size().unwrap_or(0),
            repairs: found.node_repair_config().and_then(|r| r.enabled()).unwrap_or(false),
            members: group.members.clone(),
        }))
    }

    /// `UpdateNodegroupConfig`; `eks:UpdateNodegroupConfig`. How many nodes it wants is left alone.
    pub(super) async fn set_node_group(
        &self,
        scope: &Scope,
        (cluster, name): (&Untrusted, &Untrusted),
        (min, max): (i32, i32),
        repairs: bool,
    ) -> Answer<()> {
        let scaling = aws_sdk_eks::types::NodegroupScalingConfig::builder().min_size(min).max_size(max).build();
        let repair = aws_sdk_eks::types::NodeRepairConfig::builder().enabled(repairs).build();
        let call = self.clients.eks(&scope.region).update_nodegroup_config();
        let call = call.cluster_name(cluster.as_str()).nodegroup_name(name.as_str());
        let sent = call.scaling_config(scaling).node_repair_config(repair).send().await;
        match sent.map(drop).map_err(|e| failed("setting node group", name, &e)) {
            Err(error) if error.why.as_str().contains("already at the desired configuration") => Ok(()),
            answer => answer,
        }
    }

    /// `DescribeFleets` and `DescribeFleetInstances`, or `DescribeSpotFleetRequests` and `DescribeSpotFleetInstances`; the
    /// permissions are named alike. A fleet that does not keep its capacity up launches nothing more, and is none.
    async fn fleet(&self, scope: &Scope, id: &Untrusted) -> Answer<Option<Fleet>> {
        if id.as_str().starts_with("sfr-") { self.spot_fleet(scope, id).await } else { self.ec2_fleet(scope, id).await }
    }

    async fn ec2_fleet(&self, scope: &Scope, id: &Untrusted) -> Answer<Option<Fleet>> {
        let client = self.clients.ec2(&scope.region);
        let answer = client.describe_fleets().fleet_ids(id.as_str()).send().await;
        let answer = answer.map_err(|e| failed("reading fleet", id, &e))?;
        let Some(found) = answer.fleets().iter().find(|f| f.r#type() == Some(&FleetType::Maintain)) else {
            return Ok(None);
        };
        let members = client.describe_fleet_instances().fleet_id(id.as_str()).send().await;
        let members = members.map_err(|e| failed("reading the instances of fleet", id, &e))?;
        let wants = found.target_capacity_specification();
        let keeps =
            found.excess_capacity_termination_policy() == Some(&FleetExcessCapacityTerminationPolicy::NoTermination);
        Ok(Some(Fleet {
            id: id.clone(),
            capacity: Capacity {
                total: wants.and_then(|w| w.total_target_capacity()).unwrap_or(0),
                on_demand: wants.and_then(|w| w.on_demand_target_capacity()),
                spot: wants.and_then(|w| w.spot_target_capacity()),
                terminates: !keeps,
            },
            members: ids(members.active_instances().iter().filter_map(|i| i.instance_id())),
        }))
    }

    async fn spot_fleet(&self, scope: &Scope, id: &Untrusted) -> Answer<Option<Fleet>> {
        let client = self.clients.ec2(&scope.region);
        let answer = client.describe_spot_fleet_requests().spot_fleet_request_ids(id.as_str()).send().await;
        let answer = answer.map_err(|e| failed("reading Spot Fleet", id, &e))?;
        let wanted = answer.spot_fleet_request_configs().first().and_then(|c| c.spot_fleet_request_config());
        let Some(wanted) = wanted.filter(|c| c.r#type() != Some(&FleetType::Request)) else { return Ok(None) };
        let members = client.describe_spot_fleet_instances().spot_fleet_request_id(id.as_str()).send().await;
        let members = members.map_err(|e| failed("reading the instances of Spot Fleet", id, &e))?;
        let keeps =
            wanted.excess_capacity_termination_policy() == Some(&ExcessCapacityTerminationPolicy::NoTermination);
        Ok(Some(Fleet {
            id: id.clone(),
            capacity: Capacity {
                total: wanted.target_capacity().unwrap_or(0),
                on_demand: wanted.on_demand_target_capacity(),
                spot: None,
                terminates: !keeps,
            },
            members: ids(members.active_instances().iter().filter_map(|i| i.instance_id())),
        }))
    }

    /// `ModifyFleet` or `ModifySpotFleetRequest`; the permissions are named alike.
    pub(super) async fn set_fleet(&self, scope: &Scope, id: &Untrusted, to: Capacity) -> Answer<()> {
        let client = self.clients.ec2(&scope.region);
        if id.as_str().starts_with("sfr-") {
            let policy = if to.terminates {
                ExcessCapacityTerminationPolicy::Default
            } else {
                ExcessCapacityTerminationPolicy::NoTermination
            };
            let call = client.modify_spot_fleet_request().spot_fleet_request_id(id.as_str()).target_capacity(to.total);
            let call = call.set_on_demand_target_capacity(to.on_demand).excess_capacity_termination_policy(policy);
            return call.send().await.map(drop).map_err(|e| failed("setting the capacity of", id, &e));
        }
        let policy = if to.terminates {
            FleetExcessCapacityTerminationPolicy::Termination
        } else {
            FleetExcessCapacityTerminationPolicy::NoTermination
        };
        let wants = TargetCapacitySpecificationRequest::builder()
            .total_target_capacity(to.total)
            .set_on_demand_target_capacity(to.on_demand)
            .set_spot_target_capacity(to.spot)
            .build();
        let call = client.modify_fleet().fleet_id(id.as_str()).target_capacity_specification(wants);
        let sent = call.excess_capacity_termination_policy(policy).send().await;
        sent.map(drop).map_err(|e| failed("setting the capacity of", id, &e))
    }
}

/// A Kubernetes controller that made the instance and may replace it. Anybody can set these tags: what comes of it is
/// looked up by the instance's id in the cluster, where a node that is not its own is not found.
fn controller(instance: &Instance) -> Option<Owner> {
    let tag = |key: &str| instance.tags.get(&Untrusted::new(key));
    let made = tag("karpenter.sh/nodepool").or_else(|| tag("karpenter.sh/nodeclaim"));
    made.or_else(|| tag("karpenter.sh/provisioner-name"))?;
    let owned = || {
        let mut names = instance.tags.keys().filter_map(|k| k.as_str().strip_prefix("kubernetes.io/cluster/"));
        names.next().map(Untrusted::new)
    };
    let cluster = tag("eks:eks-cluster-name").cloned().or_else(owned)?;
    Some(Owner::Node { cluster, by: "Karpenter".to_owned() })
}

/// An owner that is not there any more owns nothing.
fn gone_is_none<T>(answer: Answer<T>) -> Answer<Option<T>> {
    match answer {
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}

fn ids<'a>(of: impl Iterator<Item = &'a str>) -> Vec<InstanceId> {
    of.filter_map(|id| InstanceId::parse(id).ok()).collect()
}

/// A node that no Kubernetes credential reaches.
pub(super) fn unreachable(cluster: &Untrusted, instance: &InstanceId, error: &PortError) -> PortError {
    // Texts are bounded, so that each thing is said once: what a person does, and why Picket could not.
    let why = format!(
        "controllers may replace it: `kubectl cordon` it in {cluster} and set karpenter.sh/do-not-disrupt=true on it; Picket \
         could not: {}",
        error.why
    );
    let kind = if error.kind == Kind::Transient { Kind::Transient } else { Kind::Denied };
    PortError::new("holding node", instance, kind, &why)
}

/// Why nothing is asked of a cluster where no way leads.
pub(super) fn no_way(cluster: &Untrusted) -> PortError {
    PortError::new("reaching cluster", cluster, Kind::Denied, "no way into clusters is set up here")
}
