//! The changes beside the groups behind the pipeline's `Levers`: one file a service. Each asks for a permit.
//!
//! Guarantees: a change that is so already is success, and so is putting something back on an instance, group or role
//! that is gone. Only the tag key `picket:case` is ever set or removed. Nothing is done to what could not be read:
//! a fact that was refused is said to be as containment wants it, so that nothing is planned, and nothing put back,
//! that was never known; `unknown` says so.

mod addresses;
mod autoscaling;
mod capacity;
mod denial;
mod ec2;
mod elb;
mod evidence;
mod flows;
mod iam;
mod owners;
mod power;

pub use denial::{Denial, Said};

pub(crate) use iam::decoded;

use std::fmt::Display;

use async_trait::async_trait;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::InstanceAttributeName;
use picket_model::{Capture, Change, Facts, FlowFacts, Instance, InstanceId, Owners, ScalingGroup, Scope, Untrusted};
use picket_pipeline::Permit;
use picket_pipeline::pace::{Lane, Rank};
use picket_pipeline::ports::{Answer, Kind, Levers, Nodes, PortError};

use crate::error::port_error;
use crate::{Clients, Functions};

/// The only tag key that is set on, or removed from, what we did not make.
pub const CASE: &str = "picket:case";
/// Beside `CASE` on snapshots: the instance that they are of.
pub const INSTANCE: &str = "picket:instance";

/// Reads and makes the changes beside the groups, for one deployment.
pub struct AwsLevers<'a> {
    clients: &'a Clients,
    stack: String,
    evidence: Option<String>,
    nodes: Option<&'a dyn Nodes>,
    functions: Option<Functions>,
}

impl<'a> AwsLevers<'a> {
    /// For the deployment named `stack`.
    #[must_use]
    pub fn new(clients: &'a Clients, stack: &str) -> Self {
        Self { clients, stack: stack.to_owned(), evidence: None, nodes: None, functions: None }
    }

    /// With a bucket for evidence.
    #[must_use]
    pub fn with_evidence(self, bucket: Option<&str>) -> Self {
        Self { evidence: bucket.map(ToOwned::to_owned), ..self }
    }

    /// With denials asked of the deployment's own function, which alone may write policies.
    #[must_use]
    pub fn with_denials_asked(self) -> Self {
        Self { functions: Some(Functions::new(self.clients, &self.stack)), ..self }
    }

    /// With a way into Kubernetes clusters.
    #[must_use]
    pub fn with_nodes(self, nodes: &'a dyn Nodes) -> Self {
        Self { nodes: Some(nodes), ..self }
    }

    async fn send(&self, permit: &Permit, scope: &Scope, change: &Change) -> Answer<()> {
        if matches!(change, Change::DenySessions { .. } | Change::AllowSessions { .. })
            && let Some(answer) = self.ask_for(scope, change).await
        {
            return answer;
        }
        match change {
            Change::SuspendProcesses { group, processes } => self.suspend(scope, group, processes).await,
            Change::ResumeProcesses { group, processes } => self.resume(scope, group, processes).await,
            Change::SetTerminationProtection { instance, on } => self.protect(scope, instance, *on).await,
            Change::SetShutdownBehaviour { instance, behaviour } => self.on_shutdown(scope, instance, behaviour).await,
            Change::SetDeleteOnTermination { instance, device, on } => {
                self.delete_on_termination(scope, instance, device, *on).await
            }
            Change::SetMetadataEndpoint { instance, on } => self.metadata_endpoint(scope, instance, *on).await,
            Change::DenySessions { role, role_id, instance } => self.deny(scope, role, role_id, instance).await,
            Change::AllowSessions { role, instance, .. } => self.allow(scope, role, instance).await,
            Change::Snapshot { instance, case } => self.snapshot(scope, instance, case).await,
            Change::Deregister { target_group, instance, port } => {
                self.deregister(scope, target_group, instance, *port).await
            }
            Change::Register { target_group, instance, port } => {
                self.register(scope, target_group, instance, *port).await
            }
            Change::Tag { instance, key, value } => self.tag(scope, instance, key, value).await,
            Change::Untag { instance, key } => self.untag(scope, instance, key).await,
            other => self.send_more(permit, scope, other).await,
        }
    }

    /// The changes of owners, connections and evidence.
    async fn send_more(&self, permit: &Permit, scope: &Scope, change: &Change) -> Answer<()> {
        match change {
            Change::SetNodeGroup { cluster, node_group, min, max, repairs } => {
                self.set_node_group(scope, (cluster, node_group), (*min, *max), *repairs).await
            }
            Change::SetFleetCapacity { fleet, capacity } => self.set_fleet(scope, fleet, *capacity).await,
            Change::CancelSpotRequest { request, .. } => self.cancel_spot(scope, request).await,
            Change::SetCapacityProvider { provider, on } => self.set_capacity_provider(scope, provider, *on).await,
            Change::SetComputeEnvironment { environment, on } => {
                self.set_compute_environment(scope, environment, *on).await
            }
            Change::HoldNode { cluster, instance } => match self.nodes {
                Some(nodes) => {
                    let held = nodes.hold_node(permit, scope, cluster, instance).await;
                    held.map_err(|error| owners::unreachable(cluster, instance, &error))
                }
                None => Err(owners::unreachable(cluster, instance, &owners::no_way(cluster))),
            },
            Change::LetNodeGo { cluster, instance } => match self.nodes {
                Some(nodes) => nodes.let_node_go(permit, scope, cluster, instance).await,
                // What could not be held need not be let go.
                None => Ok(()),
            },
            Change::DropAddress { interface, address, .. } => self.drop_address(scope, interface, address).await,
            Change::GiveAddress { interface, address, .. } => self.give_address(scope, interface, address).await,
            Change::DenyInAcl { acl, addresses, limit, .. } => self.deny_in_acl(scope, acl, addresses, *limit).await,
            Change::AllowInAcl { acl, addresses, before, .. } => self.allow_in_acl(scope, acl, addresses, before).await,
            Change::SetStopProtection { instance, on } => self.protect_from_stop(scope, instance, *on).await,
            Change::Stop { instance } => self.stop(scope, instance).await,
            Change::Start { instance } => self.start(scope, instance).await,
            Change::KeepEvidence { instance, case } => self.keep_evidence(scope, instance, case).await,
            Change::LockSnapshots { instance, case, days } => self.lock_snapshots(scope, instance, case, *days).await,
            Change::RemoveProfile { instance, association } => self.remove_profile(scope, instance, association).await,
            Change::GiveProfile { instance, profile } => self.give_profile(scope, instance, profile).await,
            Change::TagVolumes { volumes, case, .. } => self.tag_volumes(scope, volumes, case).await,
            Change::UntagVolumes { volumes, .. } => self.untag_volumes(scope, volumes).await,
            other => Err(PortError::new("making", other, Kind::Other, "this change is not known here")),
        }
    }
}

#[async_trait]
impl Levers for AwsLevers<'_> {
    /// The calls are those of `described`, `attributes`, `role_of` and `target_groups_of`, side by side.
    async fn facts(&self, scope: &Scope, instance: &InstanceId) -> Answer<Facts> {
        let (described, stop, protection, shutdown) = futures::join!(
            self.described(scope, instance),
            self.attribute(scope, instance, InstanceAttributeName::DisableApiStop),
            self.attribute(scope, instance, InstanceAttributeName::DisableApiTermination),
            self.shutdown_behaviour(scope, instance),
        );
        let mut unknown = Vec::new();
        let described = known(described, ec2::Described::default(), "volumes, metadata service, role", &mut unknown)?;
        let termination_protection = known(protection, true, "termination protection", &mut unknown)?;
        let shutdown_behaviour = known(shutdown, "stop".to_owned(), "shutdown behaviour", &mut unknown)?;
        let stop_protection = known(stop, false, "stop protection", &mut unknown)?;
        let spot = described.spot;
        let (role, profile, target_groups, spot_request) = futures::join!(
            self.role_of(described.profile.as_deref()),
            async { if described.profile.is_some() { self.profile_of(scope, instance).await } else { Ok(None) } },
            self.target_groups_of(scope, instance, described.vpc.as_deref()),
            async { if spot { self.persistent_request(scope, instance).await } else { Ok(None) } },
        );
        Ok(Facts {
            instance: instance.clone(),
            termination_protection,
            shutdown_behaviour,
            deleted_with_it: described.deleted_with_it,
            metadata_endpoint: described.metadata_endpoint,
            role: known(role, None, "role", &mut unknown)?,
            target_groups: known(target_groups, Vec::new(), "target groups", &mut unknown)?,
            spot,
            profile: known(profile, None, "instance profile", &mut unknown)?,
            spot_request: known(spot_request, None, "Spot request", &mut unknown)?,
            stop_protection,
            volumes: described.volumes,
            unknown,
        })
    }

    async fn scaling_group(&self, scope: &Scope, name: &Untrusted) -> Answer<ScalingGroup> {
        self.described_group(scope, name).await
    }

    async fn owners(&self, scope: &Scope, instance: &Instance) -> Answer<Owners> {
        self.owners_of(scope, instance).await
    }

    async fn flow_facts(&self, scope: &Scope, of: &[(InstanceId, Capture)]) -> Answer<Vec<FlowFacts>> {
        self.flows_of(scope, of).await
    }

    async fn make(&self, permit: &Permit, scope: &Scope, change: &Change) -> Answer<()> {
        tracing::info!(%permit, %change, "making a change");
        if let Some((lane, rank)) = paced(change) {
            self.clients.paced(&scope.region, lane, rank).await;
        }
        let Err(error) = self.send(permit, scope, change).await else { return Ok(()) };
        let moot = match (subject_put_back(change), error.kind) {
            (None, _) => false,
            (Some(_), Kind::NotFound) => true,
            (Some(Some(instance)), Kind::Conflict) => self.is_gone(scope, instance).await?,
            _ => false,
        };
        if moot {
            tracing::info!(%change, %error, "nothing is left to put this back on");
            return Ok(());
        }
        Err(error)
    }
}

/// Which of EC2's buckets a change draws on, and what it is for; none for other services.
fn paced(change: &Change) -> Option<(Lane, Rank)> {
    match change {
        Change::SetTerminationProtection { .. }
        | Change::SetShutdownBehaviour { .. }
        | Change::SetDeleteOnTermination { .. } => Some((Lane::Changes, Rank::Protect)),
        // These end connections, which is containment.
        Change::DropAddress { .. } | Change::DenyInAcl { .. } => Some((Lane::Changes, Rank::Contain)),
        Change::SetStopProtection { .. } | Change::Stop { .. } => Some((Lane::Changes, Rank::Protect)),
        Change::TagVolumes { .. } | Change::UntagVolumes { .. } => Some((Lane::Tags, Rank::Mark)),
        Change::SetMetadataEndpoint { .. } => Some((Lane::Metadata, Rank::Protect)),
        Change::Snapshot { .. } => Some((Lane::Snapshots, Rank::Copy)),
        Change::Tag { .. } | Change::Untag { .. } => Some((Lane::Tags, Rank::Mark)),
        _ => None,
    }
}

/// For a change that puts something back: the instance that it is about, if it is about one. `None` for a change that
/// contains: there, what is missing is a failure.
fn subject_put_back(change: &Change) -> Option<Option<&InstanceId>> {
    match change {
        Change::SetTerminationProtection { instance, on: false }
        | Change::SetDeleteOnTermination { instance, on: true, .. }
        | Change::SetMetadataEndpoint { instance, on: true }
        | Change::SetStopProtection { instance, on: true }
        | Change::AllowInAcl { instance, .. }
        | Change::GiveAddress { instance, .. }
        | Change::GiveProfile { instance, .. }
        | Change::Register { instance, .. }
        | Change::Start { instance }
        | Change::Untag { instance, .. } => Some(Some(instance)),
        Change::SetShutdownBehaviour { instance, behaviour } if behaviour == "terminate" => Some(Some(instance)),
        Change::ResumeProcesses { .. } | Change::AllowSessions { .. } => Some(None),
        // An owner that is gone owns nothing: there is nothing to freeze, and nothing to let go on.
        Change::SetNodeGroup { .. }
        | Change::SetFleetCapacity { .. }
        | Change::CancelSpotRequest { .. }
        | Change::SetCapacityProvider { .. }
        | Change::SetComputeEnvironment { .. }
        | Change::LetNodeGo { .. }
        | Change::UntagVolumes { .. } => Some(None),
        Change::SuspendProcesses { .. }
        | Change::SetTerminationProtection { .. }
        | Change::SetShutdownBehaviour { .. }
        | Change::SetDeleteOnTermination { .. }
        | Change::SetMetadataEndpoint { .. }
        | Change::DenySessions { .. }
        | Change::Snapshot { .. }
        | Change::Deregister { .. }
        | Change::HoldNode { .. }
        | Change::RemoveProfile { .. }
        | Change::DropAddress { .. }
        | Change::DenyInAcl { .. }
        | Change::SetStopProtection { .. }
        | Change::Stop { .. }
        | Change::KeepEvidence { .. }
        | Change::LockSnapshots { .. }
        | Change::TagVolumes { .. }
        | Change::Tag { .. } => None,
    }
}

/// A fact, or `otherwise` with a word in `unknown` where AWS will not tell. A passing fault stays an error, and so does
/// an instance that is not there.
fn known<T>(answer: Answer<T>, otherwise: T, what: &str, unknown: &mut Vec<String>) -> Answer<T> {
    match answer {
        Err(error) if !matches!(error.kind, Kind::Transient | Kind::NotFound) => {
            unknown.push(format!("{what}: {error}"));
            Ok(otherwise)
        }
        answer => answer,
    }
}

/// `port_error`, with the codes of the services here that it does not know.
fn failed<E, R>(doing: &'static str, what: impl Display, error: &SdkError<E, R>) -> PortError
where
    E: ProvideErrorMetadata,
{
    let plain = port_error(doing, what, error);
    let SdkError::ServiceError(service) = error else { return plain };
    let kind = kind_of(service.err().code().unwrap_or_default(), service.err().message().unwrap_or_default());
    PortError { kind: kind.unwrap_or(plain.kind), ..plain }
}

fn kind_of(code: &str, message: &str) -> Option<Kind> {
    match code {
        "TargetGroupNotFound" => Some(Kind::NotFound),
        // Auto Scaling has no code of its own for a group that is not there.
        "ValidationError" if message.contains("not found") => Some(Kind::NotFound),
        "ConcurrentModification"
        | "ConcurrentModificationException"
        | "ConcurrentSnapshotLimitExceeded"
        | "InsufficientSnapshotRate"
        | "OperationAborted"
        | "ResourceContention"
        | "ResourceInUseException"
        | "UpdateInProgressException"
        | "ServiceFailure"
        | "SnapshotCreationPerVolumeRateExceeded" => Some(Kind::Transient),
        "DeleteConflict"
        | "EntityAlreadyExists"
        | "IncorrectInstanceState"
        | "IncorrectState"
        | "InvalidTarget"
        | "NetworkAclEntryAlreadyExists"
        | "PreconditionFailed"
        | "Resource.AlreadyAssociated"
        | "InvalidInstanceAttributeValue" => Some(Kind::Conflict),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> InstanceId {
        InstanceId::parse("i-00000001").unwrap()
    }

    #[test]
    fn what_contains_must_find_its_subject_and_what_puts_back_need_not() {
        let protect = |on| Change::SetTerminationProtection { instance: instance(), on };
        let volume = |on| Change::SetDeleteOnTermination { instance: instance(), device: "/dev/xvda".to_owned(), on };
        let metadata = |on| Change::SetMetadataEndpoint { instance: instance(), on };
        let shutdown = |b: &str| Change::SetShutdownBehaviour { instance: instance(), behaviour: b.to_owned() };
        for contains in [protect(true), volume(false), metadata(false), shutdown("stop")] {
            assert_eq!(subject_put_back(&contains), None, "{contains}");
        }
        for puts_back in [protect(false), volume(true), metadata(true), shutdown("terminate")] {
            assert_eq!(subject_put_back(&puts_back), Some(Some(&instance())), "{puts_back}");
        }
    }

    #[test]
    fn a_refused_fact_is_as_containment_wants_it_and_said_to_be_unknown() {
        let error = |kind| PortError::new("reading", "i-1", kind, "no");
        let mut unknown = Vec::new();
        assert!(known(Err(error(Kind::Denied)), true, "termination protection", &mut unknown).unwrap());
        assert_eq!(unknown, ["termination protection: reading i-1: no"]);
        for kind in [Kind::Transient, Kind::NotFound] {
            assert_eq!(known(Err(error(kind)), true, "termination protection", &mut unknown).unwrap_err().kind, kind);
        }
        assert_eq!(unknown.len(), 1);
    }

    #[test]
    fn codes_of_these_services_are_sorted_by_what_to_do_next() {
        for (code, message, kind) in [
            ("ValidationError", "AutoScalingGroup name not found - no such group", Some(Kind::NotFound)),
            ("ValidationError", "1 validation error detected", None),
            ("TargetGroupNotFound", "One or more target groups not found", Some(Kind::NotFound)),
            ("ResourceContention", "", Some(Kind::Transient)),
            ("InvalidTarget", "", Some(Kind::Conflict)),
            ("AccessDenied", "", None),
        ] {
            assert_eq!(kind_of(code, message), kind, "{code}");
        }
    }
}
