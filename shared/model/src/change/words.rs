//! A change in words: for plans, journals and people.

use std::net::Ipv4Addr;

use super::Change;

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let on_off = |on: &bool| if *on { "on" } else { "off" };
        match self {
            Self::SuspendProcesses { group, processes } => {
                write!(f, "suspend {} of Auto Scaling group {group}", processes.join(", "))
            }
            Self::ResumeProcesses { group, processes } => {
                write!(f, "resume {} of Auto Scaling group {group}", processes.join(", "))
            }
            Self::SetTerminationProtection { instance, on } => {
                write!(f, "termination protection of {instance} {}", on_off(on))
            }
            Self::SetShutdownBehaviour { instance, behaviour } => write!(f, "shutdown of {instance} means {behaviour}"),
            Self::SetDeleteOnTermination { instance, device, on: true } => {
                write!(f, "delete {device} of {instance} with the instance")
            }
            Self::SetDeleteOnTermination { instance, device, on: false } => write!(f, "keep {device} of {instance}"),
            Self::SetMetadataEndpoint { instance, on } => write!(f, "metadata service of {instance} {}", on_off(on)),
            Self::DenySessions { role, instance, .. } => write!(f, "deny everything to {instance} as {role}"),
            Self::AllowSessions { role, instance, .. } => write!(f, "no deny to {instance} as {role}"),
            Self::Snapshot { instance, .. } => write!(f, "snapshot all volumes of {instance}"),
            Self::Deregister { target_group, instance, port } => {
                write!(f, "take {instance}:{port} out of {target_group}")
            }
            Self::Register { target_group, instance, port } => {
                write!(f, "put {instance}:{port} back into {target_group}")
            }
            Self::Tag { instance, key, value } => write!(f, "tag {instance} {key}={value}"),
            Self::Untag { instance, key } => write!(f, "untag {instance} {key}"),
            other => owners_and_paths(other, f),
        }
    }
}

/// What is done to owners, paths and evidence.
fn owners_and_paths(change: &Change, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    let on_off = |on: &bool| if *on { "on" } else { "off" };
    match change {
        Change::SetNodeGroup { cluster, node_group, min, max, repairs } => write!(
            f,
            "node group {node_group} of {cluster} from {min} to {max} nodes, {} sick ones",
            if *repairs { "replacing" } else { "not replacing" }
        ),
        Change::SetFleetCapacity { fleet, capacity } => write!(
            f,
            "capacity {} for {fleet}, what is too much is {}",
            capacity.total,
            if capacity.terminates { "terminated" } else { "kept" }
        ),
        Change::CancelSpotRequest { request, instance } => {
            write!(f, "cancel {request} of {instance}, which goes on")
        }
        Change::SetCapacityProvider { provider, on } => {
            write!(f, "scaling of ECS capacity provider {provider} {}", on_off(on))
        }
        Change::SetComputeEnvironment { environment, on } => {
            write!(f, "Batch compute environment {environment} {}", on_off(on))
        }
        Change::HoldNode { cluster, instance } => write!(f, "keep controllers of {cluster} from node {instance}"),
        Change::LetNodeGo { cluster, instance } => write!(f, "let controllers of {cluster} have node {instance}"),
        Change::DropAddress { instance, interface, address } => {
            write!(f, "take {address} off {interface} of {instance}")
        }
        Change::GiveAddress { instance, interface, address } if address.elastic.is_some() => {
            write!(f, "give {address} back to {interface} of {instance}")
        }
        Change::GiveAddress { instance, interface, address } => {
            write!(f, "give {interface} of {instance} a public address again; {address} itself cannot come back")
        }
        Change::DenyInAcl { instance, acl, addresses, .. } => {
            write!(f, "deny {} of {instance} in {acl}", list(addresses))
        }
        Change::AllowInAcl { instance, acl, addresses, .. } => {
            write!(f, "no deny of {} of {instance} in {acl}", list(addresses))
        }
        Change::SetStopProtection { instance, on } => write!(f, "stop protection of {instance} {}", on_off(on)),
        Change::Stop { instance } => write!(f, "stop {instance}"),
        Change::Start { instance } => write!(f, "start {instance}"),
        Change::KeepEvidence { instance, case } => write!(f, "keep evidence of {instance} for {case}"),
        Change::LockSnapshots { instance, days, .. } => write!(f, "lock snapshots of {instance} for {days} days"),
        Change::RemoveProfile { instance, .. } => write!(f, "take the instance profile off {instance}"),
        Change::GiveProfile { instance, profile } => write!(f, "give {instance} the instance profile {profile}"),
        Change::TagVolumes { instance, case, .. } => write!(f, "tag volumes of {instance} {case}"),
        Change::UntagVolumes { instance, .. } => write!(f, "untag volumes of {instance}"),
        // Told above. Each is named, so that a new change without words does not compile.
        Change::SuspendProcesses { .. }
        | Change::ResumeProcesses { .. }
        | Change::SetTerminationProtection { .. }
        | Change::SetShutdownBehaviour { .. }
        | Change::SetDeleteOnTermination { .. }
        | Change::SetMetadataEndpoint { .. }
        | Change::DenySessions { .. }
        | Change::AllowSessions { .. }
        | Change::Snapshot { .. }
        | Change::Deregister { .. }
        | Change::Register { .. }
        | Change::Tag { .. }
        | Change::Untag { .. } => Ok(()),
    }
}

fn list(addresses: &[Ipv4Addr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
