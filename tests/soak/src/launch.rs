//! Launches: instances come to be, boot, open connections, and events tell of them, or do not.

use std::collections::{BTreeMap, BTreeSet};

use picket_model::{
    GroupId, Hint, Instance, InstanceId, InstanceState, Interface, InterfaceId, InterfaceKind, Principal,
    PrincipalKind, Signal, Subject, Trigger, TriggerKind, Untrusted, VpcId,
};
use picket_pipeline::messages::Message;

use crate::agenda::{MILLI, SECOND};
use crate::cloud::{History, Machine, Nic, scope, text};
use crate::levers;
use crate::paths::{self, Via};
use crate::world::World;

/// `#!/bin/sh` and a miner, in base64.
const MINER: &str = "IyEvYmluL3NoCi4veG1yaWcgLW8gc3RyYXR1bSt0Y3A6Ly9wb29sLmhhc2h2YXVsdC5wcm86ODAgLXUgNEEK";

/// What is launched.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Where.
    pub vpc: VpcId,
    /// How many instances.
    pub instances: u64,
    /// How many interfaces each has.
    pub interfaces: u64,
    /// Whether they mine.
    pub rogue: bool,
    /// Whether the VPC CNI runs on them.
    pub node: bool,
    /// Their Auto Scaling group.
    pub group: Option<String>,
    /// Their fleet.
    pub fleet: Option<String>,
}

/// Groups of a VPC that are no quarantine groups, in any order, at least one.
pub fn some_groups(w: &mut World, vpc: &VpcId) -> Vec<GroupId> {
    let plain = |w: &World| -> Vec<GroupId> {
        let of_vpc = w.ec2.groups.iter().filter(|(id, g)| {
            !g.marked.at(u64::MAX).is_some_and(|m| *m)
                && !w.store.ever_quarantine.contains(*id)
                && g.shown.now().as_ref().is_some_and(|g| &g.vpc == vpc)
        });
        of_vpc.map(|(id, _)| id.clone()).collect()
    };
    let mut groups = plain(w);
    w.dice.shuffle(&mut groups);
    let kept = usize::try_from(w.dice.between(1, 5)).unwrap_or(1);
    groups.truncate(kept);
    groups
}

/// Launches instances and tells of it.
pub fn launch(w: &mut World, what: &Launch) -> Vec<InstanceId> {
    let reservation = w.ec2.new_reservation();
    let ids: Vec<InstanceId> = (0..what.instances).map(|_| machine(w, what, &reservation)).collect();
    let service = what.group.is_some();
    let caller = if what.rogue { "mallory" } else { "carol" };
    let run = trigger(w, TriggerKind::RunInstances, Subject::Instances(ids.clone()), Some(caller));
    let hint = Hint {
        instances: w.ec2.instances(&picket_pipeline::ports::Which::Ids(ids.clone()), w.now),
        groups: Vec::new(),
    };
    event(w, Trigger { hint, ..run });
    for id in &ids {
        let one = || Subject::Instances(vec![id.clone()]);
        let pending = trigger(w, TriggerKind::InstanceState, one(), None);
        event(w, pending);
        if service {
            let launched = trigger(w, TriggerKind::AutoScalingLaunch, one(), None);
            event(w, launched);
        }
        let (id, boots) = (id.clone(), w.dice.between(10, 60) * SECOND);
        w.later(boots, move |w| boot(w, &id));
    }
    ids
}

fn machine(w: &mut World, what: &Launch, reservation: &str) -> InstanceId {
    let id = w.ec2.new_instance();
    let kind = if what.rogue { "g5.48xlarge" } else { "m7g.large" };
    let shown = Instance {
        id: id.clone(),
        scope: scope(),
        reservation: text(reservation),
        instance_type: text(kind),
        image: text("ami-1"),
        state: InstanceState::Pending,
        launched_at: w.time(),
        vpc: Some(what.vpc.clone()),
        interfaces: Vec::new(),
        name: text("worker"),
        tags: tags(what),
        metadata_v1: Some(what.rogue),
        profile: None,
    };
    if let Some(group) = &what.group {
        w.ec2.suspended.entry(group.clone()).or_insert_with(|| History::new(0, BTreeSet::new()));
        if what.node {
            w.ec2.node_groups.entry(group.clone()).or_insert_with(paths::first_sizes);
        }
    }
    if let Some(fleet) = &what.fleet {
        w.ec2.fleets.entry(fleet.clone()).or_insert_with(|| History::new(0, paths::first_capacity()));
    }
    let facts = levers::facts(&id, w.dice.chance(500), w.dice.chance(300));
    let machine = Machine {
        facts: History::new(w.now, facts.clone()),
        baseline: facts,
        denied: false,
        tagged: false,
        shown: History::new(w.now, shown),
        user_data: what.rogue.then(|| MINER.to_owned()),
        rogue: what.rogue,
        node: what.node,
        group: what.group.clone(),
        fleet: what.fleet.clone(),
        evidence: false,
        token: reservation.to_owned(),
    };
    w.ec2.machines.insert(id.clone(), machine);
    for _ in 0..what.interfaces {
        let kind = if w.dice.chance(15) {
            InterfaceKind::Requester(text("amazon-elb"))
        } else if w.dice.chance(20) {
            InterfaceKind::Operator(text("eks.amazonaws.com"))
        } else {
            InterfaceKind::Own
        };
        attach(w, &id, &what.vpc, kind, false);
    }
    id
}

/// The tags that AWS puts on what its services launch.
fn tags(what: &Launch) -> BTreeMap<Untrusted, Untrusted> {
    let group = what.group.iter().map(|g| ("aws:autoscaling:groupName", g.clone()));
    let node = what
        .group
        .iter()
        .filter(|_| what.node)
        .flat_map(|g| [("eks:cluster-name", "prod".to_owned()), ("eks:nodegroup-name", g.clone())]);
    let fleet = what.fleet.iter().map(|f| ("aws:ec2:fleet-id", f.clone()));
    group.chain(node).chain(fleet).map(|(k, v)| (text(k), text(&v))).collect()
}

/// Attaches an interface.
pub fn attach(w: &mut World, id: &InstanceId, vpc: &VpcId, kind: InterfaceKind, branch: bool) -> InterfaceId {
    let nic = w.ec2.new_interface();
    let groups = some_groups(w, vpc);
    let theirs = vec![groups.clone()];
    let shown =
        Interface { id: nic.clone(), instance: Some(id.clone()), vpc: vpc.clone(), groups, kind, public_ip: None };
    let shown = History::new(w.now, Some(shown));
    let via = w.dice.pick(&[Via::Public, Via::Gateway, Via::Nothing]).copied().unwrap_or(Via::Nothing);
    let elastic = w.dice.chance(500);
    let public = (via == Via::Public).then(|| paths::public_address(&nic, elastic));
    let made = Nic {
        shown,
        branch,
        via,
        tracked: w.dice.chance(600),
        public: History::new(w.now, public),
        flows: Vec::new(),
        connected: None,
        touched: None,
        theirs,
    };
    w.ec2.nics.insert(nic.clone(), made);
    nic
}

/// The instance runs; where its groups let it, it connects.
fn boot(w: &mut World, id: &InstanceId) {
    if w.ec2.machines.get(id).is_none_or(|m| m.shown.now().state != InstanceState::Pending) {
        return;
    }
    let now = w.now;
    w.ec2.set_state(id, InstanceState::Running, now);
    let own: Vec<_> = w.ec2.nics_of(id).map(|(nic, _)| nic.clone()).collect();
    for nic in own {
        let inside = w.dice.chance(500);
        let open = |w: &World| -> bool {
            let groups = w.ec2.nics.get(&nic).and_then(|n| n.shown.now().as_ref().map(|i| i.groups.clone()));
            groups.unwrap_or_default().iter().any(|g| w.ec2.rules_of(g) > 0)
        };
        let open = open(w);
        let denied = w.ec2.is_denied(&nic);
        if let Some(nic) = w.ec2.nics.get_mut(&nic).filter(|_| open) {
            nic.flows = paths::connections(nic, inside, denied);
            nic.connected = Some(now);
        }
    }
    let running = trigger(w, TriggerKind::InstanceState, Subject::Instances(vec![id.clone()]), None);
    event(w, running);
}

/// A trigger of now.
pub fn trigger(w: &World, kind: TriggerKind, subject: Subject, caller: Option<&str>) -> Trigger {
    Trigger {
        kind,
        scope: scope(),
        at: w.time(),
        event: text("event"),
        subject,
        principal: caller.map(principal),
        signal: None,
        hint: Hint::default(),
    }
}

/// GuardDuty's report of an instance.
pub fn finding(w: &World, id: &InstanceId) -> Trigger {
    let signal = Signal::Finding { finding: text("CryptoCurrency:EC2/BitcoinTool.B"), severity_tenths: 80 };
    let report = trigger(w, TriggerKind::GuardDuty, Subject::Instances(vec![id.clone()]), None);
    Trigger { signal: Some(signal), ..report }
}

fn principal(name: &str) -> Principal {
    Principal {
        kind: PrincipalKind::User,
        arn: text(&format!("arn:aws:iam::123456789012:user/{name}")),
        name: text(name),
        access_key: None,
        invoked_by: None,
        source_ip: None,
        user_agent: None,
    }
}

/// EventBridge delivers: usually once and soon.
pub fn event(w: &mut World, trigger: Trigger) {
    let (lost, doubled, late) = w.weather.events;
    if lost > 0 && w.dice.chance(lost) {
        return w.count("fault: event is lost");
    }
    let copies = if doubled > 0 && w.dice.chance(doubled) {
        w.count("fault: event is delivered again");
        w.dice.between(2, 4)
    } else {
        1
    };
    for _ in 0..copies {
        let mut wait = w.dice.between(300, 4_000) * MILLI;
        if late > 0 && w.dice.chance(late) {
            w.count("fault: event is late");
            wait += w.dice.below(120 * SECOND);
        }
        let message = Message::Look(Box::new(trigger.clone()));
        w.later(wait, move |w| w.put(message));
    }
}
