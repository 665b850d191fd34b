//! What an account holds in one Region, as far as it tells of Kubernetes: instances and what stands around them.
//! It comes as a stream of `Sight`s in any order, so that ten thousand instances need not be held at once;
//! `Landscape` is the same as one document, for tests and files. `picket_checks::survey` judges it.

mod machine;
mod network;
mod saved;
mod told;
mod verdict;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use machine::{Image, Machine, Role, ScalingTier, Template, Volume};
pub use network::{Balancer, Group, GroupRule, Link, Listener, Place, PlaceKind, PrefixList};
pub use saved::Saved;
pub use told::{Agent, Known, Named, NamedKind, Oidc, Probe, Unseen};
pub use verdict::{Anonymous, Clue, ControlPlane, Door, Found, Node, NodeRole, Reach, ReachFrom, Survey};

use crate::id::Scope;
use crate::text::Untrusted;

/// Tags: the owner's or the attacker's words.
pub type Tags = BTreeMap<Untrusted, Untrusted>;

/// One thing that was seen. Things name each other by id; none must come before another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Sight {
    /// Who calls AWS, by CloudTrail.
    Agent(Agent),
    /// A load balancer.
    Balancer(Balancer),
    /// A cluster that EKS tells of.
    Known(Known),
    /// A security group.
    Group(Group),
    /// A machine image.
    Image(Image),
    /// A network interface.
    Link(Link),
    /// An instance.
    Machine(Box<Machine>),
    /// A DNS record, stack, bucket, secret, queue or other thing that is told by its name.
    Named(Named),
    /// An OIDC provider of IAM.
    Oidc(Oidc),
    /// A VPC, subnet or route table.
    Place(Place),
    /// A prefix list.
    PrefixList(PrefixList),
    /// The answer to a probe from inside the VPC.
    Probe(Probe),
    /// A role of IAM.
    Role(Role),
    /// An Auto Scaling group.
    ScalingTier(ScalingTier),
    /// A launch template.
    Template(Template),
    /// What could not be seen.
    Unseen(Unseen),
    /// A volume.
    Volume(Volume),
}

/// All of it as one document. Every list may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Landscape {
    /// The account and Region.
    pub scope: Scope,
    /// Who calls AWS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Agent>,
    /// Load balancers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub balancers: Vec<Balancer>,
    /// Clusters that EKS tells of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub eks: Vec<Known>,
    /// Security groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// Machine images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// Network interfaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<Link>,
    /// Instances.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<Machine>,
    /// What is told by its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Named>,
    /// OIDC providers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub oidc: Vec<Oidc>,
    /// VPCs, subnets and route tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// Prefix lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefix_lists: Vec<PrefixList>,
    /// Answers to probes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probe>,
    /// Roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// Auto Scaling groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scaling_groups: Vec<ScalingTier>,
    /// Launch templates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<Template>,
    /// What could not be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<Unseen>,
    /// Volumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
}

impl Landscape {
    /// An empty one.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            agents: Vec::new(),
            balancers: Vec::new(),
            eks: Vec::new(),
            groups: Vec::new(),
            images: Vec::new(),
            interfaces: Vec::new(),
            instances: Vec::new(),
            names: Vec::new(),
            oidc: Vec::new(),
            places: Vec::new(),
            prefix_lists: Vec::new(),
            probes: Vec::new(),
            roles: Vec::new(),
            scaling_groups: Vec::new(),
            templates: Vec::new(),
            unseen: Vec::new(),
            volumes: Vec::new(),
        }
    }

    /// Takes one thing into it.
    pub fn take(&mut self, sight: Sight) {
        match sight {
            Sight::Agent(it) => self.agents.push(it),
            Sight::Balancer(it) => self.balancers.push(it),
            Sight::Known(it) => self.eks.push(it),
            Sight::Group(it) => self.groups.push(it),
            Sight::Image(it) => self.images.push(it),
            Sight::Link(it) => self.interfaces.push(it),
            Sight::Machine(it) => self.instances.push(*it),
            Sight::Named(it) => self.names.push(it),
            Sight::Oidc(it) => self.oidc.push(it),
            Sight::Place(it) => self.places.push(it),
            Sight::PrefixList(it) => self.prefix_lists.push(it),
            Sight::Probe(it) => self.probes.push(it),
            Sight::Role(it) => self.roles.push(it),
            Sight::ScalingTier(it) => self.scaling_groups.push(it),
            Sight::Template(it) => self.templates.push(it),
            Sight::Unseen(it) => self.unseen.push(it),
            Sight::Volume(it) => self.volumes.push(it),
        }
    }

    /// All that is in it, one by one.
    pub fn sights(self) -> impl Iterator<Item = Sight> {
        let agents = self.agents.into_iter().map(Sight::Agent);
        let network = (self.balancers.into_iter().map(Sight::Balancer))
            .chain(self.groups.into_iter().map(Sight::Group))
            .chain(self.interfaces.into_iter().map(Sight::Link))
            .chain(self.places.into_iter().map(Sight::Place))
            .chain(self.prefix_lists.into_iter().map(Sight::PrefixList));
        let machines = (self.images.into_iter().map(Sight::Image))
            .chain(self.instances.into_iter().map(|m| Sight::Machine(Box::new(m))))
            .chain(self.roles.into_iter().map(Sight::Role))
            .chain(self.scaling_groups.into_iter().map(Sight::ScalingTier))
            .chain(self.templates.into_iter().map(Sight::Template))
            .chain(self.volumes.into_iter().map(Sight::Volume));
        let told = (self.eks.into_iter().map(Sight::Known))
            .chain(self.names.into_iter().map(Sight::Named))
            .chain(self.oidc.into_iter().map(Sight::Oidc))
            .chain(self.probes.into_iter().map(Sight::Probe))
            .chain(self.unseen.into_iter().map(Sight::Unseen));
        agents.chain(network).chain(machines).chain(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_landscape_may_leave_out_what_it_does_not_know_and_refuses_what_nobody_knows() {
        let text = r#"{"scope": {"account": "123456789012", "region": "us-east-1"}, "instances": [
            {"id": "i-12345678", "tags": {"Name": "web"}, "user_data": "c2VjcmV0"}], "volumes": [{"id": "vol-1"}]}"#;
        let landscape: Landscape = serde_json::from_str(text).unwrap();
        assert!(!serde_json::to_string(&landscape).unwrap().contains("c2VjcmV0"), "user data may hold secrets");
        let mut again = Landscape::new(landscape.scope.clone());
        landscape.clone().sights().for_each(|sight| again.take(sight));
        assert_eq!(again, landscape);
        assert_eq!(landscape.sights().count(), 2);
        assert!(serde_json::from_str::<Landscape>(&text.replace("volumes", "volume")).is_err());
    }
}
