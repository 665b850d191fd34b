//! How connections leave interfaces in the world, and what ends them: addresses, a gateway's network ACL, the open
//! window, stopping. And what owns instances beside Auto Scaling groups.

use std::net::Ipv4Addr;

use picket_model::{
    Acl, AclEntry, Capacity, Capture, Change, Elastic, Fleet, FlowFacts, GroupId, InstanceId, InstanceState,
    InterfaceId, NodeGroup, Owner, Owners, PublicAddress, ScalingGroup, Tracking, VpcId, Way,
};
use picket_pipeline::flows::free_numbers;
use picket_pipeline::ports::{Answer, Kind, PortError};

use crate::cloud::{Ec2, Flow, History, Nic, text};

/// How an interface reaches the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// By a public address.
    Public,
    /// By a NAT gateway in another subnet.
    Gateway,
    /// Not at all.
    Nothing,
}

/// The connections of an interface that has booted. None goes through an address that it has not, or through a gateway
/// whose ACL denies it.
#[must_use]
pub fn connections(nic: &Nic, inside: bool, denied: bool) -> Vec<Flow> {
    let mut flows = match (nic.via, nic.tracked) {
        (Via::Public, true) => vec![Flow::Tracked],
        (Via::Gateway, _) => vec![Flow::AlwaysTracked],
        (Via::Nothing, true) => Vec::new(),
        (_, false) => vec![Flow::Untracked],
    };
    if nic.tracked && inside {
        flows.push(Flow::Inside);
    }
    flows.retain(|f| match f {
        Flow::Tracked => nic.public.now().is_some(),
        Flow::AlwaysTracked => !denied,
        Flow::Untracked | Flow::Inside => true,
    });
    flows
}

/// The entries that a gateway's ACL begins with.
#[must_use]
pub fn first_entries() -> Vec<AclEntry> {
    let entry = |number, egress, allows, cidr: &str| AclEntry {
        number,
        egress,
        allows,
        cidr: text(cidr),
        protocol: "-1".to_owned(),
    };
    let both = |number, allows, cidr| [false, true].map(|egress| entry(number, egress, allows, cidr));
    [both(90, false, "198.51.100.0/24"), both(100, true, "0.0.0.0/0"), both(32_767, false, "0.0.0.0/0")].concat()
}

/// The address of an interface: its number is its own.
#[must_use]
pub fn address(id: &InterfaceId) -> Ipv4Addr {
    let number = u32::from_str_radix(id.as_str().trim_start_matches("eni-"), 16).unwrap_or(0);
    Ipv4Addr::from(0x0a00_0000 + (number & 0x00ff_ffff))
}

/// A public address for an interface.
#[must_use]
pub fn public_address(id: &InterfaceId, elastic: bool) -> PublicAddress {
    let private = address(id);
    let elastic = elastic.then(|| Elastic {
        allocation: text(&format!("eipalloc-{private}")),
        association: text(&format!("eipassoc-{private}")),
    });
    PublicAddress { public: Ipv4Addr::from(u32::from(private) | 0xc000_0000), private, elastic }
}

fn acl_id(vpc: &VpcId) -> String {
    format!("acl-of-{vpc}")
}

impl Ec2 {
    /// What is read of connections, as it was at `at`.
    #[must_use]
    pub fn flow_facts(&self, of: &[(InstanceId, Capture)], at: u64) -> Vec<FlowFacts> {
        let facts = |(instance, capture): &(InstanceId, Capture)| {
            let nic = self.nics.get(&capture.interface)?;
            nic.shown.at(at)?.as_ref()?;
            let acl = self.acls.get(&capture.vpc).and_then(|a| a.at(at)).cloned().unwrap_or_default();
            let acl = Acl { id: text(&acl_id(&capture.vpc)), ours: true, entries: acl };
            let ways = match nic.via {
                Via::Public => vec![Way::Internet],
                Via::Gateway => vec![Way::Nat { gateway: text("nat-1"), acl: Some(acl) }],
                Via::Nothing => Vec::new(),
            };
            Some(FlowFacts {
                interface: capture.interface.clone(),
                instance: instance.clone(),
                addresses: vec![address(&capture.interface)],
                prefixes: false,
                ipv6: false,
                public: nic.public.at(at).cloned().flatten().into_iter().collect(),
                ways,
                tracking: if nic.tracked { Tracking::Tracked } else { Tracking::Untracked },
                idle: None,
                unknown: Vec::new(),
            })
        };
        of.iter().filter_map(facts).collect()
    }

    /// Takes a public address away, or gives it: an interface that is gone has none to give.
    pub fn set_public(&mut self, interface: &InterfaceId, to: Option<PublicAddress>, now: u64) {
        let Some(nic) = self.nics.get_mut(interface) else { return };
        if to.is_none() {
            nic.flows.retain(|f| *f != Flow::Tracked);
        }
        nic.public.put(now, to);
    }

    /// Denies addresses in a gateway's ACL, as AWS would: a number once, a limit of entries.
    ///
    /// # Errors
    /// If there is no room.
    pub fn deny(&mut self, acl: &str, addresses: &[Ipv4Addr], limit: usize, now: u64) -> Answer<()> {
        let Some((vpc, found)) = self.acls.iter_mut().find(|(vpc, _)| acl_id(vpc) == acl) else { return Ok(()) };
        let (vpc, mut entries) = (vpc.clone(), found.now().clone());
        for address in addresses {
            for egress in [false, true] {
                if entries.iter().any(|e| e.egress == egress && e.denies(*address)) {
                    continue;
                }
                let used = entries.iter().filter(|e| e.egress == egress && e.number < 32_767).count();
                let number = free_numbers(&entries, egress).next().filter(|_| used < limit);
                let Some(number) = number else {
                    found.put(now, entries);
                    return Err(PortError::new("denying in", acl, Kind::Other, "NetworkAclEntryLimitExceeded"));
                };
                let cidr = text(&format!("{address}/32"));
                entries.push(AclEntry { number, egress, allows: false, cidr, protocol: "-1".to_owned() });
            }
        }
        found.put(now, entries);
        for (id, nic) in &mut self.nics {
            let here = nic.shown.now().as_ref().is_some_and(|i| i.vpc == vpc);
            if here && addresses.contains(&address(id)) {
                nic.flows.retain(|f| *f != Flow::AlwaysTracked);
            }
        }
        Ok(())
    }

    /// Whether its gateway's ACL denies an interface.
    #[must_use]
    pub fn is_denied(&self, nic: &InterfaceId) -> bool {
        let vpc = self.nics.get(nic).and_then(|n| n.shown.now().as_ref()).map(|i| &i.vpc);
        let entries = vpc.and_then(|v| self.acls.get(v)).map(History::now);
        entries.is_some_and(|e| e.iter().any(|e| e.denies(address(nic))))
    }

    /// Takes denials out of a gateway's ACL.
    pub fn allow(&mut self, acl: &str, addresses: &[Ipv4Addr], before: &[AclEntry], now: u64) {
        let Some((_, found)) = self.acls.iter_mut().find(|(vpc, _)| acl_id(vpc) == acl) else { return };
        let mut entries = found.now().clone();
        entries.retain(|e| !addresses.iter().any(|a| e.denies(*a)) || before.contains(e));
        found.put(now, entries);
    }

    /// What a release has to give back of a capture: all of it, in its order. Only what truly was a group of our open
    /// window stays out, and only where somebody else had put the interface into it.
    #[must_use]
    pub fn restorable(&self, capture: &Capture) -> Vec<GroupId> {
        let put =
            |g: &GroupId| self.nics.get(&capture.interface).is_some_and(|n| n.theirs.iter().flatten().any(|t| t == g));
        capture.groups.iter().filter(|g| !(self.open.contains(*g) && put(g))).cloned().collect()
    }

    /// Whether a capture is what others gave its interface at some time; of that, a release may have left out our own.
    #[must_use]
    pub fn is_theirs(&self, capture: &Capture) -> bool {
        let same = |given: &Vec<GroupId>| {
            *given == capture.groups || given.iter().filter(|g| !self.open.contains(*g)).eq(&capture.groups)
        };
        self.nics.get(&capture.interface).is_none_or(|n| n.theirs.iter().any(same))
    }

    /// Makes a group that is open to everything.
    pub fn make_open_group(&mut self, vpc: &VpcId, now: u64) -> GroupId {
        let id = self.make_group(vpc, 4, false, now);
        self.open.insert(id.clone());
        id
    }

    /// Removes one, unless an interface is in it.
    ///
    /// # Errors
    /// As AWS refuses.
    pub fn remove_group(&mut self, id: &GroupId, now: u64) -> Answer<()> {
        let used = self.nics.values().filter_map(|n| n.shown.now().as_ref()).any(|i| i.groups.contains(id));
        if used {
            return Err(PortError::new("removing", id, Kind::Conflict, "DependencyViolation"));
        }
        if let Some(group) = self.groups.get_mut(id) {
            group.shown.put(now, None);
        }
        Ok(())
    }

    /// What owns an instance, as it was at `at`.
    #[must_use]
    pub fn owners(&self, of: &InstanceId, at: u64) -> Owners {
        let Some(machine) = self.machines.get(of) else { return Owners::default() };
        let members = |like: &dyn Fn(&crate::cloud::Machine) -> bool| -> Vec<InstanceId> {
            self.living().filter(|(_, m)| like(m)).map(|(id, _)| id.clone()).collect()
        };
        let mut found = Vec::new();
        if let Some(group) = &machine.group {
            let same = members(&|m| m.group.as_ref() == Some(group));
            if let Some((min, max, repairs)) = self.node_groups.get(group).and_then(|g| g.at(at)).copied() {
                let (cluster, name, desired) = (text("prod"), text(group), 2);
                let members = same.clone();
                found.push(Owner::NodeGroup(NodeGroup { cluster, name, min, max, desired, repairs, members }));
            }
            let suspended = self.suspended.get(group).and_then(|s| s.at(at)).cloned().unwrap_or_default();
            let suspended = suspended.into_iter().collect();
            found.push(Owner::ScalingGroup(ScalingGroup { name: text(group), members: same, suspended }));
        }
        if let Some(fleet) = &machine.fleet
            && let Some(capacity) = self.fleets.get(fleet).and_then(|f| f.at(at)).copied()
        {
            let members = members(&|m| m.fleet.as_ref() == Some(fleet));
            found.push(Owner::Fleet(Fleet { id: text(fleet), capacity, members }));
        }
        Owners { found, unknown: Vec::new() }
    }

    /// What such a change does. False if it is none of these.
    ///
    /// # Errors
    /// As AWS refuses.
    pub fn turn_paths(&mut self, change: &Change, now: u64) -> Answer<bool> {
        match change {
            Change::DropAddress { interface, .. } => self.set_public(interface, None, now),
            Change::GiveAddress { interface, address, .. } => self.set_public(interface, Some(address.clone()), now),
            Change::DenyInAcl { acl, addresses, limit, .. } => self.deny(acl.as_str(), addresses, *limit, now)?,
            Change::AllowInAcl { acl, addresses, before, .. } => self.allow(acl.as_str(), addresses, before, now),
            Change::SetNodeGroup { node_group, min, max, repairs, .. } => {
                if let Some(group) = self.node_groups.get_mut(node_group.as_str()) {
                    group.put(now, (*min, *max, *repairs));
                }
            }
            Change::SetFleetCapacity { fleet, capacity } => {
                if let Some(found) = self.fleets.get_mut(fleet.as_str()) {
                    found.put(now, *capacity);
                }
            }
            Change::Stop { instance } => self.power(instance, InstanceState::Running, InstanceState::Stopped, now),
            Change::Start { instance } => self.power(instance, InstanceState::Stopped, InstanceState::Running, now),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn power(&mut self, id: &InstanceId, from: InstanceState, to: InstanceState, now: u64) {
        if self.machines.get(id).is_none_or(|m| m.shown.now().state != from) {
            return;
        }
        self.set_state(id, to, now);
        let own: Vec<InterfaceId> = self.nics_of(id).map(|(nic, _)| nic.clone()).collect();
        for nic in own {
            if let Some(nic) = self.nics.get_mut(&nic).filter(|_| to == InstanceState::Stopped) {
                nic.flows.clear();
            }
        }
    }
}

/// What an attacker's or an owner's fleet begins with.
#[must_use]
pub fn first_capacity() -> Capacity {
    Capacity { total: 3, on_demand: None, spot: None, terminates: true }
}

/// What a node group begins with.
#[must_use]
pub fn first_sizes() -> History<(i32, i32, bool)> {
    History::new(0, (1, 5, true))
}
