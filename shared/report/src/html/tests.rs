//! What the page promises, on reports that are made here.

use picket_model::{Finding, Reading, Severity};
use serde_json::json;

use super::*;

/// What attackers write into names, tags and reasons.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'onmouseover='alert(1)",
    "<!--<script>",
    "]]><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{7*7}}{% raw %}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u{2028}alert(1)\u{2029}",
];

fn report(word: &str) -> Report {
    serde_json::from_value(json!({
        "of": word, "stack": word, "at": "2026-11-26T04:00:00Z", "mode": word,
        "assessment": {
            "accounts": ["123456789012"], "at": "2026-11-26T04:00:00Z", "evaluations": [],
            "findings": [finding(word)],
            "benchmarks": [{"id": word, "name": word, "version": word, "controls": [
                {"id": word, "title": word, "section": word, "level": 1, "outcome": {"is": "unknown", "why": word},
                 "rules": [], "assets": {"fail": 1, "pass": 2}, "findings": []}]}],
            "unseen": [{"what": word, "why": word, "permission": word}],
        },
        "held": [{"asset": word, "name": word, "account": "123456789012", "region": "us-east-1",
            "case": "case-0123456789ab", "since": "2026-11-26T01:00:00Z", "state": word, "verified": format!("LEAKING {word}"),
            "why": word, "until": null}],
        "clusters": [{"name": word, "distribution": word, "version": word, "account": "123456789012",
            "region": "us-east-1", "nodes": 3, "confidence": 90, "owner": word,
            "exposure": [{"part": word, "port": 6443, "from": word, "world": true}], "evidence": [word],
            "first_seen": "2026-11-25T01:00:00Z", "last_seen": "2026-11-26T01:00:00Z", "gone": false}],
        "assets": [{"asset": word, "name": word, "account": "123456789012", "region": null, "score": 90,
            "reasons": [{"signal": word, "weight": 50, "says": word, "evidence": word}]}],
        "episodes": [{"case": "case-0123456789ab", "at": "2026-11-26T01:00:00Z", "what": word, "took_ms": 700}],
        "trend": [{"date": word, "open": [1, 2, 3, 4]}],
    }))
    .unwrap()
}

fn finding(word: &str) -> Finding {
    serde_json::from_value(json!({
        "id": word, "rule": word, "title": word, "severity": "critical", "account": "123456789012",
        "region": "us-east-1", "asset": word, "controls": [word], "readings": [], "fix": word, "action": word,
        "first_seen": "2026-11-25T01:00:00Z", "last_seen": "2026-11-26T01:00:00Z", "resolved_at": null,
        "waiver": {"rule": word, "asset": word, "owner": word, "reason": word, "until": "2027-01-01T00:00:00Z"},
    }))
    .map(|f: Finding| Finding {
        readings: vec![Reading { at: word.into(), source: word.into(), found: word.into(), expected: word.into() }],
        ..f
    })
    .unwrap()
}

#[test]
fn no_word_of_an_attacker_becomes_markup() {
    let quiet = render(&report("harmless")).unwrap();
    let elements = |page: &str| page.matches('<').count();
    for word in HOSTILE {
        let page = render(&report(word)).unwrap();
        assert_eq!(elements(&page), elements(&quiet), "{word}");
    }
}

#[test]
fn the_page_asks_nobody_for_anything() {
    let page = render(&report("quiet")).unwrap();
    for outside in ["http://", "https://", "src=", "url(", "@import", "<link", "<iframe"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn the_policy_of_the_page_names_its_own_script_by_digest_and_no_other() {
    let page = render(&report("quiet")).unwrap();
    let policy = policy();
    assert!(page.contains(&policy), "the template changes the policy");
    assert!(!policy.contains("unsafe"));
}

#[test]
fn ten_thousand_findings_make_a_page_that_a_browser_opens() {
    let mut report = report("many");
    report.assessment.findings = vec![finding("a finding of ordinary length, as most are"); 10_000];
    let page = render(&report).unwrap();
    assert!(page.len() < 12 << 20, "{} MB", page.len() >> 20);
}

#[test]
fn the_counts_of_a_benchmark_add_up() {
    let page = render(&report("x")).unwrap();
    assert!(page.contains("1 unknown of 1"), "the benchmark's words are missing");
}

#[test]
fn open_critical_findings_come_first_and_resolved_ones_last() {
    let mut report = report("x");
    let low = Finding { severity: Severity::Low, title: "low".into(), waiver: None, ..finding("b") };
    let gone = Finding { resolved_at: Some(report.at), title: "gone".into(), ..finding("c") };
    report.assessment.findings = vec![gone, low, finding("worst")];
    let data = data::findings(&report).unwrap();
    let at = |title: &str| data.find(&format!("\"title\":\"{title}\"")).unwrap();
    assert!(at("worst") < at("low") && at("low") < at("gone"));
}
