//! Vectors of other projects as our documents and rules, so that our judgement can be compared with theirs. The shapes
//! are theirs; what is made of them goes the same way as what a cluster or a node tells.

pub mod aws;
pub mod checkov;
pub mod host;
pub mod kubescape;

use jiff::Timestamp;
use picket_model::{AccountId, Document, Fact, Region};
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
    fn a_rule_that_nobody_knows_is_not_covered() {
        assert!(map(&json!({"rule": "no-such-rule", "case": "x", "objects": [], "controls": []})).rules.is_empty());
    }
}
