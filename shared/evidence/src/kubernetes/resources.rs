//! What is listed of a cluster, and nothing more: the ClusterRole of `infra/kubernetes/reader.yaml` grants exactly this.

use serde_json::Value;

/// A list that is read.
#[derive(Debug)]
pub struct Resource {
    /// The kind of its objects.
    pub kind: &'static str,
    /// Its API group; empty for the core.
    pub group: &'static str,
    /// The group's version.
    pub version: &'static str,
    /// Its name in paths and roles.
    pub plural: &'static str,
    /// How much of it is asked for.
    pub part: Part,
    /// Whether clusters without it are normal: then it is an empty list.
    pub optional: bool,
}

/// How much of the objects is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Everything.
    Whole,
    /// Names, labels and annotations.
    Metadata,
    /// Only what is in kube-system.
    System,
}

const fn whole(kind: &'static str, group: &'static str, plural: &'static str) -> Resource {
    Resource { kind, group, version: "v1", plural, part: Part::Whole, optional: false }
}

const ADMISSION: &str = "admissionregistration.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";

/// The lists, by group and name.
pub const RESOURCES: &[Resource] = &[
    Resource { part: Part::System, ..whole("ConfigMap", "", "configmaps") },
    whole("Namespace", "", "namespaces"),
    whole("Node", "", "nodes"),
    whole("Pod", "", "pods"),
    whole("ReplicationController", "", "replicationcontrollers"),
    whole("ServiceAccount", "", "serviceaccounts"),
    whole("Service", "", "services"),
    whole("MutatingWebhookConfiguration", ADMISSION, "mutatingwebhookconfigurations"),
    Resource { optional: true, ..whole("ValidatingAdmissionPolicy", ADMISSION, "validatingadmissionpolicies") },
    Resource {
        optional: true,
        ..whole("ValidatingAdmissionPolicyBinding", ADMISSION, "validatingadmissionpolicybindings")
    },
    whole("ValidatingWebhookConfiguration", ADMISSION, "validatingwebhookconfigurations"),
    Resource {
        part: Part::Metadata,
        ..whole("CustomResourceDefinition", "apiextensions.k8s.io", "customresourcedefinitions")
    },
    whole("DaemonSet", "apps", "daemonsets"),
    whole("Deployment", "apps", "deployments"),
    whole("ReplicaSet", "apps", "replicasets"),
    whole("StatefulSet", "apps", "statefulsets"),
    whole("CronJob", "batch", "cronjobs"),
    whole("Job", "batch", "jobs"),
    whole("CertificateSigningRequest", "certificates.k8s.io", "certificatesigningrequests"),
    Resource {
        version: "v2",
        optional: true,
        ..whole("CiliumClusterwideNetworkPolicy", "cilium.io", "ciliumclusterwidenetworkpolicies")
    },
    Resource { version: "v2", optional: true, ..whole("CiliumNetworkPolicy", "cilium.io", "ciliumnetworkpolicies") },
    whole("Ingress", NETWORKING, "ingresses"),
    whole("NetworkPolicy", NETWORKING, "networkpolicies"),
    whole("ClusterRoleBinding", RBAC, "clusterrolebindings"),
    whole("ClusterRole", RBAC, "clusterroles"),
    whole("RoleBinding", RBAC, "rolebindings"),
    whole("Role", RBAC, "roles"),
];

impl Resource {
    /// Its path.
    #[must_use]
    pub fn path(&self) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match self.part {
            Part::System => format!("{root}/namespaces/kube-system/{}", self.plural),
            Part::Whole | Part::Metadata => format!("{root}/{}", self.plural),
        }
    }
}

/// Annotations that repeat a whole object, secrets' values among it.
const REPEATING: &[&str] = &["kubectl.kubernetes.io/last-applied-configuration"];

/// An object without what nothing asks about, so that a big cluster fits into memory.
#[must_use]
pub fn reduced(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            for key in REPEATING {
                annotations.remove(*key);
            }
        }
    }
    let keeps_status = object["kind"] == "CertificateSigningRequest";
    if let (false, Some(map)) = (keeps_status, object.as_object_mut()) {
        map.remove("status");
    }
    object
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::super::objects::{list, texts};
    use super::*;

    #[test]
    fn paths_are_those_of_the_api() {
        let path = |kind: &str| RESOURCES.iter().find(|r| r.kind == kind).map(Resource::path).unwrap_or_default();
        assert_eq!(path("Pod"), "/api/v1/pods");
        assert_eq!(path("ConfigMap"), "/api/v1/namespaces/kube-system/configmaps");
        assert_eq!(path("Role"), "/apis/rbac.authorization.k8s.io/v1/roles");
    }

    /// Group, resource and verb of every rule of the documents of this kind.
    fn granted(kind: &str) -> BTreeSet<(String, String, String)> {
        let mut granted = BTreeSet::new();
        for text in include_str!("../../../../infra/kubernetes/reader.yaml").split("\n---\n") {
            let document: Value = serde_saphyr::from_str(text).unwrap_or_default();
            for rule in list(&document, "/rules").iter().filter(|_| document["kind"] == kind) {
                for group in texts(rule, "/apiGroups") {
                    for resource in texts(rule, "/resources") {
                        let verbs = texts(rule, "/verbs");
                        granted.extend(verbs.map(|v| (group.to_owned(), resource.to_owned(), v.to_owned())));
                    }
                }
            }
        }
        granted
    }

    fn listed(system: bool) -> BTreeSet<(String, String, String)> {
        let of = RESOURCES.iter().filter(|r| (r.part == Part::System) == system);
        of.map(|r| (r.group.to_owned(), r.plural.to_owned(), "list".to_owned())).collect()
    }

    #[test]
    fn the_role_that_we_ship_grants_exactly_what_is_listed() {
        assert_eq!(granted("ClusterRole"), listed(false));
        assert_eq!(granted("Role"), listed(true));
    }

    #[test]
    fn secrets_are_not_read() {
        assert!(RESOURCES.iter().all(|r| r.plural != "secrets"));
    }

    #[test]
    fn what_repeats_an_object_is_dropped() {
        let object = json!({"metadata": {"name": "a", "managedFields": [1],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "x"}}, "status": {}});
        assert_eq!(reduced(object), json!({"metadata": {"name": "a", "annotations": {"kept": "x"}}}));
    }

    #[test]
    fn resources_are_sorted_by_group_and_name() {
        assert!(RESOURCES.iter().map(|r| (r.group, r.plural)).is_sorted());
    }
}
