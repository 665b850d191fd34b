//! The control plane's components with their flags: from mirror pods, as kubeadm and kops run them, or from the
//! processes of a node. `kubernetes.api_server`, `.controller_manager`, `.scheduler`, `.etcd`, `.kube_proxy`.

use std::collections::BTreeMap;

use picket_model::Document;
use serde_json::{Map, Value, json};

use super::argv::flags_of;
use super::containers::raw;
use super::documents::Context;
use super::identity::{is_mirror, is_system, repository};
use super::objects::{Objects, list, name, namespace, text, texts};
use super::pods::{KINDS, template};

/// A component: its document's kind and its program.
#[derive(Debug, Clone, Copy)]
pub struct Component {
    /// The kind of its documents.
    pub kind: &'static str,
    /// The program's name.
    pub program: &'static str,
}

const API_SERVER: Component = Component { kind: "kubernetes.api_server", program: "kube-apiserver" };
const CONTROLLERS: Component = Component { kind: "kubernetes.controller_manager", program: "kube-controller-manager" };
const ETCD: Component = Component { kind: "kubernetes.etcd", program: "etcd" };
const PROXY: Component = Component { kind: "kubernetes.kube_proxy", program: "kube-proxy" };
const SCHEDULER: Component = Component { kind: "kubernetes.scheduler", program: "kube-scheduler" };

/// The components, alphabetical.
pub const COMPONENTS: &[Component] = &[API_SERVER, CONTROLLERS, ETCD, PROXY, SCHEDULER];

/// API servers seen as pods.
#[must_use]
pub fn api_servers(context: &Context, objects: &Objects) -> Vec<Document> {
    seen(context, objects, API_SERVER)
}

/// Controller managers seen as pods.
#[must_use]
pub fn controller_managers(context: &Context, objects: &Objects) -> Vec<Document> {
    seen(context, objects, CONTROLLERS)
}

/// etcd members seen as pods.
#[must_use]
pub fn etcds(context: &Context, objects: &Objects) -> Vec<Document> {
    seen(context, objects, ETCD)
}

/// kube-proxies seen as pods.
#[must_use]
pub fn kube_proxies(context: &Context, objects: &Objects) -> Vec<Document> {
    seen(context, objects, PROXY)
}

/// Schedulers seen as pods.
#[must_use]
pub fn schedulers(context: &Context, objects: &Objects) -> Vec<Document> {
    seen(context, objects, SCHEDULER)
}

/// A component's pods: static ones, and those in kube-system. Anybody may run an etcd of their own elsewhere.
fn seen(context: &Context, objects: &Objects, component: Component) -> Vec<Document> {
    let is_own = |o: &Value| is_mirror(o) || is_system(namespace(o));
    let all = KINDS.iter().flat_map(|k| objects.list(k).iter().map(move |o| (*k, o))).filter(|(_, o)| is_own(o));
    let authorities = if component.program == ETCD.program { authorities(context, objects) } else { Vec::new() };
    let mut found: Vec<Document> = Vec::new();
    for (kind, object) in all {
        let Some(flags) = template(kind, object).and_then(|t| flags_in(&t["spec"], component.program)) else {
            continue;
        };
        let node = text(object, "/spec/nodeName");
        let place = if node.is_empty() { name(object) } else { node };
        // Two of them on one node are two: one may be there to hide the other.
        let own = |n: &str| context.document(component.kind, &[n], Value::Null, "").id;
        let nth = found.iter().filter(|d| d.id == own(place) || d.id.starts_with(&format!("{}/", own(place)))).count();
        let twin = if nth == 0 { String::new() } else { nth.to_string() };
        let source = format!("kubernetes:list pods, the command of {}", name(object));
        let facts = facts(context, place, &flags, component, &authorities);
        found.push(context.document(component.kind, &[place, &twin], facts, &source));
    }
    found
}

/// The flags of `program` in the first container that runs it.
fn flags_in(spec: &Value, program: &str) -> Option<BTreeMap<String, String>> {
    raw(spec).find_map(|container| {
        let flags = flags_of(program, &argv(container))?;
        let variables = list(container, "/env").iter().map(|e| (text(e, "/name"), text(e, "/value")));
        Some(with_variables(program, flags, variables))
    })
}

/// A container's command line. Flags without a program go to the image's own, which is named like the image.
fn argv(container: &Value) -> Vec<String> {
    let said: Vec<String> =
        texts(container, "/command").chain(texts(container, "/args")).map(ToOwned::to_owned).collect();
    let by_image = said.first().is_some_and(|w| w.starts_with('-'));
    let image = repository(text(container, "/image"));
    let program = image.rsplit('/').next().filter(|_| by_image).map(ToOwned::to_owned);
    program.into_iter().chain(said).collect()
}

/// etcd takes each flag as a variable too, as etcd-manager of kops gives them; a flag beats its variable.
#[must_use]
pub fn with_variables<'a>(
    program: &str,
    mut flags: BTreeMap<String, String>,
    variables: impl Iterator<Item = (&'a str, &'a str)>,
) -> BTreeMap<String, String> {
    if program == ETCD.program {
        for (name, value) in variables {
            if let Some(flag) = name.strip_prefix("ETCD_") {
                flags.entry(flag.to_lowercase().replace('_', "-")).or_insert_with(|| value.to_owned());
            }
        }
    }
    flags
}

/// The authorities that API servers take clients from.
fn authorities(context: &Context, objects: &Objects) -> Vec<String> {
    let servers = api_servers(context, objects).into_iter();
    servers.filter_map(|d| Some(d.facts.value()?["flags"]["client-ca-file"].as_str()?.to_owned())).collect()
}

/// A component's facts: its flags, and what they come to together. `authorities` are those that API servers take
/// clients from.
#[must_use]
pub fn facts(
    context: &Context,
    node: &str,
    flags: &BTreeMap<String, String>,
    component: Component,
    authorities: &[String],
) -> Value {
    let mut facts = json!({"cluster": context.cluster, "node": node, "flags": flags});
    if component.kind == API_SERVER.kind
        && let Some(map) = facts.as_object_mut()
    {
        api_server_settings(flags, map);
    }
    if component.kind == ETCD.kind
        && let Some(map) = facts.as_object_mut()
    {
        map.insert("shares_authority_with_api_server".to_owned(), shares_authority(flags, authorities).into());
    }
    facts
}

/// What flags decide together with files: where a configuration file rules and was not read, the setting is left out.
fn api_server_settings(flags: &BTreeMap<String, String>, into: &mut Map<String, Value>) {
    if !flags.contains_key("authentication-config") || flags.contains_key("anonymous-auth") {
        let anonymous = flags.get("anonymous-auth").is_none_or(|v| v != "false");
        into.insert("anonymous_auth".to_owned(), anonymous.into());
    }
    if !flags.contains_key("authorization-config") {
        let modes = flags.get("authorization-mode").map_or("AlwaysAllow", String::as_str);
        into.insert("authorization_modes".to_owned(), split(modes).into());
    }
    let old = flags.get("admission-control").map(String::as_str);
    let plugins = flags.get("enable-admission-plugins").map(String::as_str).or(old).unwrap_or_default();
    into.insert("enabled_plugins".to_owned(), split(plugins).into());
    let disabled = flags.get("disable-admission-plugins").map(String::as_str).unwrap_or_default();
    into.insert("disabled_plugins".to_owned(), split(disabled).into());
}

fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|e| !e.is_empty()).map(ToOwned::to_owned).collect()
}

/// etcd trusts the authority of the cluster itself: then each of its client certificates reads etcd.
fn shares_authority(flags: &BTreeMap<String, String>, authorities: &[String]) -> bool {
    const CLUSTERS: &[&str] = &[
        "/etc/kubernetes/pki/ca.crt",
        "/etc/kubernetes/ssl/ca.pem",
        "/srv/kubernetes/ca.crt",
        "/srv/kubernetes/kube-apiserver/ca.crt",
        "/var/lib/minikube/certs/ca.crt",
    ];
    flags.get("trusted-ca-file").is_some_and(|f| CLUSTERS.contains(&f.as_str()) || authorities.contains(f))
}

#[cfg(test)]
mod tests {
    use super::super::documents::tests::{context, facts_of};
    use super::*;

    fn pod(space: &str, command: Value) -> Value {
        json!({"kind": "Pod", "metadata": {"name": "p", "namespace": space},
            "spec": {"nodeName": "node-1", "containers": [{"command": command}]}})
    }

    #[test]
    fn a_mirror_pod_shows_the_flags_of_its_component() {
        let object = pod("kube-system", json!(["kube-apiserver", "--authorization-mode=Node,RBAC", "--profiling"]));
        let document = api_servers(&context(), &Objects::of([object])).remove(0);
        assert_eq!(document.id, "prod/node-1");
        let facts = facts_of(&document);
        assert_eq!(facts["flags"]["profiling"], "true");
        assert_eq!(facts["authorization_modes"], json!(["Node", "RBAC"]));
        assert_eq!(facts["anonymous_auth"], true);
    }

    #[test]
    fn two_on_one_node_are_two() {
        let flags = |f: &str| pod("kube-system", json!(["kube-apiserver", f]));
        let found = api_servers(&context(), &Objects::of([flags("--profiling=true"), flags("--profiling=false")]));
        let ids: Vec<_> = found.iter().map(|d| d.id.as_str()).collect();
        assert_eq!(ids, ["prod/node-1", "prod/node-1/1"]);
    }

    #[test]
    fn flags_without_a_program_go_to_the_images_own() {
        let mut object = pod("kube-system", json!(null));
        object["spec"]["containers"][0] = json!({"image": "quay.io/coreos/etcd:v3.5", "args": ["--auto-tls=true"]});
        assert_eq!(facts_of(&etcds(&context(), &Objects::of([object])).remove(0))["flags"]["auto-tls"], "true");
    }

    #[test]
    fn somebodys_own_etcd_is_not_the_clusters() {
        assert!(etcds(&context(), &Objects::of([pod("shop", json!(["etcd", "--auto-tls"]))])).is_empty());
        assert_eq!(etcds(&context(), &Objects::of([pod("kube-system", json!(["etcd"]))])).len(), 1);
    }

    #[test]
    fn etcd_may_be_told_by_variables_and_must_not_trust_the_clusters_authority() {
        let mut etcd = pod("kube-system", json!(["etcd", "--auto-tls=false", "--trusted-ca-file=/pki/ca.pem"]));
        etcd["spec"]["containers"][0]["env"] =
            json!([{"name": "ETCD_CLIENT_CERT_AUTH", "value": "true"}, {"name": "ETCD_AUTO_TLS", "value": "true"}]);
        let server = pod("kube-system", json!(["kube-apiserver", "--client-ca-file=/pki/ca.pem"]));
        let facts = facts_of(&etcds(&context(), &Objects::of([etcd, server])).remove(0));
        assert_eq!(facts["flags"]["client-cert-auth"], "true");
        assert_eq!(facts["flags"]["auto-tls"], "false");
        assert_eq!(facts["shares_authority_with_api_server"], true);
    }

    #[test]
    fn what_a_file_that_was_not_read_decides_is_left_out() {
        let command = json!(["kube-apiserver", "--authentication-config=/a", "--authorization-config=/b"]);
        let facts = facts_of(&api_servers(&context(), &Objects::of([pod("kube-system", command)])).remove(0));
        assert!(facts.get("anonymous_auth").is_none());
        assert!(facts.get("authorization_modes").is_none());
    }

    #[test]
    fn an_api_server_without_modes_allows_everybody_everything() {
        let facts =
            facts_of(&api_servers(&context(), &Objects::of([pod("kube-system", json!(["kube-apiserver"]))])).remove(0));
        assert_eq!(facts["authorization_modes"], json!(["AlwaysAllow"]));
    }
}
