//! Connections in the fake world: what each interface's are like, and what rungs of the ladder do to them.

use picket_model::{AclEntry, Capture, Change, FlowFacts, GroupId, InstanceId, Interface, Tracking, VpcId, Way};

use super::State;
use crate::ports::{Answer, GroupState, Kind, PortError};

impl State {
    /// What was set for these interfaces; tracked and without a way out where nothing was.
    pub(super) fn flow_facts(&self, of: &[(InstanceId, Capture)]) -> Vec<FlowFacts> {
        let facts = |(instance, capture): &(InstanceId, Capture)| {
            let plain = FlowFacts {
                interface: capture.interface.clone(),
                instance: instance.clone(),
                addresses: Vec::new(),
                prefixes: false,
                ipv6: false,
                public: Vec::new(),
                ways: Vec::new(),
                tracking: Tracking::Tracked,
                idle: None,
                unknown: Vec::new(),
            };
            self.flows.get(&capture.interface).cloned().unwrap_or(plain)
        };
        of.iter().map(facts).collect()
    }

    /// Makes a group that is open to everything.
    pub(super) fn make_open_group(&mut self, vpc: &VpcId) -> Answer<GroupId> {
        let text = format!("sg-{:08x}", 0xfade_0000_u32 + u32::try_from(self.groups.len()).unwrap_or(0));
        let id =
            GroupId::parse(text).map_err(|e| PortError::new("making a group in", vpc, Kind::Other, &e.to_string()))?;
        self.groups.insert(id.clone(), GroupState { id: id.clone(), vpc: vpc.clone(), rules: 4 });
        self.open.insert(id.clone());
        Ok(id)
    }

    /// Removes one, unless an interface is in it.
    pub(super) fn remove_open_group(&mut self, group: &GroupId) -> Answer<()> {
        if self.interfaces.iter().any(|i| i.groups.contains(group)) {
            return Err(PortError::new("removing", group, Kind::Conflict, "DependencyViolation"));
        }
        self.open.remove(group);
        self.groups.remove(group);
        Ok(())
    }

    /// Interfaces that are in one.
    pub(super) fn in_open_groups(&self) -> Vec<Interface> {
        self.interfaces.iter().filter(|i| i.groups.iter().any(|g| self.open.contains(g))).cloned().collect()
    }

    /// What a rung changes.
    pub(super) fn turn_flows(&mut self, change: &Change) {
        match change {
            Change::DropAddress { interface, address, .. } => {
                self.flows.entry(interface.clone()).and_modify(|f| f.public.retain(|p| p.public != address.public));
            }
            Change::GiveAddress { interface, address, .. } => {
                self.flows.entry(interface.clone()).and_modify(|f| {
                    f.public.retain(|p| p.public != address.public);
                    f.public.push(address.clone());
                });
            }
            Change::DenyInAcl { acl, addresses, .. } => {
                let entries = addresses.iter().flat_map(|a| [false, true].map(|egress| denial(*a, egress)));
                let entries: Vec<AclEntry> = entries.collect();
                self.each_acl(acl.as_str(), |all| {
                    let missing: Vec<_> = entries.iter().filter(|e| !all.contains(e)).cloned().collect();
                    all.extend(missing);
                });
            }
            Change::AllowInAcl { acl, addresses, before, .. } => {
                let ours = |e: &AclEntry| addresses.iter().any(|a| e.denies(*a)) && !before.contains(e);
                self.each_acl(acl.as_str(), |all| all.retain(|e| !ours(e)));
            }
            _ => {}
        }
    }

    fn each_acl(&mut self, id: &str, how: impl Fn(&mut Vec<AclEntry>)) {
        for facts in self.flows.values_mut() {
            for way in &mut facts.ways {
                if let Way::Nat { acl: Some(acl), .. } = way
                    && acl.id.as_str() == id
                {
                    how(&mut acl.entries);
                }
            }
        }
    }
}

fn denial(address: std::net::Ipv4Addr, egress: bool) -> AclEntry {
    let cidr = format!("{address}/32").as_str().into();
    AclEntry { number: u16::from(address.octets()[3]).max(1), egress, allows: false, cidr, protocol: "-1".to_owned() }
}
