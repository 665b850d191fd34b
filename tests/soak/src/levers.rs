//! What the changes beside the groups do in the world.

use picket_model::{Change, Facts, InstanceId};
use picket_pipeline::ports::{Answer, Kind, PortError};

use crate::cloud::{Machine, text};
use crate::world::World;

/// The facts of an instance that nobody secured.
#[must_use]
pub fn facts(id: &InstanceId, role: bool, registered: bool) -> Facts {
    Facts {
        instance: id.clone(),
        termination_protection: false,
        shutdown_behaviour: "terminate".to_owned(),
        deleted_with_it: vec!["/dev/xvda".to_owned()],
        metadata_endpoint: true,
        role: role.then(|| (text("node"), text("AROA1"))),
        target_groups: if registered { vec![(text("arn:tg"), 80)] } else { Vec::new() },
        spot: false,
        profile: role.then(|| (text("iip-assoc-1"), text("arn:profile"))),
        spot_request: None,
        stop_protection: false,
        volumes: vec![text("vol-1")],
        unknown: Vec::new(),
    }
}

/// Whether a change puts something back, and so has nothing to do on what is gone.
fn puts_back(change: &Change) -> bool {
    match change {
        Change::SetTerminationProtection { on, .. } => !on,
        Change::SetDeleteOnTermination { on, .. } | Change::SetMetadataEndpoint { on, .. } => *on,
        Change::SetShutdownBehaviour { behaviour, .. } => behaviour == "terminate",
        Change::ResumeProcesses { .. }
        | Change::AllowInAcl { .. }
        | Change::AllowSessions { .. }
        | Change::GiveAddress { .. }
        | Change::GiveProfile { .. }
        | Change::LetNodeGo { .. }
        | Change::Start { .. }
        | Change::UntagVolumes { .. }
        | Change::Register { .. }
        | Change::Untag { .. } => true,
        _ => false,
    }
}

/// The levers that only some playbooks pull, in a word.
fn lever(change: &Change) -> Option<&'static str> {
    Some(match change {
        Change::DenyInAcl { .. } => "network ACL",
        Change::DropAddress { .. } => "public address",
        Change::Stop { .. } => "stop",
        Change::SuspendProcesses { .. } => "Auto Scaling",
        Change::SetNodeGroup { .. } => "node group",
        Change::CancelSpotRequest { .. } => "Spot",
        Change::SetFleetCapacity { .. } => "fleet",
        _ => return None,
    })
}

/// Makes a change.
///
/// # Errors
/// If what it is about is gone.
pub fn make(w: &mut World, change: &Change) -> Answer<()> {
    let now = w.now;
    if let Some(lever) = lever(change) {
        w.count(&format!("lever: {lever}"));
    }
    if let Some(instance) = change.instance()
        && puts_back(change)
        && w.ec2.machines.get(instance).is_none_or(|m| m.shown.now().state.is_gone())
        && !matches!(change, Change::AllowInAcl { .. })
    {
        return Ok(());
    }
    if w.ec2.turn_paths(change, now)? {
        return Ok(());
    }
    match change {
        Change::SuspendProcesses { group, processes } => suspend(w, group.as_str(), |s| s.extend(processes.clone())),
        Change::ResumeProcesses { group, processes } => {
            suspend(w, group.as_str(), |s| s.retain(|p| !processes.contains(p)));
        }
        Change::SetTerminationProtection { instance, .. }
        | Change::SetShutdownBehaviour { instance, .. }
        | Change::SetDeleteOnTermination { instance, .. }
        | Change::SetMetadataEndpoint { instance, .. }
        | Change::DenySessions { instance, .. }
        | Change::AllowSessions { instance, .. }
        | Change::Snapshot { instance, .. }
        | Change::Deregister { instance, .. }
        | Change::Register { instance, .. }
        | Change::Tag { instance, .. }
        | Change::RemoveProfile { instance, .. }
        | Change::GiveProfile { instance, .. }
        | Change::KeepEvidence { instance, .. }
        | Change::LockSnapshots { instance, .. }
        | Change::TagVolumes { instance, .. }
        | Change::UntagVolumes { instance, .. }
        | Change::SetStopProtection { instance, .. }
        | Change::CancelSpotRequest { instance, .. }
        | Change::Untag { instance, .. } => {
            let found = w.ec2.machines.get_mut(instance).filter(|m| !m.shown.now().state.is_gone());
            match found {
                Some(machine) => turn(machine, change, now),
                None if puts_back(change) => {}
                None => return Err(PortError::new("changing", instance, Kind::NotFound, "it is gone")),
            }
        }
        _ => {}
    }
    Ok(())
}

fn suspend(w: &mut World, group: &str, how: impl FnOnce(&mut std::collections::BTreeSet<String>)) {
    let now = w.now;
    if let Some(found) = w.ec2.suspended.get_mut(group) {
        let mut processes = found.now().clone();
        how(&mut processes);
        found.put(now, processes);
    }
}

fn turn(machine: &mut Machine, change: &Change, now: u64) {
    let mut facts = machine.facts.now().clone();
    match change {
        Change::SetTerminationProtection { on, .. } => facts.termination_protection = *on,
        Change::SetShutdownBehaviour { behaviour, .. } => facts.shutdown_behaviour.clone_from(behaviour),
        Change::SetDeleteOnTermination { device, on, .. } => {
            facts.deleted_with_it.retain(|d| d != device);
            facts.deleted_with_it.extend(on.then(|| device.clone()));
        }
        Change::SetMetadataEndpoint { on, .. } => facts.metadata_endpoint = *on,
        Change::DenySessions { .. } => machine.denied = true,
        Change::AllowSessions { .. } => machine.denied = false,
        Change::Deregister { target_group, port, .. } => {
            facts.target_groups.retain(|t| *t != (target_group.clone(), *port))
        }
        Change::Register { target_group, port, .. } => {
            facts.target_groups.retain(|t| *t != (target_group.clone(), *port));
            facts.target_groups.push((target_group.clone(), *port));
        }
        Change::RemoveProfile { .. } => facts.profile = None,
        Change::GiveProfile { profile, .. } => facts.profile = Some((text("iip-assoc-1"), profile.clone())),
        Change::SetStopProtection { on, .. } => facts.stop_protection = *on,
        Change::KeepEvidence { .. } => machine.evidence = true,
        Change::Tag { .. } => machine.tagged = true,
        Change::Untag { .. } => machine.tagged = false,
        _ => {}
    }
    machine.facts.put(now, facts);
}
