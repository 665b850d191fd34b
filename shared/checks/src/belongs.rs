//! Which cluster a document belongs to, by what its kind says of that.

use picket_model::{Document, Fact};
use serde_json::Value;

use crate::rules::Evidence;

const OF_EKS: &str = "eks.cluster/";
const OF_OTHERS: &str = "kubernetes.cluster/";

/// The cluster as an asset: EKS's where EKS was read and has it. Evidence of a few kinds may not hold EKS's clusters;
/// then `before`, what was known of the same document, stands as long as the name does.
#[must_use]
pub fn cluster_of(document: &Document, evidence: &Evidence, before: Option<&str>) -> Option<String> {
    let name = name_of(document)?;
    let same_place = |d: &&Document| d.account == document.account && d.region == document.region;
    let of_eks =
        document.kind.starts_with("eks.") || evidence.of_kind("eks.cluster").filter(same_place).any(|d| d.id == name);
    if of_eks {
        return Some(format!("{OF_EKS}{name}"));
    }
    let stands = before.filter(|b| b.split_once('/').is_some_and(|(_, known)| known == name));
    Some(stands.map_or_else(|| format!("{OF_OTHERS}{name}"), ToOwned::to_owned))
}

/// The name of the cluster that a document is, or is a part of.
fn name_of(document: &Document) -> Option<&str> {
    let Fact::Known { value, .. } = &document.facts else { return None };
    let at = match document.kind.as_str() {
        "eks.cluster" => "/name",
        "ec2.instance" => "/node/cluster",
        "node" => "/cluster",
        kind if kind.starts_with("kubernetes.") => "/cluster",
        kind if kind.starts_with("eks.") => "/cluster_name",
        _ => return None,
    };
    value.pointer(at).and_then(Value::as_str).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use picket_model::{AccountId, Region};
    use serde_json::json;

    use super::*;

    fn document(kind: &str, id: &str, facts: Value) -> Document {
        Document {
            kind: kind.to_owned(),
            account: AccountId::parse("123456789012").unwrap(),
            region: Region::parse("us-east-1").ok(),
            id: id.to_owned(),
            read_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            facts: Fact::known(facts, "test"),
        }
    }

    #[test]
    fn parts_belong_to_the_cluster_that_their_kind_names() {
        let mut evidence = Evidence::default();
        evidence.add([document("eks.cluster", "prod", json!({"name": "prod"}))]);
        for (kind, facts, expected) in [
            ("eks.cluster", json!({"name": "prod"}), Some("eks.cluster/prod")),
            ("eks.nodegroup", json!({"cluster_name": "prod"}), Some("eks.cluster/prod")),
            ("kubernetes.workload", json!({"cluster": "prod"}), Some("eks.cluster/prod")),
            ("node", json!({"cluster": "prod"}), Some("eks.cluster/prod")),
            ("ec2.instance", json!({"node": {"is": true, "cluster": "prod"}}), Some("eks.cluster/prod")),
            ("kubernetes.workload", json!({"cluster": "k.example.com"}), Some("kubernetes.cluster/k.example.com")),
            ("ec2.instance", json!({"node": {"is": false, "cluster": ""}}), None),
            ("s3.bucket", json!({"cluster": "prod"}), None),
        ] {
            assert_eq!(cluster_of(&document(kind, "x", facts), &evidence, None).as_deref(), expected, "{kind}");
        }
    }

    #[test]
    fn what_was_known_stands_where_eks_was_not_read() {
        let part = document("kubernetes.workload", "x", json!({"cluster": "prod"}));
        let of = |before| cluster_of(&part, &Evidence::default(), before);
        assert_eq!(of(Some("eks.cluster/prod")).as_deref(), Some("eks.cluster/prod"));
        assert_eq!(of(Some("eks.cluster/other")).as_deref(), Some("kubernetes.cluster/prod"));
    }
}
