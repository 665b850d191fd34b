//! Vectors of other projects as our documents and rules, so that our judgement can be compared with theirs. The shapes
//! are theirs; what is made of them goes the same way as what a cluster or a node tells.

pub mod aws;
pub mod checkov;
pub mod host;
pub mod kubescape;

use jiff::Timestamp;
use picket_checks::rules::{Catalogue, Evidence, judge_all};
use picket_checks::vectors::{Ours, Says, Suite, Vector};
use picket_model::{AccountId, Document, Fact, Outcome, Region};
use serde_json::Value;

use crate::kubernetes::Context;

/// A vector as we see it: the documents that it makes, and the rules that ask what its rule asks. No rules: not covered.
#[derive(Debug, Clone, Default)]
pub struct Mapped {
    /// The documents.
    pub documents: Vec<Document>,
    /// The names of our rules.
    pub rules: Vec<String>,
}

/// A vector's name: the project, its rule, and its case or file.
#[must_use]
pub fn id(vector: &Value) -> String {
    let text = |key: &str| vector[key].as_str().unwrap_or_default();
    if vector.get("check").is_some() {
        format!("checkov/{}/{}", text("check"), text("file").rsplit('/').next().unwrap_or_default())
    } else {
        format!("kubescape/{}/{}", text("rule"), text("case"))
    }
}

/// The suites, by file.
pub const SUITES: &[Suite] = &[Suite { file: "checkov_k8s.jsonl", judge }, Suite { file: "kubescape.jsonl", judge }];

/// Every suite that there is, those of operators among them.
pub fn suites() -> impl Iterator<Item = &'static Suite> {
    SUITES.iter().chain(picket_checks::vectors::SUITES)
}

/// Judges each line of a file.
fn judge(text: &str, rules: &Catalogue) -> Result<Vec<Vector>, String> {
    let lines = text.lines().filter(|l| !l.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).map_err(|e| e.to_string()).map(|v| one(&v, rules))).collect()
}

fn one(vector: &Value, rules: &Catalogue) -> Vector {
    let text = |key: &str| vector[key].as_str().unwrap_or_default();
    let id = id(vector);
    let case = id.splitn(3, '/').nth(2).unwrap_or_default().to_owned();
    let rule = if vector.get("check").is_some() { text("check") } else { text("rule") };
    let theirs = if text("expect") == "PASS" { Says::Pass } else { Says::Fail };
    let mapped = map(vector);
    let facts = mapped.documents.iter().filter_map(|d| d.facts.value().cloned()).collect();
    Vector { rule: rule.to_owned(), case, theirs, ours: ours(&mapped, rules), facts }
}

/// One failure fails; what is unknown, or for a person, is no verdict.
fn ours(mapped: &Mapped, rules: &Catalogue) -> Ours {
    if mapped.rules.is_empty() {
        return Ours::NotCovered("no rule of ours asks this".to_owned());
    }
    let mut chosen = Vec::new();
    for name in &mapped.rules {
        match rules.get(name) {
            Some(rule) => chosen.push(rule),
            None => return Ours::NotCovered(format!("there is no rule `{name}`")),
        }
    }
    let mut evidence = Evidence::default();
    evidence.add(mapped.documents.iter().cloned());
    let outcomes: Vec<Outcome> = judge_all(chosen, &evidence).iter().map(|j| j.evaluation().outcome).collect();
    if outcomes.contains(&Outcome::Fail) {
        return Ours::Says(Says::Fail);
    }
    let open = outcomes.iter().find(|o| matches!(o, Outcome::Unknown(_) | Outcome::Manual(_)));
    match open {
        Some(open) => Ours::NotCovered(format!("{}: {}", open.word(), open.why().unwrap_or_default())),
        None if outcomes.is_empty() => {
            Ours::NotCovered("nothing among its objects is what our rule is about".to_owned())
        }
        None => Ours::Says(Says::Pass),
    }
}

/// A vector of either project, by its fields.
#[must_use]
pub fn map(vector: &Value) -> Mapped {
    if vector.get("check").is_some() { checkov::map(vector) } else { kubescape::map(vector) }
}

/// Whose documents these are: nobody's. None if even that cannot be named.
fn context() -> Option<Context> {
    Some(Context {
        account: AccountId::parse("000000000000").ok()?,
        region: Region::parse("us-east-1").ok(),
        cluster: "vector".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        version: String::new(),
    })
}

/// A document of a kind that the Kubernetes API does not tell.
fn document(context: &Context, kind: &str, id: &str, value: Value) -> Document {
    Document {
        kind: kind.to_owned(),
        account: context.account.clone(),
        region: context.region.clone(),
        id: id.to_owned(),
        read_at: context.at,
        facts: Fact::known(value, "vector"),
    }
}

/// The objects of a vector; a `List` is its items.
fn objects(vector: &Value) -> Vec<Value> {
    let flat = |object: &Value| match object["items"].as_array() {
        Some(items) if object["kind"] == "List" => items.clone(),
        _ => vec![object.clone()],
    };
    vector["objects"].as_array().into_iter().flatten().flat_map(flat).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test: what is missing fails it")]
    use std::path::Path;

    use picket_checks::rules::catalogue;
    use picket_checks::vectors::{Adjudicated, tally};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_vectors_name_tells_project_rule_and_case() {
        let kubescape = json!({"rule": "host-pid-privileges", "case": "pod", "objects": []});
        let checkov = json!({"check": "Seccomp", "file": "a/b/pod.yaml", "objects": []});
        assert_eq!(id(&kubescape), "kubescape/host-pid-privileges/pod");
        assert_eq!(id(&checkov), "checkov/Seccomp/pod.yaml");
    }

    #[test]
    fn nobody_is_contradicted_without_a_reason() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
        let (rules, adjudicated) = (catalogue::built_in().unwrap(), Adjudicated::built_in().unwrap());
        for suite in SUITES {
            let Ok(text) = std::fs::read_to_string(folder.join(suite.file)) else { continue };
            let vectors = (suite.judge)(&text, rules).unwrap();
            assert!(!vectors.is_empty());
            for (rule, tally) in tally(suite.file, &vectors, &adjudicated) {
                assert_eq!(tally.disagreed, 0, "{} {rule}: {:#?}", suite.file, tally.notes);
            }
        }
    }

    #[test]
    fn what_a_vector_makes_is_what_its_kind_may_hold() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
        let kinds = catalogue::kinds().unwrap();
        for suite in SUITES {
            let Ok(text) = std::fs::read_to_string(folder.join(suite.file)) else { continue };
            for line in text.lines() {
                let vector: Value = serde_json::from_str(line).unwrap();
                for document in map(&vector).documents.iter().filter(|d| d.kind.starts_with("kubernetes.")) {
                    let kind = kinds.get(&document.kind).unwrap_or_else(|| panic!("no kind {}", document.kind));
                    kind.fields
                        .check(document.facts.value().unwrap(), "")
                        .unwrap_or_else(|e| panic!("{}: {e}", id(&vector)));
                }
            }
        }
    }

    #[test]
    fn a_rule_that_nobody_knows_is_not_covered() {
        assert!(map(&json!({"rule": "no-such-rule", "case": "x", "objects": [], "controls": []})).rules.is_empty());
    }
}
