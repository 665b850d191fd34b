//! Joins nodes into clusters by what they share: first by what only one cluster has (a name, a scaling group, what they
//! join, a secret, a load balancer of the API), then by what is likely (groups, profile, VPC), as long as nothing speaks
//! against it: two names, two distributions, two control planes that each stand alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use picket_model::{GroupId, Untrusted};

use super::evidence::{Judged, Leads, targets};
use super::keep::Kept;
use crate::fingerprints::GENERIC;
use crate::fingerprints::catalogue::catalogue;
use picket_model::landscape::NodeRole;

/// Names that tools give when nobody chose one.
const DEFAULT_NAMES: [&str; 7] = ["kubernetes", "default", "cluster", "k8s", "local", "cluster.local", "my-cluster"];

/// The nodes of one cluster, and why they are.
#[derive(Debug, Default)]
pub(super) struct Component {
    pub members: Vec<usize>,
    pub bastions: Vec<usize>,
    pub reasons: BTreeSet<String>,
    /// What they join, for a name that stays the same.
    pub joins: BTreeSet<Untrusted>,
}

/// Sets of nodes, with what is known of each.
struct Sets<'a> {
    parent: Vec<usize>,
    known: Vec<Traits<'a>>,
    reasons: Vec<(usize, String)>,
}

#[derive(Debug, Default, Clone)]
struct Traits<'a> {
    names: BTreeSet<&'a str>,
    distributions: BTreeSet<usize>,
    alone: bool,
    control_plane: bool,
}

/// Joins the nodes.
pub(super) fn join(kept: &Kept, judged: &Judged) -> Vec<Component> {
    let mut sets = Sets::of(judged);
    let nodes: Vec<usize> = (0..kept.units.len()).filter(|n| judged.verdicts[*n].is_node()).collect();
    for (key, members) in keys(kept, judged, &nodes) {
        sets.join_all(&members, &key, false);
    }
    by_balancers(kept, judged, &nodes, &mut sets);
    by_groups(kept, judged, &nodes, &mut sets);
    by_vpc(kept, &nodes, &mut sets);
    sets.components(kept, judged, &nodes)
}

/// Whether a cluster's name is one that somebody chose.
pub(super) fn is_chosen(name: &str) -> bool {
    !DEFAULT_NAMES.contains(&name.to_ascii_lowercase().as_str())
}

/// What only the nodes of one cluster share.
fn keys(kept: &Kept, judged: &Judged, nodes: &[usize]) -> BTreeMap<String, Vec<usize>> {
    let mut keys: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for n in nodes {
        let unit = &kept.units[*n];
        let vpc = unit.vpc.as_ref().map_or("", |v| v.as_str());
        let weighed = judged.verdicts[*n].weighed.as_ref();
        let name = weighed.and_then(|w| w.cluster.as_ref()).filter(|c| is_chosen(c.as_str()));
        let tier = unit.tier.as_ref().or_else(|| unit.id.as_ref().and_then(|id| kept.members.get(id)));
        let own = [
            name.map(|name| format!("the cluster's name {name} in {vpc}")),
            tier.map(|t| format!("Auto Scaling group {t}")),
            unit.facts.token.as_ref().map(|t| format!("the secret they join by ({})", &t[..t.len().min(8)])),
        ];
        for (key, member) in own.into_iter().flatten().map(|key| (key, *n)).chain(joins(kept, judged, *n)) {
            keys.entry(key).or_default().push(member);
        }
    }
    keys
}

/// What a node joins, with itself and with whom it joins there.
fn joins(kept: &Kept, judged: &Judged, n: usize) -> Vec<(String, usize)> {
    let unit = &kept.units[n];
    let Some(joins) = &unit.facts.joins else { return Vec::new() };
    let vpc = unit.vpc.as_ref().map_or("", |v| v.as_str());
    let here = format!("{joins} in {vpc}, which they join");
    let address = joins.as_str().contains(':') || joins.as_str().bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let mut keys = vec![(if address { here.clone() } else { format!("{joins}, which they join") }, n)];
    for lead in judged.index.resolve(kept, joins, unit.vpc.as_ref()) {
        match lead {
            Leads::Unit(m) if judged.verdicts[m].is_node() => keys.extend([(here.clone(), m), (here.clone(), n)]),
            Leads::Balancer(b) => keys.push((format!("load balancer {}, which they join", kept.balancers[b].name), n)),
            Leads::Known(k) => keys.push((format!("the API server of {}", kept.known[k].name), n)),
            Leads::Unit(_) => {}
        }
    }
    keys
}

/// The targets of a load balancer of the API are one control plane, and those who join it are its nodes.
fn by_balancers(kept: &Kept, judged: &Judged, nodes: &[usize], sets: &mut Sets<'_>) {
    let mut joining: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for n in nodes {
        let unit = &kept.units[*n];
        let leads = unit.facts.joins.as_ref().map(|j| judged.index.resolve(kept, j, unit.vpc.as_ref()));
        for lead in leads.into_iter().flatten() {
            if let Leads::Balancer(b) = lead {
                joining.entry(b).or_default().push(*n);
            }
        }
    }
    for (b, balancer) in kept.balancers.iter().enumerate() {
        let api = |port: u16| [6443, 16443, 22623, 9345, 50000, 443].contains(&port);
        let mut members = targets(kept, &judged.index, b, api);
        members.retain(|n| judged.verdicts[*n].is_node());
        let only_443 = !balancer.listeners.iter().any(|l| l.port != 443);
        let control = |n: &usize| judged.verdicts[*n].role == Some(NodeRole::ControlPlane);
        if only_443 && !members.iter().all(control) {
            continue;
        }
        members.extend(joining.remove(&b).unwrap_or_default());
        sets.join_all(&members, &format!("load balancer {} of the API", balancer.name), false);
    }
}

/// Nodes in one group are likely one cluster, where the group is not the default one or for everybody.
fn by_groups(kept: &Kept, judged: &Judged, nodes: &[usize], sets: &mut Sets<'_>) {
    let mut members: BTreeMap<&GroupId, (Vec<usize>, usize)> = BTreeMap::new();
    for (n, unit) in kept.units.iter().enumerate() {
        for group in &unit.groups {
            let entry = members.entry(group).or_default();
            if judged.verdicts[n].is_node() { entry.0.push(n) } else { entry.1 += 1 }
        }
    }
    for (group, (of, others)) in members {
        let known = kept.groups.get(group);
        let default = known.is_some_and(|g| g.name.as_str() == "default");
        let marked = known.is_some_and(|g| !g.pieces.is_empty());
        if of.len() > 1 && !default && (marked || others <= of.len()) {
            sets.join_all(&of, &format!("group {group}"), true);
        }
    }
    let mut profiles: BTreeMap<&Untrusted, Vec<usize>> = BTreeMap::new();
    let mut templates: BTreeMap<&Untrusted, Vec<usize>> = BTreeMap::new();
    for n in nodes {
        let unit = &kept.units[*n];
        if let Some(template) = &unit.template {
            templates.entry(template).or_default().push(*n);
        }
        let marked = |p: &&Untrusted| kept.roles.get(*p).is_some_and(|r| !r.is_empty());
        if let Some(profile) = unit.profile.as_ref().filter(marked) {
            profiles.entry(profile).or_default().push(*n);
        }
    }
    for (template, of) in templates {
        sets.join_all(&of, &format!("launch template {template}"), true);
    }
    for (profile, of) in profiles {
        sets.join_all(&of, &format!("instance profile {profile}"), true);
    }
}

/// Workers that nothing else joins belong to the only control plane of their distribution in the VPC.
fn by_vpc(kept: &Kept, nodes: &[usize], sets: &mut Sets<'_>) {
    let mut roots: Vec<usize> = nodes.iter().map(|n| sets.root(*n)).collect();
    roots.sort_unstable();
    roots.dedup();
    let vpc = |root: usize| kept.units[root].vpc.as_ref();
    let (with, without): (Vec<usize>, Vec<usize>) = roots.into_iter().partition(|r| sets.known[*r].control_plane);
    for workers in without {
        if vpc(workers).is_none() || !sets.known[workers].names.is_empty() {
            continue;
        }
        let fits = |c: &&usize| vpc(**c) == vpc(workers) && sets.agree(**c, workers);
        let fitting: Vec<usize> = with.iter().filter(fits).copied().collect();
        if let [only] = fitting.as_slice() {
            sets.join_all(&[*only, workers], "the only control plane of this kind in the VPC", true);
        }
    }
}

impl<'a> Sets<'a> {
    fn of(judged: &'a Judged) -> Self {
        let traits = |verdict: &'a super::evidence::Verdict| {
            let weighed = verdict.weighed.as_ref();
            let generic = |d: &usize| catalogue().distributions[*d].distribution != GENERIC;
            let name = weighed.and_then(|w| w.cluster.as_ref()).map(Untrusted::as_str).filter(|n| is_chosen(n));
            Traits {
                names: name.into_iter().collect(),
                distributions: weighed.map(|w| w.distribution).filter(generic).into_iter().collect(),
                alone: verdict.alone,
                control_plane: verdict.role == Some(NodeRole::ControlPlane),
            }
        };
        let known = judged.verdicts.iter().map(traits).collect();
        Self { parent: (0..judged.verdicts.len()).collect(), known, reasons: Vec::new() }
    }

    fn root(&mut self, n: usize) -> usize {
        let mut root = n;
        while self.parent[root] != root {
            root = self.parent[root];
        }
        let mut at = n;
        while self.parent[at] != root {
            at = std::mem::replace(&mut self.parent[at], root);
        }
        root
    }

    /// Whether two sets can be one cluster.
    fn agree(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.known[a], &self.known[b]);
        let named = a.names.is_empty() || b.names.is_empty() || !a.names.is_disjoint(&b.names);
        let same_name = !a.names.is_disjoint(&b.names);
        let related = |d: &usize, e: &usize| d == e || is_over(*d, *e) || is_over(*e, *d);
        let kinds = a.distributions.is_empty()
            || b.distributions.is_empty()
            || a.distributions.iter().any(|d| b.distributions.iter().any(|e| related(d, e)));
        named && kinds && (same_name || !(a.alone && b.alone))
    }

    fn join_all(&mut self, members: &[usize], reason: &str, only_if_they_agree: bool) {
        let Some((first, rest)) = members.split_first() else { return };
        for other in rest {
            let (a, b) = (self.root(*first), self.root(*other));
            if a == b || only_if_they_agree && !self.agree(a, b) {
                continue;
            }
            let taken = std::mem::take(&mut self.known[b]);
            let kept = &mut self.known[a];
            kept.names.extend(taken.names);
            kept.distributions.extend(taken.distributions);
            kept.alone |= taken.alone;
            kept.control_plane |= taken.control_plane;
            self.parent[b] = a;
        }
        if members.len() > 1 {
            self.reasons.push((*first, reason.to_owned()));
        }
    }

    fn components(mut self, kept: &Kept, judged: &Judged, nodes: &[usize]) -> Vec<Component> {
        let mut found: BTreeMap<usize, Component> = BTreeMap::new();
        for n in nodes {
            let root = self.root(*n);
            let component = found.entry(root).or_default();
            component.members.push(*n);
            component.joins.extend(kept.units[*n].facts.joins.clone());
        }
        for (n, reason) in std::mem::take(&mut self.reasons) {
            let root = self.root(n);
            if let Some(component) = found.get_mut(&root).filter(|c| c.members.len() > 1 && c.reasons.len() < 8) {
                component.reasons.insert(reason);
            }
        }
        let names: HashMap<&str, usize> =
            found.keys().flat_map(|r| self.known[*r].names.iter().map(move |n| (*n, *r))).collect();
        for (n, verdict) in judged.verdicts.iter().enumerate().filter(|(_, v)| v.is_bastion()) {
            let name = verdict.weighed.as_ref().and_then(|w| w.cluster.as_ref());
            if let Some(component) = name.and_then(|c| names.get(c.as_str())).and_then(|r| found.get_mut(r)) {
                component.bastions.push(n);
            }
        }
        found.into_values().collect()
    }
}

fn is_over(upper: usize, base: usize) -> bool {
    let all = &catalogue().distributions;
    all[upper].over.contains(&all[base].distribution) || all[upper].presumes.as_ref() == Some(&all[base].distribution)
}
