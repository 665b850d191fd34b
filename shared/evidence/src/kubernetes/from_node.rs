//! What a node's own evidence (`node`) says about Kubernetes: `kubernetes.node`, and the control plane's components from
//! its processes, for clusters whose API cannot be asked.

use std::collections::BTreeMap;

use picket_model::{Document, Fact};
use serde_json::{Map, Value, json};

use super::argv::flags_of;
use super::control_plane::{COMPONENTS, Component, facts, with_variables};
use super::documents::Context;
use super::kubelet::effective;
use super::node_files::by_part;
use super::objects::{text, texts};

/// Kinds that come of a node's evidence, alphabetical.
pub const KINDS: &[&str] = &[
    "kubernetes.api_server",
    "kubernetes.controller_manager",
    "kubernetes.etcd",
    "kubernetes.kube_proxy",
    "kubernetes.node",
    "kubernetes.scheduler",
];

/// What one flag decides alone, where files decide nothing.
const DECIDED: &[(&str, &str)] = &[
    ("anonymous_auth", "anonymous-auth"),
    ("authorization_modes", "authorization-mode"),
    ("disabled_plugins", "disable-admission-plugins"),
    ("enabled_plugins", "enable-admission-plugins"),
];

/// The Kubernetes documents of a `node` document: none for a host that runs nothing of Kubernetes. A node that could
/// not be read has a `kubernetes.node` that says why.
#[must_use]
pub fn documents(node: &Document) -> Vec<Document> {
    let (value, source) = match &node.facts {
        Fact::Known { value, source } => (value, source.as_str()),
        Fact::Unknown { reason } => return vec![moved(node, "kubernetes.node", Fact::unknown(reason.as_str()))],
    };
    let roles = roles(value);
    if roles.is_empty() {
        return Vec::new();
    }
    let context = context_of(node, value);
    let authority = running(value, "kube-apiserver").and_then(|f| f.get("client-ca-file").cloned());
    let authorities: Vec<String> = authority.into_iter().collect();
    let mut made = vec![moved(node, "kubernetes.node", Fact::known(node_facts(node, value, &roles), source))];
    for component in COMPONENTS {
        if let Some(flags) = running(value, component.program) {
            let mut facts = facts(&context, &node.id, &flags, *component, &authorities);
            add_files(value, *component, &flags, &mut facts);
            made.push(moved(node, component.kind, Fact::known(facts, source)));
        } else if let Some(facts) = said(&context, node, value, *component) {
            made.push(moved(node, component.kind, Fact::known(facts, source)));
        }
    }
    made
}

/// A component of which only some flags are known, as user data says them: what they decide, and no flag for absent.
fn said(context: &Context, node: &Document, value: &Value, component: Component) -> Option<Value> {
    let flags = pairs(value.pointer("/kubernetes/said")?.get(component.program)?);
    let why = value.pointer("/unread/kubernetes").cloned().unwrap_or_default();
    let mut made = facts(context, &node.id, &flags, component, &[]);
    let map = made.as_object_mut()?;
    for (name, flag) in DECIDED {
        if !flags.contains_key(*flag) {
            map.remove(*name);
        }
    }
    let mut unread: Map<String, Value> = DECIDED.iter().map(|(name, _)| ((*name).to_owned(), why.clone())).collect();
    for part in ["audit", "encryption", "flags", "shares_authority_with_api_server"] {
        unread.insert(part.to_owned(), why.clone());
    }
    map.remove("shares_authority_with_api_server");
    map.insert("unread".to_owned(), unread.into());
    Some(made)
}

/// A document of another kind about the same node.
fn moved(node: &Document, kind: &str, facts: Fact<Value>) -> Document {
    Document { kind: kind.to_owned(), facts, ..node.clone() }
}

fn context_of(node: &Document, value: &Value) -> Context {
    Context {
        account: node.account.clone(),
        region: node.region.clone(),
        cluster: text(value, "/cluster").to_owned(),
        at: node.read_at,
        version: String::new(),
    }
}

/// What the node is to its cluster, by what runs on it.
fn roles(value: &Value) -> Vec<&'static str> {
    let runs = |program: &str| running(value, program).is_some();
    let mut roles = Vec::new();
    let said = value.pointer("/kubernetes/said").is_some();
    if said || runs("kube-apiserver") || runs("kube-controller-manager") || runs("kube-scheduler") {
        roles.push("control_plane");
    }
    if runs("etcd") {
        roles.push("etcd");
    }
    let kubelet = |part: &str| value.pointer(part).is_some();
    if runs("kubelet") || kubelet("/kubelet/flags") || kubelet("/kubelet/effective") {
        roles.push("worker");
    }
    roles
}

/// The flags of a program that runs here.
fn running(value: &Value, program: &str) -> Option<BTreeMap<String, String>> {
    let processes = value.get("processes").and_then(Value::as_object)?;
    processes.values().find_map(|p| {
        let argv: Vec<String> = texts(p, "/argv").map(ToOwned::to_owned).collect();
        let variables = p.get("env").and_then(Value::as_object).into_iter().flatten();
        let variables = variables.filter_map(|(k, v)| Some((k.as_str(), v.as_str()?)));
        Some(with_variables(program, flags_of(program, &argv)?, variables))
    })
}

fn node_facts(node: &Document, value: &Value, roles: &[&str]) -> Value {
    let flags = running(value, "kubelet").unwrap_or_else(|| pairs(&value["kubelet"]["flags"]));
    let config = kubelet_config(value, &flags);
    let settings = effective(&flags, config.as_ref());
    let none = Map::new();
    let files = value.get("files").and_then(Value::as_object).unwrap_or(&none);
    let mut facts = json!({
        "cluster": text(value, "/cluster"),
        "node": node.id,
        "roles": roles,
        "files": by_part(files, &named(value, &flags, &settings)),
    });
    let Some(map) = facts.as_object_mut() else { return facts };
    if let Some(said) = value.pointer("/kubelet/effective") {
        map.insert("kubelet".to_owned(), json!({"effective": said}));
    } else if roles.contains(&"worker") {
        map.insert("kubelet".to_owned(), json!({"flags": flags, "config": config, "effective": settings}));
    }
    // Of a node that was not asked only some parts are known.
    let why = |part: &str| value.get("unread").and_then(|u| u.get(part)).cloned();
    let unread = ["files", "kubelet"].into_iter().filter_map(|p| Some((p.to_owned(), why(p)?)));
    let unread: Map<_, _> = unread.collect();
    if !unread.is_empty() {
        map.insert("unread".to_owned(), unread.into());
    }
    facts
}

/// The kubelet's file: none if it has none; null if it has one that was not read.
fn kubelet_config(value: &Value, flags: &BTreeMap<String, String>) -> Option<Value> {
    let read = value.pointer("/kubelet/config").filter(|c| c.is_object()).cloned();
    read.or_else(|| flags.contains_key("config").then_some(Value::Null))
}

/// Files that flags and settings name.
fn named(value: &Value, kubelet: &BTreeMap<String, String>, settings: &Value) -> BTreeMap<&'static str, Vec<String>> {
    let mut named = BTreeMap::new();
    let flag = |flags: &BTreeMap<String, String>, name: &str| flags.get(name).cloned().into_iter().collect::<Vec<_>>();
    named.insert("kubelet_config", flag(kubelet, "config"));
    named.insert("kubelet_kubeconfig", flag(kubelet, "kubeconfig"));
    let authority = text(settings, "/client_ca_file");
    if settings.get("client_ca_file").is_some() {
        named.insert("client_ca", Some(authority.to_owned()).filter(|a| !a.is_empty()).into_iter().collect());
    }
    if let Some(proxy) = running(value, "kube-proxy") {
        named.insert("proxy_kubeconfig", proxy_kubeconfig(value, &proxy));
    }
    if let Some(etcd) = running(value, "etcd") {
        named.insert("etcd_data", vec![etcd.get("data-dir").cloned().unwrap_or_else(|| "/var/lib/etcd".to_owned())]);
    }
    named
}

fn proxy_kubeconfig(value: &Value, flags: &BTreeMap<String, String>) -> Vec<String> {
    let by_file = text(value, "/kubernetes/kube_proxy_config/clientConnection/kubeconfig");
    let named = flags.get("kubeconfig").cloned().or_else(|| Some(by_file.to_owned()).filter(|f| !f.is_empty()));
    named.into_iter().collect()
}

fn pairs(flags: &Value) -> BTreeMap<String, String> {
    let all = flags.as_object().into_iter().flatten();
    all.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
}

/// What a component's configuration files add to its flags. The files were reduced on the node: no keys are in them.
fn add_files(value: &Value, component: Component, flags: &BTreeMap<String, String>, facts: &mut Value) {
    let Some(map) = facts.as_object_mut() else { return };
    let files = &value["kubernetes"];
    match component.program {
        "kube-apiserver" => {
            if let Some(encryption) = files.get("encryption_config").filter(|e| e.is_object()) {
                map.insert("encryption".to_owned(), super::configs::encryption(encryption));
            }
            if let Some(policy) = files.get("audit_policy").filter(|p| p.is_object()) {
                map.insert("audit".to_owned(), super::configs::audit(policy));
            }
            super::configs::structured(files, flags, map);
        }
        "kube-proxy" => {
            let file = text(files, "/kube_proxy_config/metricsBindAddress");
            let address = flags.get("metrics-bind-address").map_or(file, String::as_str);
            let known = files.get("kube_proxy_config").is_some() || !flags.contains_key("config");
            if known || !address.is_empty() {
                map.insert("metrics_bind_address".to_owned(), address.into());
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::documents::tests::{context, facts_of};
    use super::*;

    fn node(value: Value) -> Document {
        Document { id: "i-1".to_owned(), ..context().document("node", &[], value, "ssm:SendCommand") }
    }

    fn of_kind(documents: &[Document], kind: &str) -> Option<Value> {
        documents.iter().find(|d| d.kind == kind).map(facts_of)
    }

    #[test]
    fn a_host_without_kubernetes_has_no_such_documents() {
        assert!(documents(&node(json!({"processes": {"nginx": {"argv": ["nginx"]}}}))).is_empty());
    }

    #[test]
    fn a_workers_kubelet_and_files_are_read_together() {
        let documents = documents(&node(json!({
            "cluster": "prod",
            "processes": {"kubelet": {"argv": ["/usr/bin/kubelet", "--config=/etc/k.json", "--kubeconfig=/var/lib/kubelet/kubeconfig"]}},
            "kubelet": {"config": {"readOnlyPort": 10255, "authentication": {"x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"}}}},
            "files": {
                "/etc/k.json": {"mode": 420, "owner": "root", "group": "root"},
                "/var/lib/kubelet/kubeconfig": {"mode": 384, "owner": "root", "group": "root"},
                "/etc/kubernetes/pki/ca.crt": {"mode": 420, "owner": "root", "group": "root"},
            },
        })));
        let facts = of_kind(&documents, "kubernetes.node").unwrap_or_default();
        assert_eq!(facts["roles"], json!(["worker"]));
        assert_eq!(facts["kubelet"]["effective"]["read_only_port"], 10255);
        assert_eq!(facts["files"]["kubelet_config"][0]["path"], "/etc/k.json");
        assert_eq!(facts["files"]["client_ca"][0]["path"], "/etc/kubernetes/pki/ca.crt");
        assert_eq!(documents.len(), 1);
    }

    #[test]
    fn a_masters_components_are_documents_of_their_own() {
        let documents = documents(&node(json!({
            "processes": {
                "kube-apiserver": {"argv": ["kube-apiserver", "--encryption-provider-config=/e", "--authorization-mode=RBAC"]},
                "etcd": {"argv": ["etcd", "--data-dir=/data"]},
            },
            "kubernetes": {"encryption_config": {"resources": [{"resources": ["secrets"], "providers": [{"kms": {}}]}]}},
            "files": {"/data": {"mode": 448, "owner": "etcd", "group": "etcd"}},
        })));
        let server = of_kind(&documents, "kubernetes.api_server").unwrap_or_default();
        assert_eq!(server["encryption"]["secrets_with"], "kms");
        let node = of_kind(&documents, "kubernetes.node").unwrap_or_default();
        assert_eq!(node["roles"], json!(["control_plane", "etcd"]));
        assert_eq!(node["files"]["etcd_data"][0]["owner"], "etcd");
        assert!(node.get("kubelet").is_none());
    }

    #[test]
    fn a_node_that_could_not_be_read_says_why() {
        let unread = Document { facts: Fact::unknown("it has no Systems Manager agent"), ..node(json!({})) };
        let documents = documents(&unread);
        assert!(matches!(&documents[0].facts, Fact::Unknown { reason } if reason.contains("Systems Manager")));
    }

    #[test]
    fn kube_proxys_metrics_are_known_by_flag_or_file() {
        let with = |argv: Value, file: Value| {
            let value = json!({"processes": {"kube-proxy": {"argv": argv}, "kubelet": {"argv": ["kubelet"]}}, "kubernetes": file});
            of_kind(&documents(&node(value)), "kubernetes.kube_proxy").unwrap_or_default()
        };
        assert_eq!(
            with(json!(["kube-proxy", "--metrics-bind-address=0.0.0.0"]), json!({}))["metrics_bind_address"],
            "0.0.0.0"
        );
        let file = json!({"kube_proxy_config": {"metricsBindAddress": "127.0.0.1:10249"}});
        assert_eq!(with(json!(["kube-proxy", "--config=/c"]), file)["metrics_bind_address"], "127.0.0.1:10249");
        assert!(with(json!(["kube-proxy", "--config=/c"]), json!({})).get("metrics_bind_address").is_none());
    }
}
