//! Our functions, each called by name, so that one that CEL comes to have too is noticed.

use picket_model::{AccountId, Document, Fact};
use serde_json::json;

use super::*;
use crate::rules::evaluate::Subject;

fn truth(text: &str) -> Result<bool, String> {
    let facts = json!({"mode": 420, "text": "0644", "cidr": "10.1.0.0/16", "at": "2025-12-31T00:00:00Z", "version": "1.30",
        "open": [{"protocol": "tcp", "from_port": 22, "to_port": 22, "cidrs": ["0.0.0.0/0"]}], "none": null});
    let document = Document {
        kind: "t.thing".to_owned(),
        account: AccountId::parse("123456789012").unwrap(),
        region: None,
        id: "x".to_owned(),
        read_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        facts: Fact::known(facts, "t:Get"),
    };
    let expression = compile(text, &BTreeMap::from([("this", Type::Any)]), None).map_err(|e| e.1)?;
    let subject = Subject::new(&document, document.facts.value().unwrap());
    expression.truth(&Scope { subject: &subject, names: &[], joins: &[] })
}

#[test]
fn every_function_is_there_and_does_what_it_says() {
    for text in [
        "covers(['a', 'b'], ['b']) && covers([], []) && !covers(['a'], ['a', 'c'])",
        "distinct(['a', 'b', 'a']) == 2 && distinct([]) == 0",
        "cidrContains('10.0.0.0/8', this.cidr) && !cidrContains(this.cidr, '10.0.0.0/8')",
        "duration('90d') == 90 * 86400 && duration('4h') == duration(14400)",
        "glob('*.example.com', 'a.example.com') && !glob('*.example.com', 'example.org')",
        "isPublicCidr('0.0.0.0/0') && isPublicCidr(['0.0.0.0/1', '128.0.0.0/1']) && !isPublicCidr(this.cidr)",
        "modeWithin(this.mode, '644') && modeWithin(this.text, '644') && !modeWithin(this.mode, '600')",
        "portOpen(this.open, 22) && !portOpen(this.open, 23)",
        "semver(this.version) > semver('1.9') && semver('v1.30.2-eks-1') > semver('1.30.1')",
        "now - time(this.at) == 86400",
        "id == 'x' && account == '123456789012' && region == ''",
        "!has(this.none)",
    ] {
        assert_eq!(truth(text), Ok(true), "{text}");
    }
}

#[test]
fn an_argument_that_makes_no_sense_is_not_known() {
    for text in [
        "duration('soon') > 1",
        "covers(this.nothing, ['a'])",
        "covers('a', 'a')",
        "semver('latest') > 1",
        "isPublicCidr('home')",
        "time('now') > 1",
        "this.nothing == 1",
    ] {
        assert!(truth(text).is_err(), "{text}");
    }
    assert_eq!(truth("true || this.nothing == 1"), Ok(true));
}
