//! EC2 as it is and as it was: reads may be late, so every thing keeps its past.

use std::collections::{BTreeMap, BTreeSet};

use picket_model::{
    AccountId, AclEntry, Capacity, Facts, GroupId, Instance, InstanceId, InstanceState, Interface, InterfaceId,
    PublicAddress, Region, Scope, Untrusted, VpcId,
};
use picket_pipeline::ports::{GroupState, Which};

use crate::paths::Via;

/// A value and its past.
#[derive(Debug, Clone)]
pub struct History<T>(Vec<(u64, T)>);

impl<T> History<T> {
    /// Something that begins to exist.
    pub fn new(at: u64, value: T) -> Self {
        Self(vec![(at, value)])
    }

    /// What it is.
    #[must_use]
    pub fn now(&self) -> &T {
        &self.0[self.0.len() - 1].1
    }

    /// What it was first.
    #[must_use]
    pub fn first(&self) -> &T {
        &self.0[0].1
    }

    /// What it was at `at`; nothing if it did not exist.
    #[must_use]
    pub fn at(&self, at: u64) -> Option<&T> {
        self.0.iter().rev().find(|(since, _)| *since <= at).map(|(_, value)| value)
    }

    /// Changes it.
    pub fn put(&mut self, at: u64, value: T) {
        self.0.push((at, value));
    }
}

/// A connection of an interface (EC2 user guide, connection tracking).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Ends as soon as no rule allows it.
    Untracked,
    /// Goes through a public address until that is gone or it idles out, and a miner's never idles.
    Tracked,
    /// The same, inside the VPC.
    Inside,
    /// Goes through a NAT gateway, and is tracked whatever the rules are.
    AlwaysTracked,
}

/// An instance and what only its owner or AWS knows.
#[derive(Debug, Clone)]
pub struct Machine {
    /// As AWS shows it, without interfaces.
    pub shown: History<Instance>,
    /// Its user data in base64.
    pub user_data: Option<String>,
    /// Whether it mines.
    pub rogue: bool,
    /// Whether the VPC CNI runs on it.
    pub node: bool,
    /// Its Auto Scaling group.
    pub group: Option<String>,
    /// Its fleet.
    pub fleet: Option<String>,
    /// Whether what is known of it was copied.
    pub evidence: bool,
    /// What securing it reads and changes.
    pub facts: History<Facts>,
    /// The same, when it was launched.
    pub baseline: Facts,
    /// Whether its sessions are denied everything.
    pub denied: bool,
    /// Whether it carries a case's tag.
    pub tagged: bool,
    /// The client token of its launch.
    pub token: String,
}

/// An interface and what is not shown with it.
#[derive(Debug, Clone)]
pub struct Nic {
    /// As AWS shows it; nothing once it is deleted.
    pub shown: History<Option<Interface>>,
    /// Whether it is a pod's: not listed under its instance.
    pub branch: bool,
    /// How it reaches the internet.
    pub via: Via,
    /// Whether its groups make EC2 remember its connections.
    pub tracked: bool,
    /// Its public address.
    pub public: History<Option<PublicAddress>>,
    /// Its connections.
    pub flows: Vec<Flow>,
    /// When it connected.
    pub connected: Option<u64>,
    /// When somebody other than Picket changed it last.
    pub touched: Option<u64>,
    /// The groups that others gave it, one after the other, the launch's first.
    pub theirs: Vec<Vec<GroupId>>,
}

/// A security group.
#[derive(Debug, Clone)]
pub struct Group {
    /// As AWS shows it; nothing once it is deleted.
    pub shown: History<Option<GroupState>>,
    /// Whether it carries the mark of this deployment.
    pub marked: History<bool>,
}

/// One account in one Region.
#[derive(Debug, Default)]
pub struct Ec2 {
    /// Instances.
    pub machines: BTreeMap<InstanceId, Machine>,
    /// Interfaces.
    pub nics: BTreeMap<InterfaceId, Nic>,
    /// Groups.
    pub groups: BTreeMap<GroupId, Group>,
    /// Auto Scaling groups and what of each is suspended.
    pub suspended: BTreeMap<String, History<BTreeSet<String>>>,
    /// EKS node groups by their Auto Scaling group: least and most nodes, and whether EKS replaces sick ones.
    pub node_groups: BTreeMap<String, History<(i32, i32, bool)>>,
    /// Fleets and what each wants.
    pub fleets: BTreeMap<String, History<Capacity>>,
    /// The network ACL of each VPC's NAT gateway.
    pub acls: BTreeMap<VpcId, History<Vec<AclEntry>>>,
    /// Groups of the open window, those that were removed included.
    pub open: BTreeSet<GroupId>,
    /// VPCs.
    pub vpcs: Vec<VpcId>,
    made: u32,
}

/// The account and Region of every simulation.
///
/// # Panics
/// Never: the two ids are well formed.
#[must_use]
pub fn scope() -> Scope {
    let account = AccountId::parse("123456789012");
    let region = Region::parse("us-east-1");
    match (account, region) {
        (Ok(account), Ok(region)) => Scope { account, region },
        _ => unreachable!("the ids are well formed"),
    }
}

macro_rules! made_id {
    ($name:ident, $id:ty, $prefix:literal) => {
        #[doc = concat!("A new id such as `", $prefix, "00000001`.")]
        pub fn $name(&mut self) -> $id {
            self.made += 1;
            match <$id>::parse(format!(concat!($prefix, "{:08x}"), self.made)) {
                Ok(id) => id,
                Err(_) => unreachable!("eight digits are an id"),
            }
        }
    };
}

impl Ec2 {
    made_id!(new_instance, InstanceId, "i-");
    made_id!(new_interface, InterfaceId, "eni-");
    made_id!(new_group, GroupId, "sg-");
    made_id!(new_vpc, VpcId, "vpc-");

    /// A new reservation id.
    pub fn new_reservation(&mut self) -> String {
        self.made += 1;
        format!("r-{:08x}", self.made)
    }

    /// The interfaces of an instance that exist, branch interfaces included.
    pub fn nics_of<'a>(&'a self, id: &'a InstanceId) -> impl Iterator<Item = (&'a InterfaceId, &'a Nic)> {
        self.nics.iter().filter(move |(_, n)| n.shown.now().as_ref().is_some_and(|i| i.instance.as_ref() == Some(id)))
    }

    /// Instances that exist.
    pub fn living(&self) -> impl Iterator<Item = (&InstanceId, &Machine)> {
        self.machines.iter().filter(|(_, m)| !m.shown.now().state.is_gone())
    }

    /// The interfaces as they were at `at`, branches included: those are found by the tag of their trunk.
    #[must_use]
    pub fn interfaces(&self, of: &[InstanceId], at: u64) -> Vec<Interface> {
        self.those(of, at, |_| true)
    }

    fn those(&self, of: &[InstanceId], at: u64, like: impl Fn(&Nic) -> bool) -> Vec<Interface> {
        let shown = self.nics.values().filter(|n| like(n)).filter_map(|n| n.shown.at(at)?.as_ref());
        shown.filter(|i| i.instance.as_ref().is_some_and(|id| of.contains(id))).cloned().collect()
    }

    /// The instances as they were at `at`.
    #[must_use]
    pub fn instances(&self, which: &Which, at: u64) -> Vec<Instance> {
        let mut found = Vec::new();
        for machine in self.machines.values() {
            let Some(shown) = machine.shown.at(at) else { continue };
            // Branch interfaces are not listed under their instance.
            let interfaces = || self.those(std::slice::from_ref(&shown.id), at, |n| !n.branch);
            if is_meant(which, machine, shown, interfaces) {
                found.push(Instance { interfaces: interfaces(), ..shown.clone() });
            }
        }
        found
    }

    /// The groups with this deployment's mark as they were at `at`.
    #[must_use]
    pub fn marked(&self, vpc: &VpcId, at: u64) -> Vec<GroupState> {
        let marked = self.groups.values().filter(|g| g.marked.at(at) == Some(&true));
        marked.filter_map(|g| g.shown.at(at)?.clone()).filter(|g| &g.vpc == vpc).collect()
    }

    /// Changes the rules of a group.
    pub fn set_rules(&mut self, group: &GroupId, now: u64, rules: impl FnOnce(usize) -> usize) {
        let Some(found) = self.groups.get_mut(group) else { return };
        let Some(state) = found.shown.now().clone() else { return };
        let rules = rules(state.rules);
        found.shown.put(now, Some(GroupState { rules, ..state }));
        // What is not tracked ends as soon as its rule goes.
        let closed: BTreeSet<GroupId> = self.groups.keys().filter(|g| self.rules_of(g) == 0).cloned().collect();
        for nic in self.nics.values_mut() {
            let shut = nic.shown.now().as_ref().is_some_and(|i| i.groups.iter().all(|g| closed.contains(g)));
            nic.flows.retain(|f| !shut || *f != Flow::Untracked);
        }
    }

    /// Changes the groups of an interface. Untracked flows end in a group without rules; tracked ones go on.
    pub fn set_groups(&mut self, interface: &InterfaceId, groups: &[GroupId], now: u64) -> bool {
        let closed = groups.iter().all(|g| self.rules_of(g) == 0);
        let opened = groups.iter().any(|g| self.open.contains(g));
        let Some(nic) = self.nics.get_mut(interface) else { return false };
        let Some(shown) = nic.shown.now().clone() else { return false };
        nic.shown.put(now, Some(Interface { groups: groups.to_vec(), ..shown }));
        if opened {
            // Open to everything, both ways: nothing that rules decide is remembered any more.
            for flow in nic.flows.iter_mut().filter(|f| matches!(f, Flow::Tracked | Flow::Inside)) {
                *flow = Flow::Untracked;
            }
        }
        if closed {
            nic.flows.retain(|f| *f != Flow::Untracked);
        }
        true
    }

    /// How many rules a group has.
    #[must_use]
    pub fn rules_of(&self, group: &GroupId) -> usize {
        self.groups.get(group).and_then(|g| g.shown.now().as_ref()).map_or(0, |g| g.rules)
    }

    /// Makes a group.
    pub fn make_group(&mut self, vpc: &VpcId, rules: usize, marked: bool, now: u64) -> GroupId {
        let id = self.new_group();
        let state = GroupState { id: id.clone(), vpc: vpc.clone(), rules };
        self.groups
            .insert(id.clone(), Group { shown: History::new(now, Some(state)), marked: History::new(now, marked) });
        id
    }

    /// Changes the state of an instance; one that ends takes its interfaces with it.
    pub fn set_state(&mut self, id: &InstanceId, state: InstanceState, now: u64) {
        let Some(machine) = self.machines.get_mut(id) else { return };
        let shown = Instance { state, ..machine.shown.now().clone() };
        machine.shown.put(now, shown);
        if state == InstanceState::Terminated {
            let own: Vec<InterfaceId> = self.nics_of(id).map(|(id, _)| id.clone()).collect();
            for nic in own {
                if let Some(nic) = self.nics.get_mut(&nic) {
                    nic.shown.put(now, None);
                    nic.flows.clear();
                }
            }
        }
    }
}

fn is_meant(which: &Which, machine: &Machine, shown: &Instance, interfaces: impl Fn() -> Vec<Interface>) -> bool {
    match which {
        Which::Ids(ids) => ids.contains(&shown.id),
        Which::Reservation(r) => &shown.reservation == r,
        Which::ClientToken(t) => machine.token == t.as_str(),
        Which::Group(g) => interfaces().iter().any(|i| i.groups.contains(g)),
        Which::AutoScalingGroup(name) => machine.group.as_deref() == Some(name.as_str()),
        Which::LaunchTemplate(_) | Which::Fleet(_) => false,
        Which::All => !shown.state.is_gone(),
    }
}

/// Text of ours.
#[must_use]
pub fn text(text: &str) -> Untrusted {
    Untrusted::new(text)
}
