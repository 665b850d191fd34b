//! Benchmarks refuse what they cannot stand for, and what they come to adds up.

use picket_model::{AccountId, Document, Fact, Outcome, Region};
use serde_json::{Value, json};

use super::*;
use crate::rules::{Catalogue, Evidence, Kinds, catalogue, judge_all};

fn rules() -> Catalogue {
    let kinds = Kinds::parse([(
        "t.thing.yaml",
        "kind: t.thing\nsource: t:Get\nsays: A thing.\nfields: {on: bool, state: string}\n",
    )])
    .unwrap();
    let mut rules = Catalogue::default();
    let rule = |extra: &str| {
        format!(
            "title: T\nseverity: low\nlayer: os\nselect: t.thing\n{extra}check: {{at: on, op: eq, value: true}}\nwhy: w\nfix: {{how: look at it}}\n"
        )
    };
    rules
        .read_one(
            "t/on.yaml",
            &rule("when: {at: state, op: noteq, value: gone, default: here}\nbecause: it is gone\n"),
            &kinds,
        )
        .unwrap();
    rules.read_one("t/seen.yaml", &rule("evidence_only: true\n"), &kinds).unwrap();
    rules
}

fn parse(controls: &str) -> Result<Benchmark, String> {
    let text =
        format!("benchmark: b-1\nname: B\nversion: 1.10\nsections: {{'1': One, '1.2': Two}}\ncontrols:\n{controls}\n");
    let mut benchmarks = Benchmarks::default();
    benchmarks.read([("b-1.yaml", text.as_str())], &rules()).map_err(|e| e.to_string())?;
    Ok(benchmarks.get("b-1").unwrap().clone())
}

fn evidence(things: &[Value]) -> Evidence {
    let (account, region) = (AccountId::parse("123456789012").unwrap(), Region::parse("us-east-1").unwrap());
    let mut evidence = Evidence::default();
    evidence.complete("t.thing", &account, Some(&region));
    evidence.add(things.iter().enumerate().map(|(n, facts)| Document {
        kind: "t.thing".to_owned(),
        account: account.clone(),
        region: Some(region.clone()),
        id: format!("thing-{n}"),
        read_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        facts: Fact::known(facts.clone(), "t:Get"),
    }));
    evidence
}

const CONTROLS: &str = "  - {id: '1.1', level: 1, title: On, rules: [t_on]}\n  - {id: 1.2.1, title: Seen, rules: [t_seen]}\n  \
    - {id: 1.2.2, title: Asked, manual: ask somebody}\n  - {id: '2.1', title: Not here, not_applicable: no such thing}\n  \
    - {id: '2.2', title: Later, pending: needs nodes}";

fn first(things: &[Value]) -> Outcome {
    let (benchmark, rules, evidence) = (parse(CONTROLS).unwrap(), rules(), evidence(things));
    let judged = judge_all(rules.iter(), &evidence);
    roll_up(&benchmark, &RollUp::new(&rules, &evidence, &judged), &[]).controls[0].outcome.clone()
}

#[test]
fn one_that_fails_outweighs_one_that_is_unknown_and_that_one_that_passes() {
    assert_eq!(first(&[json!({"on": true}), json!({}), json!({"on": false})]), Outcome::Fail);
    assert_eq!(
        first(&[json!({"on": true}), json!({})]),
        Outcome::Unknown("t.thing/thing-1: `on` was not read".to_owned())
    );
    assert_eq!(first(&[json!({"on": true}), json!({"state": "gone"})]), Outcome::Pass);
}

#[test]
fn where_nothing_passes_nothing_is_compliant() {
    assert_eq!(first(&[json!({"state": "gone"})]), Outcome::NotApplicable("it is gone".to_owned()));
    assert_eq!(first(&[]), Outcome::NotApplicable("there is no t.thing".to_owned()));
    let (benchmark, rules) = (parse(CONTROLS).unwrap(), rules());
    let nothing = Evidence::default();
    let rolled = roll_up(&benchmark, &RollUp::new(&rules, &nothing, &[]), &[]);
    assert_eq!(rolled.controls[0].outcome, Outcome::Unknown("t.thing was not read".to_owned()));
}

#[test]
fn counts_add_up() {
    let (benchmark, rules, evidence) = (parse(CONTROLS).unwrap(), rules(), evidence(&[json!({"on": true})]));
    let judged = judge_all(rules.iter(), &evidence);
    let rolled = roll_up(&benchmark, &RollUp::new(&rules, &evidence, &judged), &[]);
    let counts = rolled.counts();
    assert_eq!(counts.values().sum::<usize>(), 5);
    assert_eq!((counts["pass"], counts["manual"], counts["not_applicable"], counts["unknown"]), (1, 2, 1, 1));
    let coverage = benchmark.coverage(|r| rules.get(r).is_some_and(|r| !r.evidence_only));
    assert_eq!((coverage.total, coverage.evaluated, coverage.manual), (5, 1, 2));
    assert_eq!((coverage.not_applicable, coverage.pending, coverage.version.as_str()), (1, 1, "1.10"));
    assert_eq!((rolled.controls[1].section.as_str(), rolled.controls[0].section.as_str()), ("Two", "One"));
}

#[test]
fn a_control_that_nobody_decides_is_refused() {
    for (controls, word) in [
        ("  - {id: a, title: t}", "needs rules, or a reason"),
        ("  - {id: a, title: t, rules: []}", "needs rules, or a reason"),
        ("  - {id: a, title: t, rules: [t_off]}", "b-1.yaml:6:31: `t_off` is no rule"),
        ("  - {id: a, title: t, rules: [t_on], manual: m}", "one of"),
        ("  - {id: a, title: t, manual: ' '}", "says nothing"),
        ("  - {id: a, title: t, manual: m}\n  - {id: a, title: t, manual: m}", "twice"),
        ("  - {id: a, title: t, manual: m, note: n}", "note"),
    ] {
        let error = parse(controls).unwrap_err();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn the_benchmarks_that_are_built_in_are_well_formed() {
    let benchmarks = built_in().map_err(|e| format!("benchmarks/{e}")).unwrap();
    let rules = catalogue::built_in().unwrap();
    for benchmark in benchmarks.iter() {
        let coverage = benchmark.coverage(|r| rules.get(r).is_some_and(|r| !r.evidence_only));
        let sum = coverage.evaluated + coverage.manual + coverage.not_applicable + coverage.pending;
        assert_eq!(sum, coverage.total, "{}", benchmark.id);
    }
}

/// How many controls of a benchmark rules decide at the least: what the best of our peers evaluates, or more.
const DECIDED: &[(&str, usize, usize)] =
    &[("cis-amazon-linux-2023-1.0.0", 243, 222), ("cis-bottlerocket-1.0.0", 28, 26), ("cis-docker-1.6.0", 117, 108)];

#[test]
fn benchmarks_of_nodes_are_whole_and_decide_what_was_aimed_at() {
    let (benchmarks, rules) = (built_in().unwrap(), catalogue::built_in().unwrap());
    for (id, total, least) in DECIDED {
        let coverage = benchmarks.get(id).unwrap().coverage(|r| rules.get(r).is_some_and(|r| !r.evidence_only));
        assert_eq!((coverage.total, coverage.pending), (*total, 0), "{id}");
        assert!(coverage.evaluated >= *least, "{id}: {} of {least}", coverage.evaluated);
    }
}

#[test]
fn rules_of_hosts_have_a_case_of_every_outcome() {
    let rules = catalogue::built_in().unwrap();
    let of_hosts = |name: &str| ["amazon_linux_", "bottlerocket_", "docker_"].iter().any(|p| name.starts_with(p));
    let ours: Vec<_> = rules.iter().filter(|r| of_hosts(&r.name)).collect();
    for rule in &ours {
        for outcome in ["pass", "fail", "unknown", "not_applicable"] {
            assert!(rule.cases.iter().any(|c| c.expect == outcome), "{} has no case that is {outcome}", rule.name);
        }
    }
    assert!(ours.len() > 300, "{}", ours.len());
}
