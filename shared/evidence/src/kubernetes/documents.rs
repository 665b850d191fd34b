//! All documents of one cluster, by plain functions of what its API gave. A kind whose lists were not read has one
//! document that says why, with the id `<cluster>/*`.

use jiff::Timestamp;
use picket_model::{AccountId, Document, Fact, Region};
use serde_json::Value;

use super::objects::Objects;
use super::pods;
use super::{
    admission, bindings, cluster, control_plane, exposed, managed_nodes, namespaces, requests, roles, service_accounts,
};
use super::{subjects, workloads};

/// Whose objects these are.
#[derive(Debug, Clone)]
pub struct Context {
    /// The account that the cluster is in.
    pub account: AccountId,
    /// Its Region.
    pub region: Option<Region>,
    /// The cluster's name.
    pub cluster: String,
    /// When it was read.
    pub at: Timestamp,
    /// The API server's version, such as `v1.34.1-eks-113cf36`; empty where it was not read.
    pub version: String,
}

impl Context {
    /// Whether AWS runs the control plane, by the version that it gives its builds.
    #[must_use]
    pub fn is_eks(&self) -> bool {
        self.version.contains("-eks-")
    }

    /// A document of this cluster; `parts` after the cluster's name make its id, without those that are empty.
    #[must_use]
    pub fn document(&self, kind: &str, parts: &[&str], value: Value, source: &str) -> Document {
        self.with(kind, parts, Fact::known(value, source))
    }

    /// A document that says why there is nothing of this kind.
    #[must_use]
    pub fn unread(&self, kind: &str, why: &str) -> Document {
        self.with(kind, &["*"], Fact::unknown(why))
    }

    fn with(&self, kind: &str, parts: &[&str], facts: Fact<Value>) -> Document {
        let filled = parts.iter().copied().filter(|p| !p.is_empty());
        let id = std::iter::once(self.cluster.as_str()).chain(filled).collect::<Vec<_>>().join("/");
        Document {
            kind: kind.to_owned(),
            account: self.account.clone(),
            region: self.region.clone(),
            id,
            read_at: self.at,
            facts,
        }
    }
}

/// What makes the documents of a kind, and of which lists.
struct Maker {
    kind: &'static str,
    of: &'static [&'static [&'static str]],
    make: fn(&Context, &Objects) -> Vec<Document>,
}

const RBAC: &[&str] = &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];
const ACCOUNTS: &[&str] = &["ServiceAccount"];
const BOUNDARIES: &[&str] = &["Namespace", "NetworkPolicy"];
const POLICIES: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// The kinds that a cluster's API gives, alphabetical.
const MAKERS: &[Maker] = &[
    Maker { kind: "kubernetes.api_server", of: &[&["Pod"]], make: control_plane::api_servers },
    Maker { kind: "kubernetes.binding", of: &[RBAC], make: bindings::documents },
    Maker { kind: "kubernetes.certificate_request", of: &[&["CertificateSigningRequest"]], make: requests::documents },
    Maker { kind: "kubernetes.cluster", of: &[&["Namespace"], pods::KINDS, RBAC], make: cluster::documents },
    Maker { kind: "kubernetes.controller_manager", of: &[&["Pod"]], make: control_plane::controller_managers },
    Maker { kind: "kubernetes.etcd", of: &[&["Pod"]], make: control_plane::etcds },
    Maker { kind: "kubernetes.ingress", of: &[&["Ingress"]], make: exposed::ingresses },
    Maker { kind: "kubernetes.kube_proxy", of: &[&["Pod"]], make: control_plane::kube_proxies },
    Maker {
        kind: "kubernetes.namespace",
        of: &[BOUNDARIES, pods::KINDS, POLICIES, ACCOUNTS, RBAC],
        make: namespaces::documents,
    },
    Maker { kind: "kubernetes.role", of: &[RBAC], make: roles::documents },
    Maker { kind: "kubernetes.scheduler", of: &[&["Pod"]], make: control_plane::schedulers },
    Maker { kind: "kubernetes.service", of: &[&["Service"]], make: exposed::services },
    Maker { kind: "kubernetes.service_account", of: &[ACCOUNTS, RBAC, pods::KINDS], make: service_accounts::documents },
    Maker { kind: "kubernetes.subject", of: &[RBAC], make: subjects::documents },
    Maker { kind: "kubernetes.webhook", of: &[POLICIES], make: admission::webhooks },
    Maker { kind: "kubernetes.workload", of: &[pods::KINDS, ACCOUNTS], make: workloads::documents },
];

/// The kinds of documents that a cluster's API gives, alphabetical.
pub const KINDS: &[&str] = &[
    "kubernetes.api_server",
    "kubernetes.binding",
    "kubernetes.certificate_request",
    "kubernetes.cluster",
    "kubernetes.controller_manager",
    "kubernetes.etcd",
    "kubernetes.ingress",
    "kubernetes.kube_proxy",
    "kubernetes.namespace",
    "kubernetes.role",
    "kubernetes.scheduler",
    "kubernetes.service",
    "kubernetes.service_account",
    "kubernetes.subject",
    "kubernetes.webhook",
    "kubernetes.workload",
];

/// Every document of a cluster.
#[must_use]
pub fn documents(context: &Context, objects: &Objects) -> Vec<Document> {
    let of = |maker: &Maker| match maker.of.iter().find_map(|kinds| objects.unread(kinds)) {
        Some(why) => vec![context.unread(maker.kind, why)],
        None => (maker.make)(context, objects),
    };
    MAKERS.iter().flat_map(of).chain(managed_nodes::documents(context, objects)).collect()
}

/// A document for each kind that says why nothing of this cluster was read.
#[must_use]
pub fn nothing_read(context: &Context, why: &str) -> Vec<Document> {
    KINDS.iter().map(|kind| context.unread(kind, why)).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test: what is missing fails it")]
    use serde_json::json;

    use super::*;

    pub(crate) fn context() -> Context {
        Context {
            account: AccountId::parse("111122223333").unwrap(),
            region: Some(Region::parse("eu-west-1").unwrap()),
            cluster: "prod".to_owned(),
            at: "2026-11-26T00:00:00Z".parse().unwrap(),
            version: "v1.34.1".to_owned(),
        }
    }

    pub(crate) fn facts_of(document: &Document) -> Value {
        match &document.facts {
            Fact::Known { value, .. } => value.clone(),
            Fact::Unknown { reason } => panic_with(reason),
        }
    }

    fn panic_with(reason: &str) -> Value {
        assert_eq!(reason, "", "the document is not known");
        Value::Null
    }

    #[test]
    fn a_denied_list_makes_its_kinds_unknown_and_costs_the_others_nothing() {
        let mut objects = Objects::of([json!({"kind": "Service", "metadata": {"name": "web", "namespace": "a"}})]);
        objects.put("ClusterRole", Err("listing the cluster roles was denied".to_owned()));
        let documents = documents(&context(), &objects);
        let of = |kind: &str| documents.iter().find(|d| d.kind == kind).unwrap();
        assert_eq!(of("kubernetes.subject").id, "prod/*");
        assert!(
            matches!(&of("kubernetes.subject").facts, Fact::Unknown { reason } if reason.as_str().contains("denied"))
        );
        assert_eq!(of("kubernetes.service").id, "prod/a/web");
        assert!(matches!(of("kubernetes.service").facts, Fact::Known { .. }));
    }

    #[test]
    fn a_cluster_that_cannot_be_reached_is_unknown_in_every_kind() {
        let documents = nothing_read(&context(), "its endpoint may be private");
        assert_eq!(documents.len(), MAKERS.len());
        assert!(documents.iter().all(|d| matches!(d.facts, Fact::Unknown { .. })));
    }

    #[test]
    fn the_list_of_kinds_is_that_of_the_makers() {
        assert!(KINDS.is_sorted());
        assert!(KINDS.iter().eq(MAKERS.iter().map(|m| &m.kind)));
    }
}
