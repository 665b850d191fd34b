//! The round of the sweep: every account and Region, one message each, so that one that fails costs no other and a large
//! organization is done side by side. A place is scanned, remembered, and what is new in it is handed on.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use picket_model::landscape::{Clue, Found};
use picket_model::{
    Asset, CaseId, Decision, Instance, InstanceId, NodeOf, Notice, NoticeKind, Observation, Reason, Region, Scope,
    Score, Subject, Target, Trigger, TriggerKind, Untrusted, Verdict,
};

use crate::messages::{Message, Survey};
use crate::ports::{Answer, Inventory, Queues};
use crate::posture::{Thing, found};
use crate::scan::{self, Atlas, Kept, Lookout, Probing, Scanned, Spotted, With, atlas};

/// How many messages are sent at once.
const PER_SEND: usize = 100;

/// What looking at a place needs.
pub struct Ports<'a> {
    /// Reads the account.
    pub lookout: &'a dyn Lookout,
    /// Remembers.
    pub atlas: &'a dyn Atlas,
    /// Hands on.
    pub queues: &'a dyn Queues,
    /// Asks machines that signals alone are not sure of; none where there is no prober, or the policy names no VPC.
    pub probing: Option<Probing<'a>>,
    /// Keeps instances one by one, in accounts that discover cannot look at; none where it does.
    pub inventory: Option<&'a dyn Inventory>,
    /// The stack, for what people are told.
    pub stack: &'a str,
}

/// Asks for every place to be looked at.
///
/// # Errors
/// If the queue refuses; the next round asks again.
pub async fn send(queues: &dyn Queues, scopes: &[Scope], because: &str) -> Answer<()> {
    for part in scopes.chunks(PER_SEND) {
        let survey = |scope: &Scope| Survey { scope: scope.clone(), because: because.to_owned(), wait_seconds: 0 };
        queues.send(part.iter().map(survey).map(Message::Survey).collect()).await?;
    }
    Ok(())
}

/// Which Regions are meant: `home`, `all`, or names with commas between them. Home is always one of them.
#[must_use]
pub fn regions(wanted: &str, home: &Region, enabled: &[Region]) -> Vec<Region> {
    let named = |text: &str| text.split(',').filter_map(|name| Region::parse(name.trim()).ok()).collect::<Vec<_>>();
    let mut all: BTreeSet<Region> = match wanted.trim() {
        "all" => enabled.iter().cloned().collect(),
        "home" | "" => BTreeSet::new(),
        names => named(names).into_iter().collect(),
    };
    all.insert(home.clone());
    all.into_iter().collect()
}

/// What came of a look at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// How many instances are there.
    pub instances: usize,
    /// How many clusters.
    pub clusters: usize,
    /// How many of them are new.
    pub new: usize,
    /// How many went.
    pub gone: usize,
    /// What could not be seen.
    pub unseen: usize,
    /// How many calls it took.
    pub calls: usize,
}

/// Looks at a place, remembers it, and hands on what is new: EKS clusters to discover, all of it to collect, clusters that
/// no list of AWS has to people. The very first look at a place tells nobody: all of it would be new.
///
/// # Errors
/// If what was found cannot be remembered or handed on; the message is tried again.
pub async fn place(ports: &Ports<'_>, asked: &Survey, now: Timestamp) -> Answer<Round> {
    let first = !ports.atlas.place(&asked.scope).await?.is_some_and(|place| place.was_seen());
    let seen: Mutex<Vec<Instance>> = Mutex::default();
    let keep = |page: &[Spotted]| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(page.iter().filter(|_| ports.inventory.is_some()).map(|s| s.instance.clone()));
    };
    let with = With { keep: &keep, probing: ports.probing, ..With::default() };
    let scanned = scan::run_with(ports.lookout, &asked.scope, now, &with).await;
    if let Some(inventory) = ports.inventory {
        let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        found::remember(inventory, ports.queues, &observations(seen, &scanned, &asked.scope)).await?;
    }
    let news = atlas::keep(ports.atlas, &scanned, &asked.because).await?;
    let mut messages = Vec::new();
    // Discover reads with the credentials of home, and cannot look at what is elsewhere.
    for cluster in news.new.iter().chain(&news.changed).filter(|_| ports.inventory.is_none()) {
        messages.extend(look(cluster, now));
    }
    // EKS at home is asked about by discover.
    if news.new.iter().any(|c| ports.inventory.is_some() || !is_listed(&c.found)) {
        messages.push(found::question(&asked.scope, BTreeSet::from([Thing::Cluster, Thing::Machine])));
    }
    if !first {
        messages.extend(news.new.iter().filter(|c| !is_listed(&c.found)).map(|c| told(c, ports.stack, now)));
    }
    if !messages.is_empty() {
        ports.queues.send(messages).await?;
    }
    Ok(came(&scanned, &news))
}

/// Instances as the inventory takes them, each with the cluster that it is a node of.
fn observations(instances: Vec<Instance>, scanned: &Scanned, scope: &Scope) -> Vec<Observation> {
    let nodes: HashMap<&InstanceId, NodeOf> = scanned.survey.clusters.iter().flat_map(nodes_of).collect();
    let trigger = Trigger::scheduled(scope.clone(), Subject::Everything, scanned.at);
    let observation = |instance: Instance| {
        let node_of = nodes.get(&instance.id).cloned();
        let seen = Observation::new(Asset::Instance(instance), trigger.clone(), scanned.at);
        Observation { node_of, ..seen }
    };
    instances.into_iter().map(observation).collect()
}

fn nodes_of(cluster: &Found) -> impl Iterator<Item = (&InstanceId, NodeOf)> {
    cluster.nodes.iter().map(|node| {
        let node_of = NodeOf {
            distribution: cluster.distribution.clone(),
            cluster: cluster.name.clone(),
            confidence: node.confidence,
            evidence: node.evidence.iter().take(5).map(|clue| format!("{}: {}", clue.at, clue.found)).collect(),
        };
        (&node.id, node_of)
    })
}

fn came(scanned: &Scanned, news: &atlas::News) -> Round {
    Round {
        instances: scanned.instances.len(),
        clusters: scanned.survey.clusters.len(),
        new: news.new.len(),
        gone: news.gone.len(),
        unseen: scanned.survey.unseen.len(),
        calls: scanned.calls,
    }
}

/// Whether AWS itself lists it.
fn is_listed(cluster: &Found) -> bool {
    cluster.id.starts_with("eks/")
}

/// A cluster of EKS is looked at by discover, which judges its endpoint.
fn look(cluster: &Kept, now: Timestamp) -> Option<Message> {
    let name = cluster.found.id.strip_prefix("eks/")?;
    let subject = Subject::Cluster(Untrusted::new(name));
    Some(Message::Look(Box::new(Trigger::scheduled(cluster.found.scope.clone(), subject, now))))
}

/// A cluster on plain instances that was not there before, told once.
fn told(cluster: &Kept, stack: &str, now: Timestamp) -> Message {
    let found = &cluster.found;
    let decision = Decision {
        case: CaseId::derive(&found.scope, &found.id),
        verdict: Verdict::Notify,
        scope: found.scope.clone(),
        targets: targets(found),
        score: Score { total: 0, reasons: reasons(found), unknown: Vec::new() },
        principal: None,
        trigger: TriggerKind::Schedule,
        triggered_at: now,
        policy: String::new(),
        ordered: false,
    };
    Message::Notice(Box::new(Notice {
        id: format!("new-cluster/{}/{}/{}", found.scope, found.id, cluster.first_seen),
        kind: NoticeKind::Suspicious,
        decision,
        at: now,
        stack: stack.to_owned(),
    }))
}

/// Something is wrong with Picket itself, in a place rather than with an asset.
#[must_use]
pub fn trouble(scope: &Scope, stack: &str, id: String, what: &str, now: Timestamp) -> Message {
    let decision = Decision {
        case: CaseId::derive(scope, &id),
        verdict: Verdict::Notify,
        scope: scope.clone(),
        targets: Vec::new(),
        score: Score { total: 0, reasons: Vec::new(), unknown: Vec::new() },
        principal: None,
        trigger: TriggerKind::Schedule,
        triggered_at: now,
        policy: String::new(),
        ordered: false,
    };
    let kind = NoticeKind::Trouble { what: what.to_owned() };
    Message::Notice(Box::new(Notice { id, kind, decision, at: now, stack: stack.to_owned() }))
}

fn targets(found: &Found) -> Vec<Target> {
    let name = found.name.clone().unwrap_or_else(|| Untrusted::new(&found.id));
    let node = |node: &picket_model::landscape::Node| Target {
        asset: node.id.to_string(),
        instance: Some(node.id.clone()),
        vpc: found.vpcs.first().cloned(),
        instance_type: None,
        name: name.clone(),
        node_of: None,
    };
    found.nodes.iter().take(50).map(node).collect()
}

fn reasons(found: &Found) -> Vec<Reason> {
    let first = Reason {
        signal: "new_cluster".to_owned(),
        weight: 0,
        says: format!(
            "{} {} with {} nodes is on no list of AWS, and was not there before",
            found.distribution,
            found.name.as_ref().map_or(found.id.as_str(), Untrusted::as_str),
            found.nodes.len()
        ),
        evidence: "the sweep".to_owned(),
    };
    let clue = |clue: &Clue| Reason {
        signal: "fingerprint".to_owned(),
        weight: 0,
        says: format!("{}: {}", clue.at, clue.found),
        evidence: clue.mark.clone(),
    };
    std::iter::once(first).chain(found.evidence.iter().take(5).map(clue)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_regions_of_a_round_are_those_that_were_asked_for_and_home() {
        let region = |name: &str| Region::parse(name).unwrap();
        let (home, enabled) = (region("us-east-1"), [region("eu-west-1"), region("us-east-1")]);
        assert_eq!(regions("home", &home, &enabled), [region("us-east-1")]);
        assert_eq!(regions("all", &home, &enabled), enabled);
        assert_eq!(regions("eu-north-1, sa-east-1", &home, &enabled).len(), 3);
        assert_eq!(regions("", &home, &enabled), [region("us-east-1")]);
    }
}
