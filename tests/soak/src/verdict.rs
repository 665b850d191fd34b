//! What must hold in the end: faults are over, nobody else acts, sweeps ran and queues are empty.

use picket_model::{AtDeadline, HoldState, Instance, InstanceId, InstanceState, Interface, InterfaceId, InterfaceKind};

use picket_pipeline::messages::Message;

use crate::agenda::stamp;
use crate::cloud::Nic;
use crate::invariants::outlasting;
use crate::paths;
use crate::rules::Rule;
use crate::world::World;

/// Checks the end.
pub fn check(w: &mut World) {
    let living: Vec<Instance> = w.ec2.living().filter(|(_, m)| m.rogue).map(|(_, m)| m.shown.now().clone()).collect();
    for instance in living {
        rogue(w, &instance.id);
    }
    let holds: Vec<_> = w.store.holds.values().cloned().collect();
    for hold in holds {
        match hold.state {
            HoldState::Released => {
                restored(w, &hold);
                put_back(w, &hold);
            }
            HoldState::Contained => {
                due(w, &hold);
                told(w, &hold.instance);
                secured(w, &hold);
            }
            // What nobody may change keeps an instance from being contained whole, pods' interfaces included.
            HoldState::Containing if leaks_as_told(w, &hold.instance) => {}
            state => w.violate(Rule::HoldsAreTerminal, &format!("{} is {state}", hold.instance)),
        }
    }
    left_open(w);
    still_cut(w);
    let left: Vec<String> = w
        .queues
        .all()
        .filter(|(_, q)| !q.letters.is_empty())
        .map(|(n, q)| format!("{n:?} {}", q.letters.len()))
        .collect();
    if !left.is_empty() {
        w.violate(Rule::NoMessageLost, &format!("still there: {}", left.join(", ")));
    }
}

/// What was last told as CUT and is held still has no connection of before, whatever late reads showed on the way.
fn still_cut(w: &mut World) {
    for (interface, at) in w.watched.told_cut.clone() {
        let shown = w.ec2.nics.get(&interface).and_then(|n| n.shown.now().as_ref());
        let held = shown.and_then(|i| i.instance.as_ref()).is_some_and(|i| w.store.is_held(i));
        let flows = outlasting(w, &interface, at);
        if held && !flows.is_empty() {
            w.violate(Rule::CutIsCut, &format!("{interface} in the end: {flows:?}, contained {at}"));
        }
    }
}

/// No stage may leave an interface in a group of the open window. Who launches into one that he found there, or puts an
/// interface back into it, does so himself.
fn left_open(w: &mut World) {
    let shown = w.ec2.nics.values().filter_map(|n| n.shown.now().clone());
    let ours = |i: &Interface| w.watched.set_last.get(&i.id) == Some(&i.groups);
    let open = shown.filter(|i| ours(i) && i.groups.iter().any(|g| w.ec2.open.contains(g)));
    let open: Vec<_> = open.map(|i| i.id).collect();
    for nic in open {
        w.violate(Rule::NoneLeftOpen, nic.as_str());
    }
}

/// Whether a hold is on its way from one state to another, or a message waits for its next try.
#[must_use]
pub fn is_under_way(w: &World) -> bool {
    let on_its_way = |h: &picket_model::Hold| match h.state {
        HoldState::Releasing => true,
        HoldState::Containing => !leaks_as_told(w, &h.instance),
        HoldState::Contained => !h.secured,
        HoldState::Released => false,
    };
    w.store.holds.values().any(on_its_way) || w.queues.all().any(|(_, q)| !q.letters.is_empty())
}

fn nics(w: &World, id: &InstanceId) -> Vec<(InterfaceId, Nic, Interface)> {
    let of = |(id, nic): (&InterfaceId, &Nic)| Some((id.clone(), nic.clone(), nic.shown.now().clone()?));
    w.ec2.nics_of(id).filter_map(of).collect()
}

/// Whether an interface is one that we may not change: its requester's, or one that the never-list names.
fn is_out_of_reach(w: &World, shown: &Interface) -> bool {
    is_forbidden(w, shown) || matches!(shown.kind, InterfaceKind::Requester(_))
}

/// Whether people know of an interface that is out of reach: as a leak, or as what the never-list keeps us away from.
fn is_known(w: &World, id: &InstanceId, shown: &Interface) -> bool {
    let spared = w.watched.spared_told.contains(id) && nics(w, id).iter().any(|(_, _, i)| is_forbidden(w, i));
    spared || w.watched.leaks_told.contains(&shown.id)
}

/// Whether only what is out of reach keeps an instance from being contained, and people know all of it.
fn leaks_as_told(w: &World, id: &InstanceId) -> bool {
    let mut open = nics(w, id).into_iter().map(|(_, _, i)| i).filter(|i| !is_contained(w, i)).peekable();
    open.peek().is_some() && open.all(|i| is_out_of_reach(w, &i) && is_known(w, id, &i))
}

/// Whether an interface is in its quarantine group alone, and that has no rules.
#[must_use]
pub fn is_contained(w: &World, shown: &Interface) -> bool {
    match (w.store.quarantine.get(&shown.vpc), shown.groups.as_slice()) {
        (Some(ours), [only]) => ours == only && w.ec2.rules_of(only) == 0,
        _ => false,
    }
}

fn rogue(w: &mut World, id: &InstanceId) {
    let released = w.store.holds.get(id).is_some_and(|h| h.state == HoldState::Released);
    let capped = w.watched.capped_told.contains(id) && w.watched.tight;
    if w.watched.observes || released || capped {
        return;
    }
    for (nic, state, shown) in nics(w, id) {
        if is_contained(w, &shown) {
            continue;
        }
        if is_out_of_reach(w, &shown) {
            if !is_known(w, id, &shown) {
                let why = if is_forbidden(w, &shown) { "is in a never-listed group" } else { "is its requester's" };
                w.violate(Rule::LeaksAreTold, &format!("{nic} of {id} {why}"));
            }
        } else if state.branch {
            w.violate(Rule::BranchesAreContained, &format!("{nic} of {id}"));
        } else {
            w.violate(Rule::RoguesAreContained, &format!("{nic} of {id}: {:?}", shown.groups));
        }
    }
}

/// Whether the never-list forbids to touch an interface.
fn is_forbidden(w: &World, shown: &Interface) -> bool {
    shown.groups.iter().any(|g| w.watched.never.contains(g.as_str()))
}

/// What nobody kept by its deadline is lifted by the sweep, unless somebody changed what would be put back.
fn due(w: &mut World, hold: &picket_model::Hold) {
    let lifted_since = hold.due(w.time()) == Some(AtDeadline::Lift) && w.store.policy.paused.is_none();
    let gone = w.ec2.machines.get(&hold.instance).is_none_or(|m| m.shown.now().state.is_gone());
    // The last sweep may have come before the deadline.
    let late = hold.deadline.as_ref().is_some_and(|d| w.time().duration_since(d.at).as_mins() > 15);
    if lifted_since && late && !gone && !w.watched.overdue_told.contains(&hold.instance) {
        w.violate(Rule::DueIsLifted, hold.instance.as_str());
    }
}

/// What a release puts back beside the groups.
fn put_back(w: &mut World, hold: &picket_model::Hold) {
    let id = &hold.instance;
    let failed = hold.measures.iter().any(|m| matches!(m.state, picket_model::MeasureState::Failed(_)));
    let when = match (failed, w.watched.outlived) {
        (true, _) => "after a failed measure",
        (_, true) => "after a worker outlived its limit",
        _ => "after a release",
    };
    let Some(machine) = w.ec2.machines.get(id).filter(|m| !m.shown.now().state.is_gone()) else { return };
    let (now, then) = (machine.facts.now().clone(), machine.baseline.clone());
    let denied = machine.denied;
    if now != then || denied || machine.tagged {
        w.violate(Rule::MeasuresArePutBack, &format!("{id} {when}: {now:?} is not {then:?}, denied {denied}"));
    }
    paths_put_back(w, hold, when);
    owners_put_back(w, id);
    let Some(group) = w.ec2.machines.get(id).and_then(|m| m.group.clone()) else { return };
    let members: Vec<_> =
        w.ec2.machines.iter().filter(|(_, m)| m.group.as_ref() == Some(&group)).map(|(i, _)| i).collect();
    let held = members.iter().any(|m| w.store.is_held(m));
    let suspended = w.ec2.suspended.get(&group).map(|s| s.now().clone()).unwrap_or_default();
    if !held && !suspended.is_empty() {
        w.violate(Rule::MeasuresArePutBack, &format!("{group}: {suspended:?} is suspended"));
    }
}

/// Addresses, denials and power are as they were.
fn paths_put_back(w: &mut World, hold: &picket_model::Hold, when: &str) {
    for (id, nic, shown) in nics(w, &hold.instance) {
        let address = paths::address(&id);
        let denied = w.ec2.acls.get(&shown.vpc).is_some_and(|a| a.now().iter().any(|e| e.denies(address)));
        if denied {
            w.violate(Rule::MeasuresArePutBack, &format!("{id} {when}: {address} is still denied"));
        }
        let first = nic.public.first().clone();
        if nic.public.now() != &first {
            w.violate(Rule::MeasuresArePutBack, &format!("{id} {when}: {:?} is not {first:?}", nic.public.now()));
        }
    }
    let stopped = w.ec2.machines.get(&hold.instance).is_some_and(|m| m.shown.now().state == InstanceState::Stopped);
    if stopped {
        w.violate(Rule::MeasuresArePutBack, &format!("{} {when}: it is stopped", hold.instance));
    }
}

/// An owner none of whose members is held goes on as before.
fn owners_put_back(w: &mut World, id: &InstanceId) {
    let Some(machine) = w.ec2.machines.get(id) else { return };
    let (group, fleet) = (machine.group.clone(), machine.fleet.clone());
    let held = |like: &dyn Fn(&crate::cloud::Machine) -> bool| {
        w.ec2.machines.iter().any(|(i, m)| like(m) && w.store.is_held(i))
    };
    let mut wrong = Vec::new();
    if let Some(group) = group.filter(|g| !held(&|m| m.group.as_ref() == Some(g))) {
        let now = w.ec2.node_groups.get(&group).map(|g| *g.now());
        wrong.extend(now.filter(|n| n != paths::first_sizes().now()).map(|n| format!("{group}: {n:?}")));
    }
    if let Some(fleet) = fleet.filter(|f| !held(&|m| m.fleet.as_ref() == Some(f))) {
        let now = w.ec2.fleets.get(&fleet).map(|f| *f.now());
        wrong.extend(now.filter(|n| *n != paths::first_capacity()).map(|n| format!("{fleet}: {n:?}")));
    }
    for what in wrong {
        w.violate(Rule::MeasuresArePutBack, &format!("{what} is suspended"));
    }
}

fn secured(w: &mut World, hold: &picket_model::Hold) {
    let Some(machine) = w.ec2.machines.get(&hold.instance).filter(|m| !m.shown.now().state.is_gone()) else { return };
    let failed = hold.measures.iter().any(|m| matches!(m.state, picket_model::MeasureState::Failed(_)));
    let facts = machine.facts.now();
    let as_wanted = facts.termination_protection
        && !facts.metadata_endpoint
        && facts.deleted_with_it.is_empty()
        && facts.target_groups.is_empty()
        && machine.denied == facts.role.is_some()
        && machine.evidence;
    if w.watched.contain_only {
        return;
    }
    if !failed && (!hold.secured || !as_wanted) {
        let undone = hold.measures.iter().any(|m| m.state == picket_model::MeasureState::Undone);
        let undone = match (undone, w.weather.late_reads) {
            (true, _) => " after measures were undone",
            (_, true) => " after a late read",
            _ => "",
        };
        let text = format!("{}{undone}: secured {}, {facts:?}, denied {}", hold.instance, hold.secured, machine.denied);
        w.violate(Rule::HeldAreSecured, &text);
    }
}

fn told(w: &mut World, id: &InstanceId) {
    let names = |m: &Message| match m {
        Message::Notice(n) => n.decision.targets.iter().any(|t| t.instance.as_ref() == Some(id)),
        _ => false,
    };
    let dead = w.queues.all().any(|(_, q)| q.dead.iter().any(|l| names(&l.body)));
    if !w.watched.quarantines_told.contains(id) && !dead {
        w.violate(Rule::QuarantinesAreTold, id.as_str());
    }
}

fn restored(w: &mut World, hold: &picket_model::Hold) {
    let at = hold.released.as_ref().map(|r| r.at);
    for capture in &hold.captures {
        let Some(nic) = w.ec2.nics.get(&capture.interface) else { continue };
        let Some(shown) = nic.shown.now().clone() else { continue };
        let touched_since = nic.touched.is_some_and(|t| Some(stamp(t)) >= at);
        let left = w.ec2.restorable(capture);
        // Nothing but a group of ours was there: then it stays where it is.
        let stays = left.is_empty() && shown.groups.iter().all(|g| w.store.ever_quarantine.contains(g));
        let whole = if left.is_empty() { stays } else { shown.groups == left };
        if !whole && !touched_since {
            let held = shown.groups.iter().all(|g| w.store.ever_quarantine.contains(g));
            let where_ = if held { "still in quarantine" } else { "elsewhere" };
            let what =
                format!("{} of {} {where_}: {:?} is not {:?}", shown.id, hold.instance, shown.groups, capture.groups);
            w.violate(Rule::ReleasedAreRestored, &what);
        }
    }
}
