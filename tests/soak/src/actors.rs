//! Everybody else in the account: AWS services, controllers, an attacker and people, acting between Picket's steps.

use picket_model::{HoldState, InstanceId, InstanceState, InterfaceId, InterfaceKind, Subject, TriggerKind};

use crate::agenda::{MILLI, SECOND};
use crate::api::Api;
use crate::launch::{self, Launch};
use crate::people;
use crate::world::World;

/// Somebody who acts.
pub type Act = fn(&mut World);

/// Everybody, by name.
pub const ALL: &[(&str, Act)] = &[
    ("Auto Scaling replaces a member", replace_member),
    ("EKS replaces a sick node", repair_node),
    ("Karpenter replaces a node that drifted", drift),
    ("a fleet keeps up its capacity", keep_capacity),
    ("VPC CNI syncs groups", sync_groups),
    ("VPC CNI attaches a branch interface", attach_branch),
    ("load-balancer controller adds a rule", add_rule),
    ("attacker sets groups back", set_back),
    ("attacker attaches an interface", attach),
    ("attacker puts a rule into the quarantine group", tamper),
    ("attacker takes the mark off the quarantine group", unmark),
    ("attacker launches more", launch_more),
    ("attacker drains the bucket", drain),
    ("an old event comes again", replay),
    ("GuardDuty reports", report),
    ("a person keeps", keep),
    ("a person releases", release),
    ("a person orders a quarantine", order),
    ("a person pauses", pause),
    ("an instance is terminated", terminate),
];

/// Lets some of them act, every now and then, while the world is restless.
pub fn begin(w: &mut World, some: Vec<(&'static str, Act)>) {
    let wait = w.dice.between(2_000, 45_000) * MILLI;
    w.later(wait, move |w| {
        if !w.restless {
            return;
        }
        if let Some((name, act)) = w.dice.pick(&some).copied() {
            w.count(&format!("actor: {name}"));
            w.trace(None, name.to_owned());
            act(w);
        }
        begin(w, some);
    });
}

fn any_living(w: &mut World, of: impl Fn(&World, &InstanceId) -> bool) -> Option<InstanceId> {
    let living: Vec<InstanceId> = w.ec2.living().map(|(id, _)| id.clone()).filter(|id| of(w, id)).collect();
    w.dice.pick(&living).cloned()
}

fn rogue(w: &World, id: &InstanceId) -> bool {
    w.ec2.machines.get(id).is_some_and(|m| m.rogue)
}

fn any_nic(w: &mut World, of: &InstanceId, like: impl Fn(&World, &InterfaceId) -> bool) -> Option<InterfaceId> {
    let nics: Vec<InterfaceId> = w.ec2.nics_of(of).map(|(id, _)| id.clone()).filter(|id| like(w, id)).collect();
    w.dice.pick(&nics).cloned()
}

fn is_quarantined(w: &World, nic: &InterfaceId) -> bool {
    let shown = w.ec2.nics.get(nic).and_then(|n| n.shown.now().as_ref());
    shown.is_some_and(|i| i.groups.iter().any(|g| w.store.ever_quarantine.contains(g)))
}

fn touch(w: &mut World, nic: &InterfaceId, groups: &[picket_model::GroupId]) {
    let now = w.now;
    w.ec2.set_groups(nic, groups, now);
    if let Some(nic) = w.ec2.nics.get_mut(nic) {
        nic.touched = Some(now);
        nic.theirs.push(groups.to_vec());
    }
}

fn end(w: &mut World, id: InstanceId) {
    let now = w.now;
    w.ec2.set_state(&id, InstanceState::ShuttingDown, now);
    let takes = w.dice.between(5, 60) * SECOND;
    w.later(takes, move |w| {
        let now = w.now;
        w.ec2.set_state(&id, InstanceState::Terminated, now);
    });
}

fn terminate(w: &mut World) {
    let open =
        |w: &World, id: &InstanceId| w.ec2.machines.get(id).is_some_and(|m| !m.facts.now().termination_protection);
    if let Some(id) = any_living(w, open) {
        end(w, id);
    }
}

fn replace_member(w: &mut World) {
    let member = any_living(w, |w, id| w.ec2.machines.get(id).is_some_and(|m| m.group.is_some()));
    let Some(id) = member else { return };
    let Some(machine) = w.ec2.machines.get(&id).cloned() else { return };
    let Some(vpc) = machine.shown.now().vpc.clone() else { return };
    let suspended = machine.group.as_ref().and_then(|g| w.ec2.suspended.get(g)).map(|s| s.now().clone());
    let suspended = suspended.unwrap_or_default();
    if !suspended.contains("Terminate") && !suspended.contains("ReplaceUnhealthy") {
        end(w, id);
    }
    if suspended.contains("Launch") {
        return;
    }
    let next = Launch {
        vpc,
        instances: 1,
        interfaces: 1,
        rogue: machine.rogue,
        node: machine.node,
        group: machine.group,
        fleet: machine.fleet,
    };
    launch::launch(w, &next);
}

fn repair_node(w: &mut World) {
    let sick = |w: &World, id: &InstanceId| {
        let group = w.ec2.machines.get(id).and_then(|m| m.group.clone());
        let repairs = group.and_then(|g| w.ec2.node_groups.get(&g)).is_some_and(|g| g.now().2);
        let cut_off = w.ec2.nics_of(id).any(|(nic, _)| is_quarantined(w, nic));
        let open = w.ec2.machines.get(id).is_some_and(|m| !m.facts.now().termination_protection);
        repairs && cut_off && open
    };
    if let Some(id) = any_living(w, sick) {
        end(w, id);
    }
}

fn keep_capacity(w: &mut World) {
    let member = any_living(w, |w, id| w.ec2.machines.get(id).is_some_and(|m| m.fleet.is_some()));
    let Some(machine) = member.and_then(|id| w.ec2.machines.get(&id).cloned()) else { return };
    let Some(fleet) = machine.fleet.clone() else { return };
    let count = w.ec2.living().filter(|(_, m)| m.fleet.as_ref() == Some(&fleet)).count();
    let wanted = w.ec2.fleets.get(&fleet).map_or(0, |f| f.now().total);
    if i32::try_from(count).unwrap_or(i32::MAX) < wanted
        && let Some(vpc) = machine.shown.now().vpc.clone()
    {
        let (rogue, node) = (machine.rogue, machine.node);
        let next = Launch { vpc, instances: 1, interfaces: 1, rogue, node, group: None, fleet: Some(fleet) };
        launch::launch(w, &next);
    }
}

/// Karpenter terminates through the API, which protection against termination stops.
fn drift(w: &mut World) {
    let free = |w: &World, id: &InstanceId| {
        w.ec2.machines.get(id).is_some_and(|m| m.node && m.group.is_none() && !m.facts.now().termination_protection)
    };
    if let Some(id) = any_living(w, free) {
        replace(w, id);
    }
}

fn replace(w: &mut World, id: InstanceId) {
    let Some(machine) = w.ec2.machines.get(&id).cloned() else { return };
    let Some(vpc) = machine.shown.now().vpc.clone() else { return };
    end(w, id);
    let (rogue, node, group, fleet) = (machine.rogue, machine.node, machine.group, machine.fleet);
    launch::launch(w, &Launch { vpc, instances: 1, interfaces: 2, rogue, node, group, fleet });
}

fn sync_groups(w: &mut World) {
    let Some(id) = any_living(w, |w, id| w.ec2.machines.get(id).is_some_and(|m| m.node)) else { return };
    let nics: Vec<InterfaceId> = w.ec2.nics_of(&id).filter(|(_, n)| !n.branch).map(|(id, _)| id.clone()).collect();
    let Some((first, rest)) = nics.split_first() else { return };
    // In quarantine the CNI no longer reaches EC2.
    if is_quarantined(w, first) {
        return;
    }
    let groups = w.ec2.nics.get(first).and_then(|n| n.shown.now().as_ref().map(|i| i.groups.clone()));
    for nic in rest {
        let now = w.now;
        let own = w.ec2.nics.get(nic).and_then(|n| n.shown.now().clone()).is_some_and(|i| i.kind == InterfaceKind::Own);
        if own && w.buckets.take(Api::SetGroups, now) {
            touch(w, nic, groups.as_deref().unwrap_or_default());
        }
    }
}

fn attach_branch(w: &mut World) {
    let Some(id) = any_living(w, |w, id| w.ec2.machines.get(id).is_some_and(|m| m.node)) else { return };
    if let Some(vpc) = w.ec2.machines.get(&id).and_then(|m| m.shown.now().vpc.clone()) {
        launch::attach(w, &id, &vpc, InterfaceKind::Own, true);
    }
}

fn add_rule(w: &mut World) {
    let Some(id) = any_living(w, |_, _| true) else { return };
    let alone = |w: &World, nic: &InterfaceId| {
        w.ec2.nics.get(nic).and_then(|n| n.shown.now().as_ref()).is_some_and(|i| i.groups.len() == 1)
    };
    let Some(nic) = any_nic(w, &id, alone) else { return };
    let Some(shown) = w.ec2.nics.get(&nic).and_then(|n| n.shown.now().clone()) else { return };
    let (group, now) = (shown.groups[0].clone(), w.now);
    w.ec2.set_rules(&group, now, |rules| rules + 1);
    let changed = launch::trigger(w, TriggerKind::ChangeGroupRules, Subject::Group(group), Some("controller"));
    launch::event(w, changed);
}

fn set_back(w: &mut World) {
    let Some(id) = any_living(w, rogue) else { return };
    let Some(nic) = any_nic(w, &id, is_quarantined) else { return };
    let Some(vpc) = w.ec2.nics.get(&nic).and_then(|n| n.shown.now().as_ref().map(|i| i.vpc.clone())) else { return };
    let groups = launch::some_groups(w, &vpc);
    touch(w, &nic, &groups);
}

fn attach(w: &mut World) {
    let Some(id) = any_living(w, rogue) else { return };
    if let Some(vpc) = w.ec2.machines.get(&id).and_then(|m| m.shown.now().vpc.clone()) {
        launch::attach(w, &id, &vpc, InterfaceKind::Own, false);
    }
}

fn tamper(w: &mut World) {
    let groups: Vec<_> = w.store.quarantine.values().cloned().collect();
    let Some(group) = w.dice.pick(&groups).cloned() else { return };
    let now = w.now;
    w.ec2.set_rules(&group, now, |rules| rules + 2);
    let changed = launch::trigger(w, TriggerKind::ChangeGroupRules, Subject::Group(group), Some("mallory"));
    launch::event(w, changed);
}

fn unmark(w: &mut World) {
    let groups: Vec<_> = w.store.quarantine.values().cloned().collect();
    let Some(group) = w.dice.pick(&groups).cloned() else { return };
    let now = w.now;
    if let Some(group) = w.ec2.groups.get_mut(&group) {
        group.marked.put(now, false);
    }
}

fn launch_more(w: &mut World) {
    let vpcs = w.ec2.vpcs.clone();
    let Some(vpc) = w.dice.pick(&vpcs).cloned() else { return };
    let (instances, interfaces) = (w.dice.between(1, 2), w.dice.between(1, 3));
    launch::launch(w, &Launch { vpc, instances, interfaces, rogue: true, node: false, group: None, fleet: None });
}

fn drain(w: &mut World) {
    let now = w.now;
    w.buckets.drain(Api::SetGroups, now);
}

fn replay(w: &mut World) {
    let Some(id) = any_living(w, |_, _| true) else { return };
    let mut old = launch::trigger(w, TriggerKind::RunInstances, Subject::Instances(vec![id]), Some("mallory"));
    let ago = w.dice.below(600);
    old.at = crate::agenda::stamp(w.now.saturating_sub(ago * SECOND));
    launch::event(w, old);
}

fn report(w: &mut World) {
    if let Some(id) = any_living(w, rogue) {
        let finding = launch::finding(w, &id);
        launch::event(w, finding);
    }
}

fn release(w: &mut World) {
    let held: Vec<InstanceId> =
        w.store.holds.values().filter(|h| h.state != HoldState::Released).map(|h| h.instance.clone()).collect();
    if let Some(id) = w.dice.pick(&held).cloned() {
        let force = w.dice.chance(300);
        people::release(w, vec![id], force);
    }
}

fn keep(w: &mut World) {
    let held: Vec<InstanceId> =
        w.store.holds.values().filter(|h| h.deadline.is_some()).map(|h| h.instance.clone()).collect();
    if let Some(id) = w.dice.pick(&held).cloned() {
        people::keep(w, vec![id]);
    }
}

fn order(w: &mut World) {
    if let Some(id) = any_living(w, |_, _| true) {
        people::quarantine(w, vec![id]);
    }
}

fn pause(w: &mut World) {
    w.store.policy.paused = Some("somebody looks".to_owned());
    let lasts = w.dice.between(5, 200) * SECOND;
    w.later(lasts, |w| w.store.policy.paused = None);
}
