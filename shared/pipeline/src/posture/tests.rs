//! Events and sweeps against a world that is a list of documents.

use std::sync::Mutex;

use picket_model::{Document, Fact, Mode, Untrusted};
use serde_json::{Value, json};

use super::*;
use crate::messages::Message;
use crate::ports::StoredPolicy;

/// A world of documents, and all that is kept of it.
#[derive(Default)]
struct World {
    documents: Mutex<Vec<Document>>,
    asked: Mutex<Vec<Option<BTreeSet<String>>>>,
    kept: Mutex<Vec<Finding>>,
    writes: Mutex<usize>,
    benchmarks: Mutex<Vec<BenchmarkResult>>,
    files: Vec<File>,
    sent: Mutex<Vec<Message>>,
}

fn account() -> AccountId {
    AccountId::parse("123456789012").unwrap()
}

fn region() -> Region {
    Region::parse("us-east-1").unwrap()
}

fn home() -> Scope {
    Scope { account: account(), region: region() }
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

#[async_trait]
impl Reader for World {
    async fn read(
        &self,
        account: &AccountId,
        _: Option<&Region>,
        kinds: Option<&BTreeSet<String>>,
        _: Timestamp,
    ) -> Answer<Evidence> {
        self.asked.lock().unwrap().push(kinds.cloned());
        let mut evidence = Evidence::default();
        for kind in ["t.lock", "t.door"].into_iter().filter(|k| kinds.is_none_or(|w| w.contains(*k))) {
            evidence.complete(kind, account, Some(&region()));
            evidence.add(self.documents.lock().unwrap().iter().filter(|d| d.kind == kind).cloned());
        }
        Ok(evidence)
    }
}

#[async_trait]
impl Findings for World {
    async fn findings(&self, _: &AccountId) -> Answer<Vec<Finding>> {
        Ok(self.kept.lock().unwrap().clone())
    }
    async fn keep_findings(&self, findings: &[Finding]) -> Answer<()> {
        *self.writes.lock().unwrap() += findings.len();
        let mut kept = self.kept.lock().unwrap();
        kept.retain(|k| !findings.iter().any(|f| f.id == k.id));
        kept.extend(findings.iter().cloned());
        Ok(())
    }
    async fn benchmarks(&self, _: &AccountId) -> Answer<Vec<BenchmarkResult>> {
        Ok(self.benchmarks.lock().unwrap().clone())
    }
    async fn keep_unseen(&self, _: &AccountId, _: &[picket_model::Unseen]) -> Answer<()> {
        Ok(())
    }

    async fn keep_benchmarks(&self, _: &AccountId, results: &[BenchmarkResult], _: Timestamp) -> Answer<()> {
        *self.benchmarks.lock().unwrap() = results.to_vec();
        Ok(())
    }
    async fn rule_files(&self) -> Answer<Vec<File>> {
        Ok(self.files.clone())
    }
    async fn put_rule_files(&self, _: &[File]) -> Answer<()> {
        Ok(())
    }
}

#[async_trait]
impl Policies for World {
    async fn policy(&self) -> Answer<StoredPolicy> {
        let text = "version: 1\nfixes: {of: [{rule: t_door, do: fix}]}\n".to_owned();
        Ok(StoredPolicy { current: Some(text), good: None, paused: None })
    }
    async fn keep_good(&self, _: &str) -> Answer<()> {
        Ok(())
    }
    async fn put_policy(&self, _: &str, _: &Untrusted) -> Answer<()> {
        Ok(())
    }
    async fn set_paused(&self, _: Option<&Untrusted>, _: &Untrusted) -> Answer<()> {
        Ok(())
    }
}

#[async_trait]
impl Queues for World {
    async fn send(&self, messages: Vec<Message>) -> Answer<()> {
        self.sent.lock().unwrap().extend(messages);
        Ok(())
    }
}

fn rule(kind: &str, severity: &str, fix: &str) -> String {
    format!(
        "title: It is shut\nseverity: {severity}\nlayer: network\nselect: {kind}\ncheck: {{at: shut, op: eq, value: true}}\n\
         why: w\nfix: {{how: shut it{fix}}}\n"
    )
}

fn world(documents: &[(&str, &str, Value)]) -> World {
    let kind = |name: &str| format!("kind: {name}\nsource: t:Get\nsays: A thing.\nfields: {{shut: bool}}\n");
    let file = |path: &str, text: String| (path.to_owned(), text);
    let document = |(kind, id, facts): &(&str, &str, Value)| Document {
        kind: (*kind).to_owned(),
        account: account(),
        region: Some(region()),
        id: (*id).to_owned(),
        read_at: now(),
        facts: Fact::known(facts.clone(), "t:Get"),
    };
    World {
        documents: Mutex::new(documents.iter().map(document).collect()),
        files: vec![
            file("kinds/t.door.yaml", kind("t.door")),
            file("kinds/t.lock.yaml", kind("t.lock")),
            file(
                "rules/t/door.yaml",
                rule("t.door", "high", ", action: eks_set_logging, with: {types: [audit]}, approval: never"),
            ),
            file("rules/t/lock.yaml", rule("t.lock", "low", "")),
        ],
        ..World::default()
    }
}

async fn ask(world: &World, asked: &Asked) -> Judged {
    ask_at(world, asked, now()).await
}

async fn ask_at(world: &World, asked: &Asked, at: Timestamp) -> Judged {
    let ports = Ports { reader: world, findings: world, policies: world, queues: world };
    let settings = Settings { stack: "picket".to_owned(), mode: Mode::Observe };
    run(&ports, &settings, &home(), asked, at).await.unwrap()
}

#[tokio::test]
async fn a_sweep_keeps_findings_tells_of_grave_ones_and_hands_fixes_over_once() {
    let world = world(&[("t.door", "front", json!({"shut": false})), ("t.lock", "l", json!({"shut": false}))]);
    let sweep = Asked::Sweep { account: account() };
    let first = ask(&world, &sweep).await;
    assert_eq!((first.opened, first.fixes), (2, 1));
    let sent = std::mem::take(&mut *world.sent.lock().unwrap());
    let [Message::Fix(work), Message::Notice(notice)] = &sent[..] else { panic!("{sent:?}") };
    let crate::fix::Work::Order(order) = &**work else { panic!("{work:?}") };
    assert_eq!((order.aims[0].target.as_str(), order.ask), ("front", false));
    assert_eq!(notice.decision.score.reasons.len(), 1);
    assert!(notice.decision.score.reasons[0].says.contains("t.door/front"));
    let again = ask(&world, &sweep).await;
    assert_eq!((again.opened, again.fixes, world.sent.lock().unwrap().len()), (0, 0, 0));
    assert!(!world.benchmarks.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_event_reads_and_judges_only_what_its_kind_touches() {
    let world = world(&[("t.door", "front", json!({"shut": false})), ("t.lock", "l", json!({"shut": false}))]);
    ask(&world, &Asked::Sweep { account: account() }).await;
    world.documents.lock().unwrap().clear();
    let call = Call { source: "eks.amazonaws.com".to_owned(), name: "UpdateClusterConfig".to_owned() };
    let event =
        Asked::Calls { account: account(), region: region(), calls: BTreeSet::from([call]), found: BTreeSet::new() };
    ask(&world, &event).await;
    let kinds = world.asked.lock().unwrap()[1].clone().unwrap();
    assert!(kinds.contains("eks.cluster") && !kinds.contains("t.door"), "{kinds:?}");
    assert!(world.kept.lock().unwrap().iter().all(|f| f.resolved_at.is_none()), "what was not judged is not resolved");
}

#[tokio::test]
async fn a_call_that_touches_nothing_reads_nothing() {
    let world = world(&[]);
    let call = Call { source: "athena.amazonaws.com".to_owned(), name: "CreateWorkGroup".to_owned() };
    let event =
        Asked::Calls { account: account(), region: region(), calls: BTreeSet::from([call]), found: BTreeSet::new() };
    assert_eq!(ask(&world, &event).await, Judged::default());
    assert!(world.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn rules_that_cannot_be_used_do_not_switch_ours_off() {
    let mut world = world(&[]);
    world.files.push(("rules/t/broken.yaml".to_owned(), "title: T\n".to_owned()));
    ask(&world, &Asked::Sweep { account: account() }).await;
    assert!(!world.benchmarks.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_found_is_judged_by_the_kinds_that_tell_of_it() {
    let world = world(&[]);
    let found = BTreeSet::from([Thing::Machine]);
    ask(&world, &Asked::Calls { account: account(), region: region(), calls: BTreeSet::new(), found }).await;
    let kinds = world.asked.lock().unwrap()[0].clone().unwrap();
    for kind in ["ec2.instance", "ec2.security_group", "ec2.launch_template", "ec2.volume"] {
        assert!(kinds.contains(kind), "{kind} tells of a machine: {kinds:?}");
    }
    assert!(!kinds.contains("s3.bucket") && !kinds.contains("iam.user"), "{kinds:?}");
}

#[tokio::test]
async fn findings_in_another_account_are_kept_and_told_and_nothing_is_handed_to_fix() {
    let world = world(&[("t.door", "front", json!({"shut": false}))]);
    let ports = Ports { reader: &world, findings: &world, policies: &world, queues: &world };
    let settings = Settings { stack: "picket".to_owned(), mode: Mode::Enforce };
    let elsewhere = Scope { account: AccountId::parse("210987654321").unwrap(), region: region() };
    let judged = run(&ports, &settings, &elsewhere, &Asked::Sweep { account: account() }, now()).await.unwrap();
    assert_eq!((judged.opened, judged.fixes), (1, 0));
    let sent = world.sent.lock().unwrap();
    let [Message::Notice(notice)] = &sent[..] else { panic!("{sent:?}") };
    let says: Vec<_> = notice.decision.score.reasons.iter().map(|r| r.says.as_str()).collect();
    assert!(says.iter().any(|s| s.contains("would be fixed at home") && s.contains("only reads")), "{says:?}");
}

#[tokio::test]
async fn a_finding_is_written_when_it_changes_and_once_in_a_quarter_of_an_hour() {
    let world = world(&[("t.door", "front", json!({"shut": false})), ("t.lock", "l", json!({"shut": false}))]);
    let sweep = Asked::Sweep { account: account() };
    let written_at = async |minutes: i64| {
        ask_at(&world, &sweep, now() + SignedDuration::from_mins(minutes)).await;
        std::mem::take(&mut *world.writes.lock().unwrap())
    };
    assert_eq!((written_at(0).await, written_at(1).await, written_at(14).await), (2, 0, 0), "nothing is new");
    assert_eq!((written_at(15).await, written_at(16).await), (2, 0), "it is seen again");
    world.documents.lock().unwrap()[0].facts = Fact::known(json!({"shut": true}), "t:Get");
    assert_eq!((written_at(17).await, written_at(18).await), (1, 0), "the door was shut, and it is resolved");
    let kept = world.kept.lock().unwrap();
    let front = kept.iter().find(|f| f.asset == "t.door/front").unwrap();
    assert_eq!(front.resolved_at, Some(now() + SignedDuration::from_mins(17)));
}
