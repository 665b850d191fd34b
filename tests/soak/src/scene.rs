//! How a play begins: the policy, the instances with what they are and how they connect, and the order to contain them.

use picket_model::{Decision, InstanceId, Interface, InterfaceKind};
use picket_pipeline::messages::Message;
use picket_pipeline::order;

use crate::agenda::{MINUTE, SECOND};
use crate::cloud::{History, scope, text};
use crate::launch::{self, Launch};
use crate::paths::{self, Via};
use crate::playbook::{Owner, Play, Rung};
use crate::soak;
use crate::world::World;

/// Not sure enough to be kept beyond the deadline.
const SUSPECTED: u8 = 60;

/// Sets the scene.
pub fn set(w: &mut World, play: Play) -> Vec<InstanceId> {
    soak::lay_out(w, 1);
    policy(w, play);
    w.weather.events = (1_000, 0, 0);
    let ids = instances(w, play);
    connect(w, play.rung);
    w.ordered.extend(ids.iter().cloned());
    let decision = decision(w, play, &ids);
    for n in 0..play.times {
        let message = Message::Decision(Box::new(decision.clone()));
        let boots = if play.rung == Rung::None { 0 } else { 2 * MINUTE };
        let wait = boots + if play.at_once { 0 } else { n * 10 * MINUTE };
        w.later(wait, move |w| w.put(message));
    }
    soak::sweeps(w, 10 * MINUTE + SECOND, 20 * MINUTE);
    ids
}

fn policy(w: &mut World, play: Play) {
    let extent = if play.full { "full" } else { "contain_only" };
    let flows = match play.rung {
        Rung::None => "",
        Rung::Any => "flows: {open_window: true, stop: true}\n",
        Rung::Acl => "flows: {drop_address: never}\n",
        Rung::Address => "flows: {drop_address: any, deny_at_gateway: false}\n",
        Rung::Window => "flows: {drop_address: never, open_window: true}\n",
        Rung::Stop => "flows: {drop_address: never, deny_at_gateway: false, stop: true}\n",
    };
    let holds = if play.expires { "holds: {lift_suspected_after: 65m}\n" } else { "" };
    w.store.policy.current = Some(format!("version: 1\nmode: enforce\ncontainment: {extent}\n{flows}{holds}"));
    w.store.policy.good.clone_from(&w.store.policy.current);
    w.watched.contain_only = !play.full;
}

fn instances(w: &mut World, play: Play) -> Vec<InstanceId> {
    let vpc = w.ec2.vpcs[0].clone();
    let owned = |by: Owner, name: &str| (play.owner == by).then(|| name.to_owned());
    let node = play.branches > 0 || play.owner == Owner::NodeGroup;
    let launch = Launch {
        vpc: vpc.clone(),
        instances: play.instances,
        interfaces: play.interfaces,
        rogue: false,
        node,
        group: owned(Owner::ScalingGroup, "web").or_else(|| owned(Owner::NodeGroup, "nodes")),
        fleet: owned(Owner::Fleet, "fleet-1"),
    };
    let ids = launch::launch(w, &launch);
    for id in &ids {
        for _ in 0..play.branches {
            launch::attach(w, id, &vpc, InterfaceKind::Own, true);
        }
    }
    for machine in w.ec2.machines.values_mut().filter(|_| play.owner == Owner::Spot) {
        machine.baseline.spot = true;
        machine.baseline.spot_request = Some(text("sir-1"));
        machine.facts = History::new(0, machine.baseline.clone());
    }
    ids
}

/// Every interface is ours to change, and leaves by the way that the rung ends.
fn connect(w: &mut World, rung: Rung) {
    let via = match rung {
        Rung::None | Rung::Any => None,
        Rung::Acl | Rung::Stop => Some(Via::Gateway),
        Rung::Address | Rung::Window => Some(Via::Public),
    };
    for (id, nic) in &mut w.ec2.nics {
        let shown = nic.shown.now().clone().map(|i| Interface { kind: InterfaceKind::Own, ..i });
        nic.shown = History::new(0, shown);
        if let Some(via) = via {
            nic.via = via;
            nic.tracked = true;
            nic.public = History::new(0, (via == Via::Public).then(|| paths::public_address(id, true)));
        }
    }
}

/// What a person orders; what may expire is a suspicion.
fn decision(w: &World, play: Play, ids: &[InstanceId]) -> Decision {
    let order = order::Order { instances: ids.to_vec(), by: text("bob"), reason: text("it looks odd") };
    let mut decision = order.decision(&scope(), w.time());
    if play.expires {
        decision.ordered = false;
        decision.score.total = SUSPECTED;
    }
    decision
}
