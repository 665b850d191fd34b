//! What is kept of each sight until the end: marks that were found, and what leads from one thing to another.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use picket_model::landscape::{
    Agent, Anonymous, Balancer, Group, GroupRule, Image, Known, Link, Machine, Named, NamedKind, Oidc, Place, Probe,
    Role, ScalingTier, Sight, Template, Unseen, Volume,
};
use picket_model::{GroupId, InstanceId, Untrusted, VpcId};

use super::doors;
use crate::fingerprints::catalogue::{Place as At, catalogue};
use crate::fingerprints::facts::Facts;
use crate::fingerprints::hit::{self, Hit};
use crate::fingerprints::schema::{TagOn, Weight};
use crate::fingerprints::{facts_of, hits_in_user_data};
use crate::user_data;

/// A mark, with where it was read.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub hit: Hit,
    pub at: Arc<str>,
    /// By being in a group: a decoy makes it worth less.
    pub by_group: bool,
}

/// What is kept of an instance.
#[derive(Debug, Default)]
pub(super) struct Unit {
    pub id: Option<InstanceId>,
    pub vpc: Option<VpcId>,
    pub groups: Vec<GroupId>,
    pub addresses: Vec<Untrusted>,
    pub public: bool,
    pub image: Option<Untrusted>,
    pub profile: Option<Untrusted>,
    pub tier: Option<Untrusted>,
    pub template: Option<Untrusted>,
    pub launched_at: Option<Timestamp>,
    pub launched_by: Option<Untrusted>,
    pub pieces: Vec<Piece>,
    pub facts: Facts,
}

/// What is kept of a group.
#[derive(Debug)]
pub(super) struct KeptGroup {
    pub name: Untrusted,
    pub rules: Vec<GroupRule>,
    pub pieces: Vec<Piece>,
}

/// What is kept of a template.
#[derive(Debug)]
pub(super) struct KeptTemplate {
    pub id: Untrusted,
    pub pieces: Vec<Piece>,
    pub facts: Facts,
    pub image: Option<Untrusted>,
    pub profile: Option<Untrusted>,
}

/// What tells of a cluster without being one of its nodes.
#[derive(Debug)]
pub(super) struct Sign {
    pub piece: Piece,
    pub vpc: Option<VpcId>,
    pub kind: SignKind,
}

/// One sign of each mark, kind, cluster and VPC is kept.
type SignKey = (usize, SignKind, Option<Untrusted>, Option<VpcId>);

/// What a sign is, which decides whether it can stand for a cluster alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SignKind {
    /// An interface of a control plane that AWS runs; true if another account owns it.
    ControlPlane { foreign: bool },
    /// A load balancer, template, scaling group, stack, provider, bucket: a cluster has been made.
    Made,
    /// A caller in CloudTrail: a cluster is alive.
    Alive,
    /// A role, volume, group, subnet: may be left over.
    LeftOver,
}

/// All that is kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub account: String,
    pub units: Vec<Unit>,
    pub by_id: HashMap<InstanceId, usize>,
    pub groups: HashMap<GroupId, KeptGroup>,
    pub images: HashMap<Untrusted, Vec<Piece>>,
    pub roles: HashMap<Untrusted, Arc<Vec<Piece>>>,
    pub templates: HashMap<Untrusted, KeptTemplate>,
    pub tiers: HashMap<Untrusted, (Vec<Piece>, Option<Untrusted>)>,
    pub members: HashMap<InstanceId, Untrusted>,
    /// Marks on volumes, interfaces and in sessions of instances.
    pub borne: HashMap<InstanceId, Vec<Piece>>,
    pub balancers: Vec<Balancer>,
    pub records: HashMap<Untrusted, Vec<Untrusted>>,
    /// Addresses and names that records of DNS lead to which tell a machine's role.
    pub led: Vec<(Untrusted, Vec<Piece>)>,
    pub prefix_lists: HashMap<Untrusted, Vec<String>>,
    pub probes: Vec<(Untrusted, Vec<Piece>)>,
    /// Doors that answered a probe without credentials.
    pub answered: HashMap<InstanceId, Vec<Anonymous>>,
    pub known: Vec<Known>,
    pub signs: BTreeMap<SignKey, Sign>,
    pub unseen: Vec<Unseen>,
}

fn pieces(hits: Vec<Hit>, at: &str) -> Vec<Piece> {
    if hits.is_empty() {
        return Vec::new();
    }
    let at: Arc<str> = Arc::from(at);
    hits.into_iter().map(|hit| Piece { hit, at: Arc::clone(&at), by_group: false }).collect()
}

/// A name in the words of a sink that shows it: no longer than a line.
fn told(kind: &str, name: &Untrusted) -> String {
    format!("{kind} {name}")
}

/// What a thing that is told by its name is called.
fn said(kind: NamedKind) -> &'static str {
    match kind {
        NamedKind::Bucket => "bucket",
        NamedKind::Dns => "DNS record",
        NamedKind::Parameter => "parameter",
        NamedKind::Queue => "queue",
        NamedKind::Rule => "rule",
        NamedKind::Secret => "secret",
        NamedKind::Stack => "stack",
    }
}

impl Kept {
    /// Puts what came in any order into one order, so that the same sights always come to the same verdict.
    pub fn settle(&mut self) {
        self.units.sort_by(|a, b| a.id.cmp(&b.id));
        let ids = self.units.iter().enumerate().filter_map(|(n, u)| Some((u.id.clone()?, n)));
        self.by_id = ids.collect();
        self.balancers.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.dns.cmp(&b.dns)));
        self.balancers.dedup_by(|a, b| a.name == b.name && a.dns == b.dns);
        self.known.sort_by(|a, b| a.name.cmp(&b.name));
        self.known.dedup_by(|a, b| a.name == b.name);
        self.tell_by_templates();
        self.unseen.sort_by(|a, b| a.what.cmp(&b.what));
        self.unseen.dedup();
        self.records.values_mut().for_each(|values| {
            values.sort();
            values.dedup();
        });
    }

    /// What the user data of a launch template tells, it tells of the instances that were launched from it.
    fn tell_by_templates(&mut self) {
        let silent = |unit: &&mut Unit| unit.facts == Facts::default();
        for unit in self.units.iter_mut().filter(silent) {
            let tier = unit.tier.as_ref().or_else(|| unit.id.as_ref().and_then(|id| self.members.get(id)));
            let by_tier = tier.and_then(|t| self.tiers.get(t)).and_then(|(_, template)| template.as_ref());
            let template = unit.template.as_ref().or(by_tier).and_then(|t| self.templates.get(t));
            if let Some(template) = template {
                unit.facts = template.facts.clone();
            }
        }
    }

    pub fn take(&mut self, sight: Sight) {
        match sight {
            Sight::Agent(it) => self.agent(&it),
            Sight::Balancer(it) => self.balancer(it),
            Sight::Known(it) => self.known.push(it),
            Sight::Group(it) => self.group(it),
            Sight::Image(it) => self.image(&it),
            Sight::Link(it) => self.link(&it),
            Sight::Machine(it) => self.machine(*it),
            Sight::Named(it) => self.named(it),
            Sight::Oidc(it) => self.oidc(&it),
            Sight::Place(it) => self.place(&it),
            Sight::PrefixList(it) => drop(self.prefix_lists.insert(it.id, it.cidrs)),
            Sight::Probe(it) => self.probe(&it),
            Sight::Role(it) => self.role(&it),
            Sight::ScalingTier(it) => self.tier(it),
            Sight::Template(it) => self.template(it),
            Sight::Unseen(it) => self.unseen.push(it),
            Sight::Volume(it) => self.volume(&it),
        }
    }

    fn machine(&mut self, machine: Machine) {
        if machine.state.is_some_and(|s| s.is_gone()) || self.by_id.contains_key(&machine.id) {
            return;
        }
        let tag = |key: &str| machine.tags.get(&Untrusted::new(key)).cloned();
        let mut unit = Unit {
            id: Some(machine.id.clone()),
            vpc: machine.vpc.clone(),
            groups: machine.groups.clone(),
            public: !machine.public_addresses.is_empty(),
            image: machine.image.clone(),
            profile: machine.profile.as_ref().map(last_part),
            tier: tag("aws:autoscaling:groupName"),
            template: tag("aws:ec2launchtemplate:id"),
            launched_at: machine.launched_at,
            launched_by: machine.launched_by.clone(),
            pieces: of_machine(&machine),
            ..Unit::default()
        };
        if let Some(text) = &machine.user_data {
            let decoded = user_data::decode(text);
            let hits = hits_in_user_data(&decoded.text);
            unit.facts = facts_of(&hits, &decoded.text);
            unit.pieces.extend(pieces(hits, "user data"));
        }
        unit.addresses = machine.addresses;
        unit.addresses.extend(machine.public_addresses);
        self.by_id.insert(machine.id, self.units.len());
        self.units.push(unit);
    }

    fn group(&mut self, group: Group) {
        let at = format!("group {} ({})", group.id, group.name);
        let mut found = pieces(hit::in_tags(TagOn::Group, &group.tags), &at);
        found.extend(pieces(hit::in_text(At::GroupName, group.name.as_str()), &at));
        found.extend(pieces(hit::in_text(At::GroupDescription, group.description.as_str()), &at));
        for says in group.rules.iter().flat_map(|r| &r.says) {
            found.extend(pieces(hit::in_text(At::RuleDescription, says.as_str()), &at));
        }
        found.iter_mut().for_each(|p| p.by_group = true);
        self.signs(&found, group.vpc.as_ref(), SignKind::LeftOver);
        self.groups.insert(group.id, KeptGroup { name: group.name, rules: group.rules, pieces: found });
    }

    fn image(&mut self, image: &Image) {
        let found = pieces(hit::in_image(image), &told("image", &image.name));
        self.images.insert(image.id.clone(), found);
    }

    fn role(&mut self, role: &Role) {
        let at = told("role", &role.name);
        let mut found = pieces(hit::in_text(At::Role, role.name.as_str()), &at);
        found.extend(pieces(hit::in_tags(TagOn::Role, &role.tags), &at));
        found.extend(pieces(hit::in_actions(&role.actions), &at));
        for policy in &role.policies {
            found.extend(pieces(hit::in_text(At::Policy, policy.as_str()), &at));
        }
        for profile in &role.profiles {
            found.extend(pieces(hit::in_text(At::Role, profile.as_str()), &at));
        }
        if found.is_empty() {
            return;
        }
        self.signs(&found, None, SignKind::LeftOver);
        let found = Arc::new(found);
        for name in role.profiles.iter().chain([&role.name]) {
            self.roles.insert(name.clone(), Arc::clone(&found));
        }
    }

    fn template(&mut self, template: Template) {
        let at = told("launch template", &template.name);
        let mut found = pieces(hit::in_tags(TagOn::Template, &template.tags), &at);
        found.extend(pieces(hit::in_tags(TagOn::Template, &template.gives), &at));
        found.extend(pieces(hit::in_text(At::Template, template.name.as_str()), &at));
        let mut facts = Facts::default();
        if let Some(text) = &template.user_data {
            let decoded = user_data::decode(text);
            let hits = hits_in_user_data(&decoded.text);
            facts = facts_of(&hits, &decoded.text);
            let mut in_data = pieces(hits, &format!("user data of {at}"));
            in_data.iter_mut().for_each(|p| p.hit.cluster = p.hit.cluster.take().or_else(|| facts.cluster.clone()));
            found.extend(in_data);
        }
        self.signs(&found, None, SignKind::Made);
        let profile = template.profile.as_ref().map(last_part);
        let kept = KeptTemplate { id: template.id.clone(), pieces: found, facts, image: template.image, profile };
        self.templates.insert(template.id, kept);
    }

    fn tier(&mut self, tier: ScalingTier) {
        let at = told("Auto Scaling group", &tier.name);
        let mut found = pieces(hit::in_tags(TagOn::ScalingGroup, &tier.tags), &at);
        found.extend(pieces(hit::in_text(At::ScalingGroup, tier.name.as_str()), &at));
        self.signs(&found, None, SignKind::Made);
        for id in tier.instances {
            self.members.insert(id, tier.name.clone());
        }
        self.tiers.insert(tier.name, (found, tier.template));
    }

    fn volume(&mut self, volume: &Volume) {
        let found = pieces(hit::in_tags(TagOn::Volume, &volume.tags), &told("volume", &volume.id));
        self.bear(volume.instance.as_ref(), found, None, SignKind::LeftOver);
    }

    fn link(&mut self, link: &Link) {
        let at = told("interface", &link.id);
        let mut found = pieces(hit::in_tags(TagOn::Interface, &link.tags), &at);
        found.extend(pieces(hit::in_text(At::Interface, link.description.as_str()), &at));
        let foreign = link.owner.as_ref().is_some_and(|o| !o.is_empty() && o.as_str() != self.account);
        self.bear(link.instance.as_ref(), found, link.vpc.as_ref(), SignKind::ControlPlane { foreign });
    }

    /// Gives marks to the instance that bears them, or keeps them as signs.
    fn bear(&mut self, by: Option<&InstanceId>, found: Vec<Piece>, vpc: Option<&VpcId>, kind: SignKind) {
        match by {
            Some(id) if !found.is_empty() => self.borne.entry(id.clone()).or_default().extend(found),
            Some(_) => {}
            None => self.signs(&found, vpc, kind),
        }
    }

    fn balancer(&mut self, balancer: Balancer) {
        let at = told("load balancer", &balancer.name);
        let mut found = pieces(hit::in_tags(TagOn::Balancer, &balancer.tags), &at);
        found.extend(pieces(hit::in_text(At::Balancer, balancer.name.as_str()), &at));
        let found = of_one(found);
        self.signs(&found, balancer.vpc.as_ref(), SignKind::Made);
        self.balancers.push(balancer);
    }

    fn agent(&mut self, agent: &Agent) {
        let at = told("CloudTrail, calls of", &agent.caller);
        let mut found = pieces(hit::in_text(At::Agent, agent.user_agent.as_str()), &at);
        let invoked = agent.invoked_by.as_ref().map(|by| hit::in_text(At::InvokedBy, by.as_str()));
        found.extend(pieces(invoked.unwrap_or_default(), &at));
        let session = agent.caller.as_str().rsplit('/').next().unwrap_or_default();
        self.bear(InstanceId::parse(session).ok().as_ref(), found, None, SignKind::Alive);
    }

    fn named(&mut self, named: Named) {
        let at = told(said(named.kind), &named.name);
        let found = of_one(pieces(hit::in_named(&named), &at));
        // What leads to a load balancer of this Region is here. All else may be left over, or belong to another Region.
        let here = named.values.iter().any(|value| value.as_str().contains(".elb."));
        let kind = match named.kind {
            NamedKind::Stack => SignKind::Made,
            NamedKind::Dns if here => SignKind::Made,
            _ => SignKind::LeftOver,
        };
        self.signs(&found, None, kind);
        if named.kind == NamedKind::Dns {
            let telling: Vec<Piece> =
                found.into_iter().filter(|p| p.hit.weight >= Weight::Medium && p.hit.role.is_some()).collect();
            if !telling.is_empty() {
                self.led.extend(named.values.iter().map(|value| (value.clone(), telling.clone())));
            }
            let name = named.name.as_str().trim_end_matches('.').to_ascii_lowercase();
            self.records.entry(Untrusted::new(&name)).or_default().extend(named.values);
        }
    }

    fn oidc(&mut self, oidc: &Oidc) {
        let mut found = pieces(hit::in_text(At::Oidc, oidc.url.as_str()), &told("OIDC provider", &oidc.url));
        found.extend(pieces(hit::in_tags(TagOn::Role, &oidc.tags), &told("OIDC provider", &oidc.url)));
        self.signs(&found, None, SignKind::Made);
    }

    fn place(&mut self, place: &Place) {
        let found = pieces(hit::in_tags(TagOn::Place, &place.tags), &told("place", &place.id));
        self.signs(&found, place.vpc.as_ref(), SignKind::LeftOver);
    }

    fn probe(&mut self, probe: &Probe) {
        let found = pieces(hit::in_probe(probe), &format!("probe of {}:{}", probe.address, probe.port));
        match &probe.instance {
            Some(id) => {
                self.borne.entry(id.clone()).or_default().extend(found);
                if let Some((door, port)) = doors::answered(probe) {
                    let open = Anonymous { door, port, path: probe.path.clone(), instance: id.clone() };
                    self.answered.entry(id.clone()).or_default().push(open);
                }
            }
            None => self.probes.push((probe.address.clone(), found)),
        }
    }

    /// Keeps what may stand for a cluster or speak for one by name. Thousands of interfaces and volumes of one cluster
    /// say the same; each is kept once.
    fn signs(&mut self, found: &[Piece], vpc: Option<&VpcId>, kind: SignKind) {
        for piece in found {
            let key = (piece.hit.mark, kind, piece.hit.cluster.clone(), vpc.cloned());
            let sign = Sign { piece: piece.clone(), vpc: vpc.cloned(), kind };
            match self.signs.entry(key) {
                Entry::Vacant(free) => drop(free.insert(sign)),
                // Whichever came first: the same one is kept.
                Entry::Occupied(mut known) if sign.piece.at < known.get().piece.at => drop(known.insert(sign)),
                Entry::Occupied(_) => {}
            }
        }
    }
}

/// The marks of one thing: if a tag on it names a cluster, the others are of that cluster.
fn of_one(mut found: Vec<Piece>) -> Vec<Piece> {
    let tag = |p: &&Piece| catalogue().marks[p.hit.mark].is_tag && p.hit.cluster.is_some();
    if let Some(name) = found.iter().find(tag).and_then(|p| p.hit.cluster.clone()) {
        found.iter_mut().for_each(|p| p.hit.cluster = Some(p.hit.cluster.take().unwrap_or_else(|| name.clone())));
    }
    found
}

fn of_machine(machine: &Machine) -> Vec<Piece> {
    let mut found = pieces(hit::in_tags(TagOn::Instance, &machine.tags), "tags");
    if let Some(name) = machine.tags.get(&Untrusted::new("Name")) {
        found.extend(pieces(hit::in_text(At::Name, name.as_str()), "name"));
    }
    if let Some(key) = &machine.key {
        found.extend(pieces(hit::in_text(At::Key, key.as_str()), "key pair"));
    }
    if let Some(operator) = &machine.operator {
        found.extend(pieces(hit::in_text(At::Operator, operator.as_str()), "operator"));
    }
    for application in &machine.applications {
        found.extend(pieces(hit::in_text(At::Application, application.as_str()), "installed applications"));
    }
    found
}

/// The name at the end of an ARN, or the whole.
pub(super) fn last_part(arn: &Untrusted) -> Untrusted {
    Untrusted::new(arn.as_str().rsplit('/').next().unwrap_or_default())
}
