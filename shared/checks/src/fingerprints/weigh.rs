//! What hits come to: which distribution, how sure, which cluster and role. A decoy takes away what is not strong, and
//! what it explains; it never hides a strong mark that it does not explain, because anybody can plant a decoy.

use std::collections::BTreeMap;

use picket_model::Untrusted;
use picket_model::landscape::NodeRole;

use super::catalogue::{Owner, catalogue};
use super::hit::Hit;
use super::schema::Weight;
use super::{GENERIC, NODE_AT, SUSPECT_AT};

/// What the hits on one thing come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed {
    /// The distribution that most speaks for.
    pub distribution: usize,
    /// Others with marks of their own.
    pub also: Vec<usize>,
    /// The sum of the weights, each mark once.
    pub confidence: u16,
    /// The cluster's name, by the heaviest mark of the distribution that names one.
    pub cluster: Option<Untrusted>,
    /// The version of Kubernetes.
    pub version: Option<Untrusted>,
    /// The role.
    pub role: Option<NodeRole>,
}

/// The hits that count, each mark once at its heaviest, heaviest first: decoys, and what they explain, are taken out.
#[must_use]
pub fn counting(hits: &[Hit]) -> Vec<Hit> {
    let decoys = decoys(hits);
    let explained = |distribution: usize| {
        let name = &catalogue().distributions[distribution].distribution;
        decoys.iter().any(|d| catalogue().decoys[*d].explains.contains(name))
    };
    let mut heaviest: BTreeMap<usize, Hit> = BTreeMap::new();
    for hit in hits {
        let Owner::Distribution(of) = catalogue().marks[hit.mark].owner else { continue };
        let weight = match hit.weight {
            Weight::Strong if explained(of) => Weight::None,
            Weight::Medium | Weight::Weak if !decoys.is_empty() => Weight::None,
            weight => weight,
        };
        let hit = Hit { weight, ..hit.clone() };
        match heaviest.get_mut(&hit.mark) {
            Some(known) if known.weight >= hit.weight => fill(known, hit),
            Some(known) => {
                let lighter = std::mem::replace(known, hit);
                fill(known, lighter);
            }
            None => drop(heaviest.insert(hit.mark, hit)),
        }
    }
    let mut counting: Vec<Hit> = heaviest.into_values().collect();
    counting.sort_by_key(|h| std::cmp::Reverse(h.weight));
    counting
}

fn fill(known: &mut Hit, other: Hit) {
    known.cluster = known.cluster.take().or(other.cluster);
    known.version = known.version.take().or(other.version);
    known.role = known.role.or(other.role);
}

/// The decoys that these hits are marks of.
#[must_use]
pub fn decoys(hits: &[Hit]) -> Vec<usize> {
    let mut points: BTreeMap<usize, u16> = BTreeMap::new();
    for hit in hits {
        if let Owner::Decoy(n) = catalogue().marks[hit.mark].owner {
            let sum = points.entry(n).or_default();
            *sum = sum.saturating_add(hit.weight.points());
        }
    }
    points.into_iter().filter(|(_, points)| *points >= NODE_AT).map(|(n, _)| n).collect()
}

/// Weighs hits that `counting` gave; none where nothing speaks for Kubernetes.
#[must_use]
pub fn weigh(counting: &[Hit]) -> Option<Weighed> {
    let points = points_of(counting);
    let confidence = counting.iter().fold(0_u16, |sum, h| sum.saturating_add(h.weight.points()));
    if confidence == 0 {
        return None;
    }
    let winner = winner(&points)?;
    let distribution = presumed(winner, &points);
    let also = points.keys().copied().filter(|d| *d != distribution && !is_generic(*d)).collect();
    let name = |h: &&Hit| h.cluster.is_some();
    let own = |h: &&Hit| speaks_for(h, distribution) || speaks_for(h, winner);
    // The name that a tag gives is the cluster's; in other names it stands among words of the tool.
    let by_tag = |h: &&Hit| h.cluster.is_some() && catalogue().marks[h.mark].is_tag && h.weight == Weight::Strong;
    let named = counting.iter().filter(own).find(by_tag).or_else(|| counting.iter().find(by_tag));
    let named = named.or_else(|| counting.iter().filter(own).find(name)).or_else(|| counting.iter().find(name));
    Some(Weighed {
        distribution,
        also,
        confidence,
        cluster: named.and_then(|h| h.cluster.clone()),
        version: counting.iter().find_map(|h| h.version.clone()),
        role: role(counting),
    })
}

/// The points of each distribution, its marks only.
fn points_of(counting: &[Hit]) -> BTreeMap<usize, u16> {
    let mut points: BTreeMap<usize, u16> = BTreeMap::new();
    for hit in counting.iter().filter(|h| h.weight > Weight::None) {
        if let Owner::Distribution(of) = catalogue().marks[hit.mark].owner {
            let sum = points.entry(of).or_default();
            *sum = sum.saturating_add(hit.weight.points());
        }
    }
    points
}

/// The distribution with the most points, where one that is built on others takes theirs.
fn winner(points: &BTreeMap<usize, u16>) -> Option<usize> {
    let with_base = |d: usize| {
        let own = points[&d];
        let over = &catalogue().distributions[d].over;
        let base = points.iter().filter(|(n, _)| over.contains(&catalogue().distributions[**n].distribution));
        let taken = if own >= SUSPECT_AT { base.map(|(_, p)| *p).sum() } else { 0 };
        own.saturating_add(taken)
    };
    let rank = |d: &usize| (!is_generic(*d), with_base(*d), std::cmp::Reverse(*d));
    // A weak mark of a distribution does not outweigh strong generic ones: the name must be deserved.
    let best = points.keys().copied().max_by_key(rank)?;
    let generic = points.keys().copied().find(|d| is_generic(*d));
    match generic {
        Some(generic) if points[&best] < SUSPECT_AT && points[&generic] > points[&best] => Some(generic),
        _ => Some(best),
    }
}

/// What a tool runs on, if no other distribution is in sight.
fn presumed(winner: usize, points: &BTreeMap<usize, u16>) -> usize {
    let all = &catalogue().distributions;
    let Some(presumes) = &all[winner].presumes else { return winner };
    let real = |d: &usize| !is_generic(*d) && all[*d].presumes.is_none() && points[d] >= SUSPECT_AT;
    let other = points.keys().copied().filter(real).max_by_key(|d| points[d]);
    other.or_else(|| catalogue().distribution(presumes)).unwrap_or(winner)
}

fn is_generic(distribution: usize) -> bool {
    catalogue().distributions[distribution].distribution == GENERIC
}

fn speaks_for(hit: &Hit, distribution: usize) -> bool {
    catalogue().marks[hit.mark].owner == Owner::Distribution(distribution)
}

/// The role that the heaviest telling mark tells. A bastion is one only where nothing tells another role.
fn role(counting: &[Hit]) -> Option<NodeRole> {
    let rank = |role: NodeRole| match role {
        NodeRole::ControlPlane => 4,
        NodeRole::Etcd => 3,
        NodeRole::Worker => 2,
        NodeRole::Bastion => 1,
        NodeRole::Unknown => 0,
    };
    counting.iter().filter_map(|h| Some((h.weight, h.role?))).max_by_key(|(w, r)| (*w, rank(*r))).map(|(_, r)| r)
}
