//! `kubernetes.cluster`: what holds for a cluster as a whole: its network plugin, policy engines, secret stores, the
//! people whom it knows.

use picket_model::Document;
use serde_json::{Value, json};

use super::admission::{provenance, refusers};
use super::builtin;
use super::containers::raw;
use super::control_plane;
use super::documents::Context;
use super::identity::is_system;
use super::objects::{Objects, name, namespace, text, texts};
use super::pods::workloads;
use super::rbac::by_subject;

/// Network plugins that enforce policies, by a DaemonSet's name or image.
const ENFORCING: &[&str] =
    &["antrea", "calico", "canal", "cilium", "kube-ovn", "kube-router", "ovn-kubernetes", "ovnkube", "romana", "weave"];
/// Plugins that only connect.
const CONNECTING: &[&str] = &["aws-node", "flannel", "kindnet", "kube-flannel", "ptp"];
/// Custom resources of what brings secrets from an external store.
const STORES: &[&str] = &[
    "bitnami.com/sealedsecrets",
    "externalsecrets.external-secrets.io",
    "secretproviderclasses.secrets-store.csi.x-k8s.io",
    "secretstores.external-secrets.io",
    "vaultstaticsecrets.secrets.hashicorp.com",
];

/// One document.
#[must_use]
pub fn documents(context: &Context, objects: &Objects) -> Vec<Document> {
    let plugins = plugins(objects);
    let spaces = workload_namespaces(objects);
    let facts = json!({
        "cluster": context.cluster,
        "version": context.version,
        "eks": context.is_eks(),
        "network_plugins": plugins,
        "enforces_network_policies": enforces(objects, &plugins),
        "pod_policies": refusers(objects, &Value::Null),
        "image_provenance": provenance(objects, &admission_plugins(context, objects)),
        "secret_stores": secret_stores(objects),
        "workload_namespaces": spaces,
        "people": people(context, objects),
        "aws_auth": super::aws_auth::facts(objects),
    });
    vec![context.document("kubernetes.cluster", &[], facts, "kubernetes:list")]
}

/// The network plugins whose DaemonSets run, by name.
fn plugins(objects: &Objects) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for set in objects.list("DaemonSet") {
        let images = raw(&set["spec"]["template"]["spec"]).map(|c| text(c, "/image"));
        let words: Vec<&str> = std::iter::once(name(set)).chain(images).collect();
        let is = |plugin: &&&str| words.iter().any(|w| w.contains(**plugin));
        found.extend(ENFORCING.iter().chain(CONNECTING).filter(is).map(|p| (*p).to_owned()));
    }
    found.sort();
    found.dedup();
    found
}

/// Policies are enforced by a plugin that always does, or by the VPC CNI's agent if it is told to.
fn enforces(objects: &Objects, plugins: &[String]) -> bool {
    plugins.iter().any(|p| ENFORCING.contains(&p.as_str())) || objects.list("DaemonSet").iter().any(agent_is_on)
}

fn agent_is_on(set: &Value) -> bool {
    let told = |c: &Value| {
        texts(c, "/args")
            .chain(texts(c, "/command"))
            .any(|a| a == "--enable-network-policy=true" || a == "--enable-network-policy")
    };
    name(set) == "aws-node" && is_system(namespace(set)) && raw(&set["spec"]["template"]["spec"]).any(told)
}

/// What shows that an external store is in use: custom resources, volumes, the driver itself.
fn secret_stores(objects: &Objects) -> Vec<String> {
    let resources = objects.list("CustomResourceDefinition").iter().map(name).filter(|n| STORES.contains(n));
    let drivers = objects.list("DaemonSet").iter().map(name).filter(|n| n.contains("secrets-store"));
    let mut found: Vec<String> = resources.chain(drivers).map(ToOwned::to_owned).collect();
    for ((space, kind, own), workload) in workloads(objects) {
        let uses = |spec: &Value| {
            spec.get("volumes")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .any(|v| text(v, "/csi/driver") == "secrets-store.csi.k8s.io")
        };
        if workload.templates.iter().any(|t| uses(&t["spec"])) {
            found.push(format!("{kind}/{own} in namespace {space}"));
        }
    }
    found.sort();
    found.dedup();
    found
}

fn admission_plugins(context: &Context, objects: &Objects) -> String {
    let servers = control_plane::api_servers(context, objects);
    let plugins =
        servers.iter().filter_map(|d| d.facts.value()).filter_map(|v| v["flags"]["enable-admission-plugins"].as_str());
    plugins.collect::<Vec<_>>().join(",")
}

/// The namespaces besides Kubernetes' own where something runs.
fn workload_namespaces(objects: &Objects) -> Vec<String> {
    let mut spaces: Vec<String> =
        workloads(objects).into_keys().map(|(space, _, _)| space).filter(|s| !is_system(s)).collect();
    spaces.dedup();
    spaces
}

/// Users that somebody bound: people with certificates or an identity provider, not parts of the platform.
fn people(context: &Context, objects: &Objects) -> Vec<String> {
    let subjects = by_subject(objects).into_keys();
    let users = subjects.filter(|s| s.kind == "User" && builtin::why(s, context.is_eks()).is_none());
    users.map(|s| s.name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::documents::tests::{context, facts_of};
    use super::*;

    fn set(own: &str, image: &str, args: Value) -> Value {
        json!({"kind": "DaemonSet", "metadata": {"name": own, "namespace": "kube-system"},
            "spec": {"template": {"spec": {"containers": [{"image": image, "args": args}]}}}})
    }

    fn enforced(objects: Vec<Value>) -> Value {
        facts_of(&documents(&context(), &Objects::of(objects)).remove(0))["enforces_network_policies"].clone()
    }

    #[test]
    fn policies_are_enforced_by_the_plugin_or_by_the_vpc_cnis_agent_when_it_is_on() {
        assert_eq!(enforced(vec![set("calico-node", "docker.io/calico/node:v3", json!([]))]), true);
        assert_eq!(
            enforced(vec![set("aws-node", "x/amazon-k8s-cni:v1", json!(["--enable-network-policy=true"]))]),
            true
        );
        assert_eq!(
            enforced(vec![set("aws-node", "x/amazon-k8s-cni:v1", json!(["--enable-network-policy=false"]))]),
            false
        );
        assert_eq!(enforced(vec![set("kube-flannel-ds", "flannel/flannel", json!([]))]), false);
    }

    #[test]
    fn an_external_store_is_seen_by_resource_or_volume() {
        let crd =
            json!({"kind": "CustomResourceDefinition", "metadata": {"name": "externalsecrets.external-secrets.io"}});
        assert_eq!(secret_stores(&Objects::of([crd])), ["externalsecrets.external-secrets.io"]);
        let pod = json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "a"},
            "spec": {"volumes": [{"csi": {"driver": "secrets-store.csi.k8s.io"}}]}});
        assert_eq!(secret_stores(&Objects::of([pod])), ["Pod/p in namespace a"]);
    }
}
