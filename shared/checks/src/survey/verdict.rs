//! From the nodes of a cluster to the verdict about it: distribution, name, version, roles, control plane, doors, owner.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use picket_model::landscape::{Clue, ControlPlane, Found, Node, NodeRole};
use picket_model::{Scope, Untrusted};

use super::doors;
use super::evidence::{Judged, Verdict};
use super::join::{Component, is_chosen};
use super::keep::Kept;
use crate::fingerprints::catalogue::catalogue;
use crate::fingerprints::hit::Hit;
use crate::fingerprints::schema::Weight;
use crate::fingerprints::weigh;

/// At most so many clues of a cluster are told.
const MOST_CLUES: usize = 24;

/// At most so many things that were not seen are told of a cluster.
const MOST_UNKNOWN: usize = 8;

/// The verdicts about all components.
pub(super) fn clusters(scope: &Scope, kept: &Kept, judged: &Judged, components: &[Component]) -> Vec<Found> {
    components.iter().filter_map(|c| cluster(scope, kept, judged, c)).collect()
}

fn cluster(scope: &Scope, kept: &Kept, judged: &Judged, component: &Component) -> Option<Found> {
    let verdicts: Vec<&Verdict> = component.members.iter().map(|n| &judged.verdicts[*n]).collect();
    let evidence = evidence(&verdicts);
    let weighed = weigh::weigh(&evidence.iter().map(|(hit, _)| hit.clone()).collect::<Vec<_>>())?;
    let print = catalogue().distributions[weighed.distribution];
    let name = most_common(verdicts.iter().filter_map(|v| v.weighed.as_ref()?.cluster.clone()));
    let name = name.filter(|n| is_chosen(n.as_str()));
    let without_plane = !verdicts.iter().any(|v| v.role == Some(NodeRole::ControlPlane));
    let hosted = print.hosted || print.sometimes_hosted && without_plane;
    let nodes = nodes(kept, judged, component, print.managed || hosted);
    let units = || component.members.iter().map(|n| &kept.units[*n]);
    let vpcs: BTreeSet<_> = units().filter_map(|u| u.vpc.clone()).collect();
    let also = weighed.also.iter().map(|d| catalogue().distributions[*d].distribution.clone());
    Some(Found {
        id: format!(
            "{}/{}",
            print.distribution,
            name.as_ref().map_or_else(|| anchor(kept, component, &nodes), ToString::to_string)
        ),
        scope: scope.clone(),
        distribution: print.distribution.clone(),
        also: also.collect(),
        version: version(&verdicts),
        control_plane: control_plane(component, &nodes, print.managed, hosted),
        bastions: component.bastions.iter().filter_map(|n| kept.units[*n].id.clone()).collect(),
        vpcs: vpcs.into_iter().collect(),
        exposure: doors::of_nodes(kept, judged, &component.members, weighed.distribution),
        anonymous: doors::anonymous(kept, &component.members),
        owner: owner(kept, judged, component),
        confidence: weighed.confidence,
        evidence: evidence.into_iter().map(|(_, clue)| clue).take(MOST_CLUES).collect(),
        joined_by: component.reasons.iter().cloned().collect(),
        unknown: unknown(kept, component),
        name,
        nodes,
    })
}

/// All marks on all nodes, each once at its heaviest, heaviest first.
fn evidence(verdicts: &[&Verdict]) -> Vec<(Hit, Clue)> {
    let mut heaviest: HashMap<&str, &Clue> = HashMap::new();
    for clue in verdicts.iter().flat_map(|v| &v.clues).filter(|c| c.weight > 0) {
        let known = heaviest.entry(&clue.mark).or_insert(clue);
        if known.weight < clue.weight {
            *known = clue;
        }
    }
    let hit = |clue: &Clue| {
        let mark = catalogue().mark(&clue.mark)?;
        let weight = match clue.weight {
            60.. => Weight::Strong,
            25.. => Weight::Medium,
            _ => Weight::Weak,
        };
        Some(Hit { weight, ..Hit::new(mark, clue.found.as_str()) })
    };
    let mut all: Vec<(Hit, Clue)> = heaviest.into_values().filter_map(|c| Some((hit(c)?, c.clone()))).collect();
    all.sort_by(|(_, a), (_, b)| b.weight.cmp(&a.weight).then_with(|| a.mark.cmp(&b.mark)));
    all
}

fn most_common(of: impl Iterator<Item = Untrusted>) -> Option<Untrusted> {
    let mut counts: BTreeMap<Untrusted, usize> = BTreeMap::new();
    of.for_each(|name| *counts.entry(name).or_default() += 1);
    counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0))).map(|(name, _)| name)
}

/// The version of the control plane, else the commonest.
fn version(verdicts: &[&Verdict]) -> Option<Untrusted> {
    let of = |v: &&&Verdict| v.weighed.as_ref().and_then(|w| w.version.clone());
    let control = verdicts.iter().filter(|v| v.role == Some(NodeRole::ControlPlane));
    most_common(control.filter_map(|v| of(&v))).or_else(|| most_common(verdicts.iter().filter_map(|v| of(&v))))
}

fn nodes(kept: &Kept, judged: &Judged, component: &Component, managed: bool) -> Vec<Node> {
    let mut nodes: Vec<Node> = component.members.iter().filter_map(|n| node(kept, judged, *n)).collect();
    let has_control_plane = nodes.iter().any(|n| n.role == NodeRole::ControlPlane);
    for node in &mut nodes {
        // Where others run the control plane, a name such as `master` means something else.
        if managed || has_control_plane && node.role == NodeRole::Unknown {
            node.role = NodeRole::Worker;
        }
    }
    nodes.sort_by(|a, b| (a.role as u8).cmp(&(b.role as u8)).then_with(|| a.id.cmp(&b.id)));
    nodes
}

fn node(kept: &Kept, judged: &Judged, n: usize) -> Option<Node> {
    let verdict = &judged.verdicts[n];
    let weighed = verdict.weighed.as_ref()?;
    Some(Node {
        id: kept.units[n].id.clone()?,
        role: verdict.role.unwrap_or(NodeRole::Unknown),
        distribution: catalogue().distributions[weighed.distribution].distribution.clone(),
        confidence: weighed.confidence,
        evidence: verdict.clues.clone(),
    })
}

fn control_plane(component: &Component, nodes: &[Node], managed: bool, hosted: bool) -> ControlPlane {
    match () {
        () if managed => ControlPlane::Managed,
        () if nodes.iter().any(|n| n.role == NodeRole::ControlPlane) => ControlPlane::Nodes,
        // They join something that is not here.
        () if hosted || !component.joins.is_empty() => ControlPlane::Elsewhere,
        () => ControlPlane::Unknown,
    }
}

/// What names a cluster that has no name, as long as it lives: what its nodes join, else its first control-plane node.
fn anchor(kept: &Kept, component: &Component, nodes: &[Node]) -> String {
    let joins = component.joins.iter().next().map(ToString::to_string);
    let group = || {
        let tiers = component.members.iter().filter_map(|n| kept.units[*n].tier.as_ref());
        tiers.min().map(ToString::to_string)
    };
    let first = || nodes.first().map(|n| n.id.to_string()).unwrap_or_default();
    joins.or_else(group).unwrap_or_else(first)
}

/// What was not seen of the nodes: groups, whose rules decide about exposure, and whatever a reader reported.
fn unknown(kept: &Kept, component: &Component) -> Vec<String> {
    let units = || component.members.iter().map(|n| &kept.units[*n]);
    let mut groups: BTreeSet<_> = units().flat_map(|u| &u.groups).filter(|g| !kept.groups.contains_key(*g)).collect();
    let first = groups.pop_first().map(|g| match groups.len() {
        0 => format!("who may reach it by {g}: its rules were not seen"),
        more => format!("who may reach it by {g} and {more} other groups: their rules were not seen"),
    });
    let ids: BTreeSet<_> = units().filter_map(|u| u.id.as_ref()).collect();
    let told = kept.unseen.iter().filter(|u| u.instance.as_ref().is_some_and(|id| ids.contains(id)));
    let mut told: Vec<String> = told.map(|u| format!("{}: {}", u.what, u.reason)).collect();
    let more = told.len().saturating_sub(MOST_UNKNOWN);
    told.truncate(MOST_UNKNOWN);
    told.extend((more > 0).then(|| format!("{more} more of the like")));
    first.into_iter().chain(told).collect()
}

/// Who launched the oldest node of the control plane, else the oldest of all.
fn owner(kept: &Kept, judged: &Judged, component: &Component) -> Option<Untrusted> {
    let known = component.members.iter().filter(|n| kept.units[**n].launched_by.is_some());
    let oldest = known.min_by_key(|n| {
        let control = judged.verdicts[**n].role == Some(NodeRole::ControlPlane);
        (!control, kept.units[**n].launched_at, **n)
    });
    oldest.and_then(|n| kept.units[*n].launched_by.clone())
}

/// Two clusters of one name, in two VPCs: each takes its VPC, or its first node, into its id.
pub(super) fn name_apart(clusters: &mut [Found]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    clusters.iter().for_each(|c| *counts.entry(c.id.clone()).or_default() += 1);
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for cluster in clusters.iter_mut().filter(|c| counts[&c.id] > 1) {
        let vpc = cluster.vpcs.first().map(ToString::to_string).unwrap_or_default();
        let mut id = format!("{}@{vpc}", cluster.id);
        if taken.contains(&id) {
            id = format!("{id}/{}", cluster.nodes.first().map(|n| n.id.to_string()).unwrap_or_default());
        }
        taken.insert(id.clone());
        cluster.id = id;
    }
}

/// Instances with too little evidence to say. Bastions of no known cluster are among those that are left out.
pub(super) fn suspects(kept: &Kept, judged: &Judged, components: &[Component]) -> Vec<Node> {
    let members: BTreeSet<usize> = components.iter().flat_map(|c| c.members.iter().copied()).collect();
    let open = (0..kept.units.len()).filter(|n| judged.verdicts[*n].is_suspect() && !members.contains(n));
    open.filter_map(|n| node(kept, judged, n)).collect()
}
