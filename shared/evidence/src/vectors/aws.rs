//! kubescape's answers of AWS (`ClusterDescribe`, `DescribeRepositories`) as our documents. Field names come in Pascal
//! case or camel case, as the SDK of the day wrote them.

use picket_model::Document;
use serde_json::{Value, json};

use super::document;
use crate::kubernetes::documents::Context;

/// Rules about AWS's answers, and ours.
const RULES: &[(&str, &[&str])] = &[
    ("cluster-access-manager-api-eks", &["eks_access_entries"]),
    ("ensure-endpointprivateaccess-is-enabled-and-endpointpublicaccess-is-disabled-eks", &["eks_endpoint_private"]),
    ("ensure-endpointpublicaccess-is-disabled-on-private-nodes-eks", &["eks_endpoint_private"]),
    ("ensure-image-scanning-enabled-cloud", &["ecr_scanned"]),
    ("ensure_nodeinstancerole_has_right_permissions_for_ecr", &["eks_node_role_no_image_writes"]),
    ("k8s-audit-logs-enabled-cloud", &["eks_audit_logs_on"]),
    ("secret-etcd-encryption-cloud", &["eks_secrets_encryption_on"]),
];

/// The documents of AWS's answers among a vector's objects.
#[must_use]
pub fn documents(context: &Context, objects: &[Value]) -> Vec<Document> {
    let node_role = node_role(context, objects);
    objects.iter().flat_map(|o| one(context, o)).chain(node_role).collect()
}

/// How the names of actions that only read begin.
const READS: &[&str] = &["BatchCheck", "BatchGet", "Describe", "Get", "List"];

/// The node group whose role is among the policies' roles: what its policies let it do to images beside reading.
fn node_role(context: &Context, objects: &[Value]) -> Option<Document> {
    let of = |kind: &str, key: &str| {
        objects.iter().find(|o| o["kind"] == kind).and_then(|o| o["data"].get(key)?.as_object())
    };
    let roles = of("ListEntitiesForPolicies", "rolesPolicies")?;
    let documents = of("PolicyVersion", "policiesDocuments")?;
    let is_nodes = |policy: &Value| {
        items(field(policy, "PolicyRoles"))
            .iter()
            .any(|r| field(r, "RoleName").is_some_and(|n| n.as_str().unwrap_or("").contains("NodeInstance")))
    };
    let held = roles.iter().filter(|(_, p)| is_nodes(p)).filter_map(|(arn, _)| documents.get(arn));
    let statements = held.flat_map(|d| items(field(d, "Statement"))).filter(|s| s["Effect"] == "Allow");
    let actions: Vec<&str> = statements.flat_map(actions).collect();
    let writes = actions
        .iter()
        .filter(|a| **a == "*" || a.strip_prefix("ecr:").is_some_and(|a| !READS.iter().any(|r| a.starts_with(r))));
    let value = json!({"image_writes": writes.collect::<Vec<_>>(), "role_is_administrator": actions.contains(&"*")});
    Some(document(context, "eks.nodegroup", "nodes", value))
}

/// The actions of a statement: one, or a list.
fn actions(statement: &Value) -> Vec<&str> {
    match field(statement, "Action") {
        Some(Value::String(one)) => vec![one],
        other => items(other).iter().filter_map(Value::as_str).collect(),
    }
}

/// Our rules for a rule about AWS's answers; none if it is about something else.
#[must_use]
pub fn rules(name: &str) -> Option<Vec<String>> {
    let (_, rules) = RULES.iter().find(|(n, _)| *n == name)?;
    Some(rules.iter().map(|r| (*r).to_owned()).collect())
}

fn one(context: &Context, object: &Value) -> Vec<Document> {
    // The same kinds stand for Azure's and Google's answers, which say nothing about EKS.
    if object["metadata"]["provider"].as_str().is_some_and(|p| p != "eks") {
        return Vec::new();
    }
    let data = &object["data"];
    match object["kind"].as_str() {
        Some("ClusterDescribe") => field(data, "Cluster").map(|c| cluster(context, c)).into_iter().collect(),
        Some("DescribeRepositories") => {
            items(field(data, "Repositories")).iter().map(|r| repository(context, r)).collect()
        }
        _ => Vec::new(),
    }
}

fn cluster(context: &Context, cluster: &Value) -> Document {
    let network = field(cluster, "ResourcesVpcConfig").unwrap_or(&Value::Null);
    let is = |of: &Value, name: &str| field(of, name).and_then(Value::as_bool);
    let logs = field(cluster, "Logging").and_then(|l| field(l, "ClusterLogging"));
    let on = items(logs).iter().filter(|l| is(l, "Enabled") == Some(true));
    let types: Vec<Value> = on.flat_map(|l| items(field(l, "Types"))).cloned().collect();
    let encryption = items(field(cluster, "EncryptionConfig")).first();
    let resources = encryption.map(|e| items(field(e, "Resources")).to_vec()).unwrap_or_default();
    let key = encryption.and_then(|e| field(field(e, "Provider")?, "KeyArn")).cloned().unwrap_or(Value::Null);
    let mode = field(cluster, "AccessConfig").and_then(|a| field(a, "AuthenticationMode")).cloned();
    let value = json!({
        "status": field(cluster, "Status").cloned().unwrap_or(json!("ACTIVE")),
        "logging": {"types": types},
        "endpoint": {"public": is(network, "EndpointPublicAccess"), "private": is(network, "EndpointPrivateAccess")},
        "encryption": {"resources": resources, "key_arn": key},
        "access_config": {"authentication_mode": mode},
    });
    document(context, "eks.cluster", "vector", value)
}

fn repository(context: &Context, repository: &Value) -> Document {
    let scanning = field(repository, "ImageScanningConfiguration");
    let on_push = scanning.and_then(|s| field(s, "ScanOnPush")).and_then(Value::as_bool).unwrap_or(false);
    let name = field(repository, "RepositoryName").and_then(Value::as_str).unwrap_or("repository");
    let value =
        json!({"repository_name": name, "image_scanning_configuration": {"scan_on_push": on_push}, "scanned": on_push});
    document(context, "ecr.repository", name, value)
}

/// A field by its Pascal-case name, or the same in camel case; null is none.
fn field<'a>(of: &'a Value, name: &str) -> Option<&'a Value> {
    let camel: String = name.char_indices().map(|(n, c)| if n == 0 { c.to_ascii_lowercase() } else { c }).collect();
    of.get(name).or_else(|| of.get(&camel)).filter(|v| !v.is_null())
}

fn items(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::context;
    use super::*;

    #[test]
    fn fields_are_found_in_either_case_and_other_clouds_are_left_out() {
        let Some(context) = context() else { return };
        let pascal = json!({"kind": "ClusterDescribe", "data": {"Cluster": {"ResourcesVpcConfig": {"EndpointPrivateAccess": true}}}});
        let camel = json!({"kind": "ClusterDescribe", "data": {"cluster": {"resourcesVpcConfig": {"endpointPrivateAccess": true}}}});
        let azure = json!({"kind": "ClusterDescribe", "metadata": {"provider": "aks"}, "data": {"Cluster": {}}});
        let made = documents(&context, &[pascal, camel, azure]);
        assert_eq!(made.len(), 2);
        assert!(made.iter().all(|d| d.facts.value().is_some_and(|v| v["endpoint"]["private"] == true)));
    }
}
