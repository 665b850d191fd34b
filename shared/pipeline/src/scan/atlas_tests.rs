//! What is remembered, look after look.

use std::sync::Mutex;

use futures::FutureExt as _;
use picket_model::landscape::{ControlPlane, Node, NodeRole};
use picket_model::{AccountId, Region, Untrusted};

use super::*;

#[derive(Default)]
struct Memory {
    clusters: Mutex<Vec<Kept>>,
    place: Mutex<Option<Looked>>,
    gone: Mutex<usize>,
}

#[async_trait]
impl Atlas for Memory {
    async fn clusters(&self, _: &Scope) -> Answer<Vec<Kept>> {
        Ok(self.clusters.lock().unwrap().clone())
    }
    async fn keep_cluster(&self, cluster: &Kept) -> Answer<()> {
        let mut all = self.clusters.lock().unwrap();
        all.retain(|k| k.found.id != cluster.found.id);
        all.push(cluster.clone());
        Ok(())
    }
    async fn place(&self, _: &Scope) -> Answer<Option<Looked>> {
        Ok(self.place.lock().unwrap().clone())
    }
    async fn keep_place(&self, place: &Looked) -> Answer<()> {
        *self.place.lock().unwrap() = Some(place.clone());
        Ok(())
    }
    async fn mark_gone(&self, _: &Scope, _: &[InstanceId], _: Timestamp) -> Answer<usize> {
        *self.gone.lock().unwrap() += 1;
        Ok(0)
    }
}

fn scope() -> Scope {
    Scope { account: AccountId::parse("123456789012").unwrap(), region: Region::parse("us-east-1").unwrap() }
}

fn cluster(id: &str, version: &str, nodes: &[&str]) -> Found {
    let node = |id: &&str| Node {
        id: InstanceId::parse(*id).unwrap(),
        role: NodeRole::Worker,
        distribution: "kops".to_owned(),
        confidence: 60,
        evidence: Vec::new(),
    };
    Found {
        id: id.to_owned(),
        scope: scope(),
        distribution: "kops".to_owned(),
        also: Vec::new(),
        name: None,
        version: Some(Untrusted::new(version)),
        control_plane: ControlPlane::Nodes,
        nodes: nodes.iter().map(node).collect(),
        bastions: Vec::new(),
        vpcs: Vec::new(),
        exposure: Vec::new(),
        anonymous: Vec::new(),
        owner: None,
        confidence: 60,
        evidence: Vec::new(),
        joined_by: Vec::new(),
        unknown: Vec::new(),
    }
}

fn look(minute: i64, clusters: Vec<Found>, hidden: &[&str]) -> Scanned {
    let unseen = |what: &&str| Unseen { what: (*what).to_owned(), instance: None, reason: "denied".to_owned() };
    let unseen = hidden.iter().map(unseen).collect();
    Scanned {
        at: Timestamp::from_second(minute * 60).unwrap(),
        survey: Survey { scope: scope(), instances: 0, clusters, suspects: Vec::new(), unseen },
        instances: Vec::new(),
        calls: 1,
    }
}

fn kept(memory: &Memory, scanned: &Scanned) -> News {
    keep(memory, scanned, "the clock").now_or_never().unwrap().unwrap()
}

#[test]
fn a_cluster_is_new_once_and_quiet_while_nothing_changes() {
    let memory = Memory::default();
    let first = kept(&memory, &look(1, vec![cluster("kops/k", "1.30", &["i-12345678"])], &[]));
    assert_eq!((first.new.len(), first.changed.len()), (1, 0));
    assert_eq!(kept(&memory, &look(2, vec![cluster("kops/k", "1.30", &["i-12345678"])], &[])), News::default());
    let all = memory.clusters.lock().unwrap();
    assert_eq!((all[0].first_seen.as_second(), all[0].last_seen.as_second()), (60, 120));
}

#[test]
fn what_changed_is_remembered_with_what_it_was() {
    let memory = Memory::default();
    kept(&memory, &look(1, vec![cluster("kops/k", "1.30", &["i-12345678"])], &[]));
    let news = kept(&memory, &look(2, vec![cluster("kops/k", "1.31", &["i-87654321"])], &[]));
    let history = &news.changed[0].history;
    assert_eq!(
        (history[0].what.as_str(), history[0].from.as_str(), history[0].to.as_str()),
        ("version", "1.30", "1.31")
    );
    assert_eq!(
        (history[1].what.as_str(), history[1].from.as_str(), history[1].to.as_str()),
        ("nodes", "i-12345678", "i-87654321")
    );
}

#[test]
fn a_cluster_that_vanishes_is_marked_and_not_dropped_and_is_news_when_it_is_back() {
    let memory = Memory::default();
    kept(&memory, &look(1, vec![cluster("kops/k", "1.30", &[])], &[]));
    assert_eq!(kept(&memory, &look(2, Vec::new(), &[])).gone.len(), 1);
    assert_eq!(kept(&memory, &look(3, Vec::new(), &[])).gone.len(), 0, "it is gone once");
    assert_eq!(memory.clusters.lock().unwrap()[0].gone_at.map(|t| t.as_second()), Some(120));
    let back = kept(&memory, &look(4, vec![cluster("kops/k", "1.30", &[])], &[]));
    assert_eq!((back.new.len(), back.new[0].gone_at), (1, None));
}

#[test]
fn a_look_that_did_not_see_everything_calls_nothing_gone() {
    let memory = Memory::default();
    kept(&memory, &look(1, vec![cluster("kops/k", "1.30", &[])], &[]));
    let news = kept(&memory, &look(2, Vec::new(), &["instances"]));
    assert_eq!((news.gone.len(), *memory.gone.lock().unwrap()), (0, 1));
    let harmless = kept(&memory, &look(3, Vec::new(), &["the callers of AWS"]));
    assert_eq!(harmless.gone.len(), 1);
}

#[test]
fn a_history_is_bounded_and_keeps_the_newest() {
    let at = |n: i64| Changed {
        at: Timestamp::from_second(n).unwrap(),
        what: "x".to_owned(),
        from: String::new(),
        to: n.to_string(),
    };
    let history = bounded((0..HISTORY as i64).map(at).collect(), vec![at(1000)]);
    assert_eq!((history.len(), history[0].to.as_str(), history[HISTORY - 1].to.as_str()), (HISTORY, "1", "1000"));
    assert_eq!(changed_since(&history, Timestamp::from_second(1000).unwrap()).len(), 1);
}

#[test]
fn a_place_that_cannot_be_looked_at_keeps_what_was_seen_there_and_says_why() {
    let memory = Memory::default();
    let now: Timestamp = "2026-01-02T00:00:00Z".parse().unwrap();
    blind(&memory, &scope(), "sts:AssumeRole was denied", now).now_or_never().unwrap().unwrap();
    let never = memory.place.lock().unwrap().clone().unwrap();
    assert!(!never.was_seen() && never.unseen[0].reason == "sts:AssumeRole was denied", "{never:?}");
    let seen = Looked { instances: 7, clusters: 2, calls: 30, at: Timestamp::UNIX_EPOCH, ..never };
    *memory.place.lock().unwrap() = Some(seen.clone());
    blind(&memory, &scope(), "sts:AssumeRole was denied", now).now_or_never().unwrap().unwrap();
    let kept = memory.place.lock().unwrap().clone().unwrap();
    assert_eq!((kept.instances, kept.clusters, kept.at, kept.was_seen()), (7, 2, seen.at, true));
}
