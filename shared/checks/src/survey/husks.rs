//! Clusters that show themselves without a node: those that EKS tells of, those asleep in launch templates and scaling
//! groups, those of other accounts by their interfaces, those that only call AWS. What names a known cluster is added
//! to its evidence. What may be left over, such as roles, volumes, groups and shared subnets, makes no cluster.

use std::collections::BTreeMap;

use picket_model::landscape::{Clue, ControlPlane, Found, Known};
use picket_model::{Scope, Untrusted, VpcId};

use super::doors;
use super::join::is_chosen;
use super::keep::{Kept, Sign, SignKind};
use crate::fingerprints::catalogue::{Owner, catalogue};
use crate::fingerprints::facts::host;
use crate::fingerprints::hit::Hit;
use crate::fingerprints::schema::Weight;
use crate::fingerprints::weigh;
use crate::fingerprints::{GENERIC, NODE_AT};

/// At most so many clues of a cluster are told.
const MOST_CLUES: usize = 32;

/// Adds what shows itself without a node, and what signs tell of clusters that are there.
pub(super) fn add(scope: &Scope, kept: &Kept, clusters: &mut Vec<Found>) {
    for known in &kept.known {
        add_known(scope, kept, known, clusters);
    }
    let mut named: BTreeMap<&Untrusted, Vec<&Sign>> = BTreeMap::new();
    for sign in kept.signs.values() {
        if let Some(name) = sign.piece.hit.cluster.as_ref().filter(|n| is_chosen(n.as_str())) {
            named.entry(name).or_default().push(sign);
        }
    }
    for (name, signs) in named {
        match clusters.iter_mut().filter(|c| is_called(c, name)).collect::<Vec<_>>().as_mut_slice() {
            [] => clusters.extend(husk(scope, name, &signs)),
            of_that_name => of_that_name.iter_mut().for_each(|c| support(c, &signs)),
        }
    }
    add_asleep(scope, kept, clusters);
    add_unnamed(kept, clusters);
    add_alive(scope, kept, clusters);
}

/// Whether a cluster bears this name. OpenShift calls it `prod` in DNS and `prod-x7k2p` on AWS.
fn is_called(cluster: &Found, name: &Untrusted) -> bool {
    let Some(own) = &cluster.name else { return false };
    let tail = own.as_str().strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('-'));
    let infra = |tail: &str| tail.len() == 5 && tail.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    own == name || (["openshift", "rosa"].contains(&cluster.distribution.as_str()) && tail.is_some_and(infra))
}

/// Signs without a name speak for the only cluster that they can belong to: of their VPC, and of their kind.
fn add_unnamed(kept: &Kept, clusters: &mut [Found]) {
    let open = |s: &&Sign| matches!(s.kind, SignKind::Made | SignKind::LeftOver) && s.piece.hit.cluster.is_none();
    for sign in kept.signs.values().filter(open).filter(|s| s.piece.hit.weight >= Weight::Medium) {
        let Owner::Distribution(of) = catalogue().marks[sign.piece.hit.mark].owner else { continue };
        let kind = &catalogue().distributions[of].distribution;
        let of_kind = |c: &Found| c.distribution == *kind || c.also.contains(kind);
        let alone = clusters.len() == 1;
        let fits = |c: &&mut Found| match &sign.vpc {
            Some(vpc) => c.vpcs.contains(vpc) && (of_kind(c) || kind == GENERIC),
            None => {
                if kind == GENERIC {
                    alone
                } else {
                    of_kind(c)
                }
            }
        };
        if let [only] = clusters.iter_mut().filter(fits).collect::<Vec<_>>().as_mut_slice() {
            support(only, &[sign]);
        }
    }
}

fn add_known(scope: &Scope, kept: &Kept, known: &Known, clusters: &mut Vec<Found>) {
    let clue = Clue { mark: "eks/api".to_owned(), weight: 60, at: "the EKS API".to_owned(), found: known.name.clone() };
    let family = |c: &&mut Found| c.name.as_ref() == Some(&known.name) && is_managed(&c.distribution);
    let mut reach = doors::of_known(kept, known);
    if let Some(cluster) = clusters.iter_mut().find(family) {
        cluster.id = format!("eks/{}", known.name);
        cluster.distribution = "eks".to_owned();
        cluster.version = known.version.clone().or(cluster.version.take());
        cluster.control_plane = ControlPlane::Managed;
        cluster.owner = known.created_by.clone().or(cluster.owner.take());
        cluster.evidence.insert(0, clue);
        cluster.confidence = cluster.confidence.saturating_add(60);
        reach.append(&mut cluster.exposure);
        cluster.exposure = reach;
        cluster.also.extend(variants(known, &cluster.also));
        return;
    }
    let mut found = empty(scope, "eks", Some(known.name.clone()), vec![clue], 60);
    found.version = known.version.clone();
    found.control_plane = ControlPlane::Managed;
    found.owner = known.created_by.clone();
    found.exposure = reach;
    found.vpcs = known.vpc.clone().into_iter().collect();
    found.also = variants(known, &[]);
    clusters.push(found);
}

/// Auto Mode and Fargate, where EKS says so.
fn variants(known: &Known, told: &[String]) -> Vec<String> {
    let auto = (known.auto_mode == Some(true)).then_some("eks-auto-mode");
    let fargate = (!known.fargate_profiles.is_empty()).then_some("eks-fargate");
    let new = |v: &&str| !told.iter().any(|t| t == v);
    auto.into_iter().chain(fargate).filter(new).map(ToOwned::to_owned).collect()
}

fn is_managed(distribution: &str) -> bool {
    catalogue().distributions.iter().any(|d| d.distribution == distribution && d.managed)
        || distribution == "kubernetes"
}

/// A cluster that only signs speak of: strong ones, of which one at least is no leftover.
fn husk(scope: &Scope, name: &Untrusted, signs: &[&Sign]) -> Option<Found> {
    let stands = |s: &&&Sign| s.kind != SignKind::LeftOver && s.piece.hit.weight == Weight::Strong;
    signs.iter().find(stands)?;
    let hits: Vec<Hit> = signs.iter().map(|s| s.piece.hit.clone()).collect();
    let weighed = weigh::weigh(&weigh::counting(&hits)).filter(|w| w.confidence >= NODE_AT)?;
    let print = catalogue().distributions[weighed.distribution];
    let mut found = empty(scope, &print.distribution, Some(name.clone()), Vec::new(), 0);
    found.control_plane = match signs.iter().find_map(|s| foreign(s)) {
        Some(true) => ControlPlane::Elsewhere,
        Some(false) => ControlPlane::Managed,
        None if print.managed => ControlPlane::Managed,
        None if print.hosted || print.sometimes_hosted => ControlPlane::Elsewhere,
        None => ControlPlane::Unknown,
    };
    let mut vpcs: Vec<VpcId> = signs.iter().filter_map(|s| s.vpc.clone()).collect();
    vpcs.sort();
    vpcs.dedup();
    found.vpcs = vpcs;
    found.also = weighed.also.iter().map(|d| catalogue().distributions[*d].distribution.clone()).collect();
    support(&mut found, signs);
    Some(found)
}

fn foreign(sign: &Sign) -> Option<bool> {
    match sign.kind {
        SignKind::ControlPlane { foreign } if sign.piece.hit.cluster.is_some() => Some(foreign),
        _ => None,
    }
}

/// Adds the evidence of signs to a cluster, each mark once.
fn support(cluster: &mut Found, signs: &[&Sign]) {
    for sign in signs {
        let clue = clue(sign);
        if cluster.evidence.len() >= MOST_CLUES
            || clue.weight == 0
            || cluster.evidence.iter().any(|c| c.mark == clue.mark)
        {
            continue;
        }
        cluster.confidence = cluster.confidence.saturating_add(u16::try_from(clue.weight).unwrap_or(0));
        cluster.evidence.push(clue);
    }
    if signs.iter().any(|s| foreign(s) == Some(true)) {
        cluster.control_plane = ControlPlane::Elsewhere;
    }
    cluster.evidence.sort_by_key(|c| std::cmp::Reverse(c.weight));
}

fn clue(sign: &Sign) -> Clue {
    let hit = &sign.piece.hit;
    Clue {
        mark: catalogue().marks[hit.mark].name.clone(),
        weight: i16::try_from(hit.weight.points()).unwrap_or(i16::MAX),
        at: sign.piece.at.to_string(),
        found: hit.found.clone(),
    }
}

/// Templates with the user data of a node, whose instances are not there: the cluster sleeps, or is about to be made.
fn add_asleep(scope: &Scope, kept: &Kept, clusters: &mut Vec<Found>) {
    let used = |id: &Untrusted| kept.units.iter().any(|u| u.template.as_ref() == Some(id));
    let mut templates: Vec<_> = kept.templates.values().filter(|t| !used(&t.id)).collect();
    templates.sort_by(|a, b| a.id.cmp(&b.id));
    for template in templates {
        let in_use = kept
            .tiers
            .iter()
            .any(|(name, (_, of))| of.as_ref() == Some(&template.id) && kept.members.values().any(|m| m == name));
        let hits: Vec<Hit> = template.pieces.iter().map(|p| p.hit.clone()).collect();
        let Some(weighed) = weigh::weigh(&weigh::counting(&hits)).filter(|w| w.confidence >= NODE_AT) else { continue };
        let name = weighed.cluster.clone().or_else(|| template.facts.cluster.clone()).filter(|n| is_chosen(n.as_str()));
        let there = name.as_ref().is_some_and(|n| clusters.iter().any(|c| c.name.as_ref() == Some(n)));
        // A template without a name most likely belongs to the cluster of its kind that is there.
        let of_kind = |c: &Found| c.distribution == catalogue().distributions[weighed.distribution].distribution;
        if in_use || there || name.is_none() && clusters.iter().any(of_kind) {
            continue;
        }
        let signs: Vec<Sign> = template
            .pieces
            .iter()
            .map(|piece| Sign { piece: piece.clone(), vpc: None, kind: SignKind::Made })
            .collect();
        let print = catalogue().distributions[weighed.distribution];
        let joins = template.facts.joins.as_ref().and_then(|j| host(j.as_str()));
        let mut found = empty(scope, &print.distribution, name.clone(), Vec::new(), 0);
        if name.is_none() {
            found.id = format!("{}/{}", print.distribution, joins.unwrap_or_else(|| template.id.clone()));
        }
        found.version = template.facts.version.clone();
        found.control_plane = if print.managed { ControlPlane::Managed } else { ControlPlane::Unknown };
        support(&mut found, &signs.iter().collect::<Vec<_>>());
        if !clusters.iter().any(|c| c.id == found.id) {
            clusters.push(found);
        }
    }
}

/// Calls of what runs in a cluster: evidence of the only cluster there is, or of one that cannot be seen.
fn add_alive(scope: &Scope, kept: &Kept, clusters: &mut Vec<Found>) {
    let alive = |s: &&Sign| s.kind == SignKind::Alive && s.piece.hit.weight == Weight::Strong;
    let unnamed = |s: &&Sign| s.piece.hit.cluster.is_none();
    let issuers = |s: &&Sign| {
        s.kind == SignKind::Made && is_issuer(s) && s.piece.hit.found.as_str().contains(scope.region.as_str())
    };
    let calls: Vec<&Sign> = kept.signs.values().filter(|s| alive(s) || issuers(s)).filter(unnamed).collect();
    if calls.is_empty() {
        return;
    }
    match clusters.as_mut_slice() {
        [] => {
            let managed = calls.iter().all(|s| is_issuer(s) || owner_is(s, "eks"));
            let distribution = if managed { "eks" } else { "kubernetes" };
            let mut found = empty(scope, distribution, None, Vec::new(), 0);
            found.id = format!("{distribution}/unseen");
            found.control_plane = if managed { ControlPlane::Elsewhere } else { ControlPlane::Unknown };
            support(&mut found, &calls);
            clusters.push(found);
        }
        [only] => support(only, &calls),
        _ => {}
    }
}

fn is_issuer(sign: &Sign) -> bool {
    catalogue().marks[sign.piece.hit.mark].name == "eks/issuer"
}

fn owner_is(sign: &Sign, name: &str) -> bool {
    let Owner::Distribution(n) = catalogue().marks[sign.piece.hit.mark].owner else { return false };
    let print = catalogue().distributions[n];
    print.distribution == name || print.presumes.as_deref() == Some(name)
}

fn empty(scope: &Scope, distribution: &str, name: Option<Untrusted>, evidence: Vec<Clue>, confidence: u16) -> Found {
    Found {
        id: format!("{distribution}/{}", name.as_ref().map(ToString::to_string).unwrap_or_default()),
        scope: scope.clone(),
        distribution: distribution.to_owned(),
        also: Vec::new(),
        name,
        version: None,
        control_plane: ControlPlane::Unknown,
        nodes: Vec::new(),
        bastions: Vec::new(),
        vpcs: Vec::new(),
        exposure: Vec::new(),
        anonymous: Vec::new(),
        owner: None,
        confidence,
        evidence,
        joined_by: Vec::new(),
        unknown: Vec::new(),
    }
}
