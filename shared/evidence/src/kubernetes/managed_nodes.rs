//! Nodes that AWS runs and that are no instances of the account, such as those of Fargate: `node` documents that say whose
//! they are, so that nobody misses what cannot be read there. Instances of EKS Auto Mode are told by EC2.

use picket_model::Document;
use serde_json::json;

use super::documents::Context;
use super::objects::{Objects, name, text};

/// One document a node of Fargate.
#[must_use]
pub fn documents(context: &Context, objects: &Objects) -> Vec<Document> {
    let fargate = |node: &&serde_json::Value| {
        text(node, "/metadata/labels/eks.amazonaws.com~1compute-type") == "fargate"
            || text(node, "/spec/providerID").rsplit('/').next().is_some_and(|id| id.starts_with("fargate-"))
    };
    let one = |node: &serde_json::Value| {
        let facts = json!({"cluster": context.cluster, "managed_by": "AWS Fargate"});
        context.document("node", &[name(node)], facts, "kubernetes:list nodes")
    };
    objects.list("Node").iter().filter(fargate).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::super::documents::tests::{context, facts_of};
    use super::*;

    #[test]
    fn a_node_of_fargate_is_awss_and_an_instance_is_not() {
        let node = |name: &str, labels: serde_json::Value, id: &str| json!({"kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {"providerID": id}});
        let objects = Objects::of([
            node("fargate-a", json!({"eks.amazonaws.com/compute-type": "fargate"}), ""),
            node("fargate-b", json!({}), "aws:///us-east-1a/0123-4567/fargate-ip-10-0-0-1.ec2.internal"),
            node("ip-10-0-0-2", json!({"eks.amazonaws.com/compute-type": "auto"}), "aws:///us-east-1a/i-0123"),
        ]);
        let found = documents(&context(), &objects);
        let ids: Vec<_> = found.iter().map(|d| d.id.as_str()).collect();
        assert_eq!(ids, ["prod/fargate-a", "prod/fargate-b"]);
        assert_eq!(facts_of(&found[0])["managed_by"], "AWS Fargate");
    }
}
