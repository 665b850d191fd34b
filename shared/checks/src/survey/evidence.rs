//! Puts together what speaks for each instance: its own marks, and those of its image, role, groups, template, scaling
//! group, volumes, interfaces and sessions; then what other nodes and load balancers show about it.

use std::collections::HashMap;
use std::sync::Arc;

use picket_model::landscape::{Clue, GroupRule, NodeRole};
use picket_model::{GroupId, Untrusted, VpcId};

use super::keep::{Kept, Piece, Unit};
use crate::fingerprints::catalogue::{Owner, catalogue};
use crate::fingerprints::facts::host;
use crate::fingerprints::hit::{self, Hit};
use crate::fingerprints::schema::Weight;
use crate::fingerprints::weigh::{self, Weighed};
use crate::fingerprints::{GENERIC, NODE_AT, SUSPECT_AT};

/// Ports of load balancers behind which only an API server, or what hands out node configuration, stands.
const API_PORTS: [u16; 5] = [6443, 16443, 22623, 9345, 50000];
/// At most so many clues of an instance are told.
const MOST_CLUES: usize = 12;

/// What an instance was judged to be.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdict {
    pub weighed: Option<Weighed>,
    pub role: Option<NodeRole>,
    pub clues: Vec<Clue>,
    /// It runs a control plane of its own, that joins no other.
    pub alone: bool,
}

impl Verdict {
    pub fn confidence(&self) -> u16 {
        self.weighed.as_ref().map_or(0, |w| w.confidence)
    }

    pub fn is_bastion(&self) -> bool {
        self.role == Some(NodeRole::Bastion)
    }

    pub fn is_node(&self) -> bool {
        self.confidence() >= NODE_AT && !self.is_bastion()
    }

    /// A node, by a tool that nothing tells.
    pub fn is_nameless(&self) -> bool {
        let generic = |w: &Weighed| catalogue().distributions[w.distribution].distribution == GENERIC;
        self.is_node() && self.weighed.as_ref().is_some_and(generic)
    }

    pub fn is_suspect(&self) -> bool {
        (SUSPECT_AT..NODE_AT).contains(&self.confidence()) && !self.is_bastion()
    }
}

/// What an address leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Leads {
    /// An instance.
    Unit(usize),
    /// A load balancer.
    Balancer(usize),
    /// A cluster that EKS tells of.
    Known(usize),
}

/// Where addresses and names lead.
#[derive(Debug, Default)]
pub(super) struct Index {
    addresses: HashMap<Untrusted, Vec<usize>>,
    names: HashMap<Untrusted, Leads>,
}

/// All verdicts, in the order of the units.
#[derive(Debug)]
pub(super) struct Judged {
    pub verdicts: Vec<Verdict>,
    pub index: Index,
}

/// Judges all instances.
pub(super) fn judge(kept: &mut Kept) -> Judged {
    let index = Index::of(kept);
    attach_probes(kept, &index);
    attach_records(kept, &index);
    let mut ports = HashMap::new();
    let pieces: Vec<Vec<Piece>> = (0..kept.units.len()).map(|n| gather(kept, n, &mut ports)).collect();
    let mut verdicts: Vec<Verdict> = pieces.iter().zip(&kept.units).map(|(p, u)| verdict(p, u)).collect();
    for (n, more) in by_others(kept, &index, &verdicts) {
        let mut all = pieces[n].clone();
        all.extend(more);
        verdicts[n] = verdict(&all, &kept.units[n]);
    }
    Judged { verdicts, index }
}

impl Index {
    fn of(kept: &Kept) -> Self {
        let mut index = Self::default();
        for (n, unit) in kept.units.iter().enumerate() {
            for address in &unit.addresses {
                index.addresses.entry(lower(address)).or_default().push(n);
            }
        }
        for (n, balancer) in kept.balancers.iter().enumerate() {
            index.names.insert(lower(&balancer.dns), Leads::Balancer(n));
        }
        for (n, known) in kept.known.iter().enumerate() {
            let endpoint = known.endpoint.as_ref().and_then(|e| host(e.as_str()));
            index.names.extend(endpoint.map(|e| (e, Leads::Known(n))));
        }
        index
    }

    /// What `name` leads to for somebody in `vpc`; DNS records are followed once or twice.
    pub fn resolve(&self, kept: &Kept, name: &Untrusted, vpc: Option<&VpcId>) -> Vec<Leads> {
        let mut names = vec![lower(name)];
        for _ in 0..2 {
            let found: Vec<Leads> = names.iter().flat_map(|n| self.direct(kept, n, vpc)).collect();
            if !found.is_empty() {
                return found;
            }
            names = names.iter().filter_map(|n| kept.records.get(n)).flatten().map(lower).collect();
        }
        Vec::new()
    }

    fn direct(&self, kept: &Kept, name: &Untrusted, vpc: Option<&VpcId>) -> Vec<Leads> {
        let same = |n: &&usize| vpc.is_none() || kept.units[**n].vpc.is_none() || kept.units[**n].vpc.as_ref() == vpc;
        let units = self.addresses.get(name).into_iter().flatten().filter(same).map(|n| Leads::Unit(*n));
        units.chain(self.names.get(name).copied()).collect()
    }
}

fn lower(name: &Untrusted) -> Untrusted {
    Untrusted::new(&name.as_str().trim_end_matches('.').to_ascii_lowercase())
}

fn attach_probes(kept: &mut Kept, index: &Index) {
    for (address, found) in std::mem::take(&mut kept.probes) {
        let leads = index.resolve(kept, &address, None);
        // An address that several VPCs use tells nothing about one of them.
        if let [Leads::Unit(n)] = leads.as_slice() {
            kept.units[*n].pieces.extend(found);
        }
    }
}

/// What records of DNS say of the machines that they lead to, themselves or behind a load balancer. A private address may
/// be another's, in another VPC or Region: a record that leads to one is never strong.
fn attach_records(kept: &mut Kept, index: &Index) {
    for (value, found) in std::mem::take(&mut kept.led) {
        let private = value.as_str().parse::<std::net::Ipv4Addr>().is_ok_and(|a| a.is_private());
        let leads = index.resolve(kept, &value, None);
        let units = match leads.as_slice() {
            [Leads::Unit(n)] => vec![*n],
            [Leads::Balancer(b)] => targets(kept, index, *b, |port| port == 443 || API_PORTS.contains(&port)),
            _ => Vec::new(),
        };
        let most = if private { Weight::Medium } else { Weight::Strong };
        for n in units {
            let lighter =
                |p: &Piece| Piece { hit: Hit { weight: p.hit.weight.min(most), ..p.hit.clone() }, ..p.clone() };
            kept.units[n].pieces.extend(found.iter().map(lighter));
        }
    }
}

/// All that an instance bears or is made from. Ports are those of all its groups together, looked up once a set.
fn gather(kept: &Kept, n: usize, ports: &mut HashMap<Vec<GroupId>, Vec<Piece>>) -> Vec<Piece> {
    let unit = &kept.units[n];
    let mut all = unit.pieces.clone();
    let tier = unit.tier.as_ref().or_else(|| unit.id.as_ref().and_then(|id| kept.members.get(id)));
    let of_tier = tier.and_then(|t| kept.tiers.get(t));
    all.extend(of_tier.iter().flat_map(|(pieces, _)| pieces).cloned());
    let by_tier = of_tier.and_then(|(_, template)| template.as_ref());
    let template = unit.template.as_ref().or(by_tier).and_then(|t| kept.templates.get(t));
    all.extend(template.iter().flat_map(|t| &t.pieces).cloned());
    let image = unit.image.as_ref().or(template.and_then(|t| t.image.as_ref()));
    all.extend(image.and_then(|i| kept.images.get(i)).into_iter().flatten().cloned());
    let profile = unit.profile.as_ref().or(template.and_then(|t| t.profile.as_ref()));
    all.extend(profile.and_then(|p| kept.roles.get(p)).into_iter().flat_map(|r| r.iter()).cloned());
    all.extend(unit.id.as_ref().and_then(|id| kept.borne.get(id)).into_iter().flatten().cloned());
    if !unit.groups.is_empty() {
        for group in unit.groups.iter().filter_map(|g| kept.groups.get(g)) {
            all.extend(group.pieces.iter().cloned());
        }
        all.extend(ports.entry(unit.groups.clone()).or_insert_with(|| of_ports(kept, &unit.groups)).iter().cloned());
    }
    all
}

fn of_ports(kept: &Kept, groups: &[GroupId]) -> Vec<Piece> {
    let rules: Vec<&GroupRule> = groups.iter().filter_map(|g| kept.groups.get(g)).flat_map(|g| &g.rules).collect();
    let names: Vec<&str> = groups.iter().map(|g| g.as_str()).collect();
    let at: Arc<str> = Arc::from(format!("rules of {}", names.join(", ")));
    let piece = |hit: Hit| Piece { hit, at: Arc::clone(&at), by_group: true };
    hit::in_ports(&rules).into_iter().map(piece).collect()
}

fn verdict(pieces: &[Piece], unit: &Unit) -> Verdict {
    let mut pieces = pieces.to_vec();
    pieces.sort_by(|a, b| (a.hit.mark, &a.hit.found, &a.at).cmp(&(b.hit.mark, &b.hit.found, &b.at)));
    let pieces = pieces.as_slice();
    let hits: Vec<Hit> = pieces.iter().map(|p| p.hit.clone()).collect();
    let decoy = !weigh::decoys(&hits).is_empty();
    let counting = weigh::counting(&hits);
    let Some(mut weighed) = weigh::weigh(&counting) else { return Verdict::default() };
    // Whoever is in a group is not yet what others in it are: with a decoy in sight, it takes more than that.
    let strong_itself = |p: &Piece| {
        !p.by_group
            && p.hit.weight == Weight::Strong
            && counting.iter().any(|h| h.mark == p.hit.mark && h.weight == Weight::Strong)
    };
    if decoy && !pieces.iter().any(strong_itself) {
        weighed.confidence = weighed.confidence.min(NODE_AT - 1);
    }
    let from_data = weighed.confidence > 0 && unit.facts.role.is_some();
    let role = weighed.role.filter(|_| !from_data || strong_role(&counting)).or(unit.facts.role);
    weighed.cluster = weighed.cluster.or_else(|| unit.facts.cluster.clone());
    weighed.version =
        unit.facts.version.clone().or(weighed.version).map(|v| Untrusted::new(v.as_str().trim_start_matches('v')));
    let managed = catalogue().distributions[weighed.distribution].managed;
    let alone = unit.facts.role == Some(NodeRole::ControlPlane) && unit.facts.joins.is_none() && !managed;
    Verdict { role, clues: clues(&counting, &hits, pieces), alone, weighed: Some(weighed) }
}

/// Whether a strong mark tells the role, against which user data has no say.
fn strong_role(counting: &[Hit]) -> bool {
    counting.iter().any(|h| h.weight == Weight::Strong && h.role.is_some())
}

/// What is told of the evidence: what counts, and the decoys that speak against it.
fn clues(counting: &[Hit], hits: &[Hit], pieces: &[Piece]) -> Vec<Clue> {
    let at = |hit: &Hit| {
        let same = |p: &&Piece| p.hit.mark == hit.mark && p.hit.found == hit.found;
        pieces.iter().find(same).map_or_else(String::new, |p| p.at.to_string())
    };
    let clue = |hit: &Hit, sign: i16| Clue {
        mark: catalogue().marks[hit.mark].name.clone(),
        weight: i16::try_from(hit.weight.points()).unwrap_or(i16::MAX) * sign,
        at: at(hit),
        found: hit.found.clone(),
    };
    let against = hits.iter().filter(|h| matches!(catalogue().marks[h.mark].owner, Owner::Decoy(_)));
    let speaks = counting.iter().filter(|h| h.weight > Weight::None).map(|h| clue(h, 1)).take(MOST_CLUES);
    speaks.chain(against.map(|h| clue(h, -1)).take(MOST_CLUES / 2)).collect()
}

/// What nodes and load balancers show about instances: they join it, they send calls for the API to it.
fn by_others(kept: &Kept, index: &Index, verdicts: &[Verdict]) -> HashMap<usize, Vec<Piece>> {
    let mut more: HashMap<usize, Vec<Piece>> = HashMap::new();
    let mut add = |n: usize, name: &str, found: &str, at: String| {
        let Some(mark) = catalogue().mark(&format!("{GENERIC}/{name}")) else { return };
        let list = more.entry(n).or_default();
        if !list.iter().any(|p| p.hit.mark == mark) {
            list.push(Piece { hit: Hit::new(mark, found), at: Arc::from(at), by_group: false });
        }
    };
    for (unit, _) in kept.units.iter().zip(verdicts).filter(|(_, v)| v.is_node()) {
        let Some(joins) = &unit.facts.joins else { continue };
        for leads in index.resolve(kept, joins, unit.vpc.as_ref()) {
            let by = unit.id.as_ref().map(ToString::to_string).unwrap_or_default();
            match leads {
                Leads::Unit(n) if kept.units[n].id != unit.id => {
                    add(n, "joined-by-nodes", joins.as_str(), format!("user data of {by}"))
                }
                Leads::Balancer(b) => {
                    for n in targets(kept, index, b, |port| port == 443 || API_PORTS.contains(&port)) {
                        if kept.units[n].id != unit.id {
                            add(n, "joined-by-nodes", joins.as_str(), format!("user data of {by}"));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    for (b, balancer) in kept.balancers.iter().enumerate() {
        for n in targets(kept, index, b, |port| API_PORTS.contains(&port)) {
            add(n, "target-of-api-balancer", balancer.name.as_str(), format!("load balancer {}", balancer.name));
        }
    }
    more
}

/// The instances behind the listeners of a load balancer whose port, or target port, is wanted.
pub(super) fn targets(kept: &Kept, index: &Index, balancer: usize, wanted: fn(u16) -> bool) -> Vec<usize> {
    let balancer = &kept.balancers[balancer];
    let listeners = balancer.listeners.iter().filter(|l| wanted(l.port) || l.to.is_some_and(wanted));
    let unit = |target: &Untrusted| {
        let by_id = picket_model::InstanceId::parse(target.as_str()).ok().and_then(|id| kept.by_id.get(&id).copied());
        let by_address = || index.direct(kept, &lower(target), balancer.vpc.as_ref());
        by_id.or_else(|| by_address().into_iter().find_map(|l| if let Leads::Unit(n) = l { Some(n) } else { None }))
    };
    let mut found: Vec<usize> = listeners.flat_map(|l| &l.targets).filter_map(unit).collect();
    found.sort_unstable();
    found.dedup();
    found
}
