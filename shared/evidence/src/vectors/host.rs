//! kubescape's host facts: `KubeletInfo`, `KubeProxyInfo`, `ControlPlaneInfo` and `CNIInfo`. Modes are decimal, command
//! lines one string, the contents of files base64.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use picket_model::Document;
use serde_json::{Map, Value, json};

use super::document;
use crate::kubernetes::argv::flags_of;
use crate::kubernetes::configs::{audit, encryption};
use crate::kubernetes::control_plane::{COMPONENTS, facts};
use crate::kubernetes::documents::Context;
use crate::kubernetes::kubelet::effective;
use crate::kubernetes::objects::{list, text, texts};

/// Plugins that enforce network policies, by the names that kubescape gives.
const ENFORCING: &[&str] = &["antrea", "calico", "canal", "cilium", "kuberouter", "ovn", "romana", "weave"];

/// The documents of a host fact; none for anything else.
#[must_use]
pub fn documents(context: &Context, object: &Value) -> Vec<Document> {
    let data = &object["data"];
    match text(object, "/kind") {
        "KubeletInfo" => vec![kubelet(context, data)],
        "KubeProxyInfo" => proxy(context, data),
        "ControlPlaneInfo" => control_plane(context, data),
        "CNIInfo" => cni(context, data),
        _ => Vec::new(),
    }
}

fn kubelet(context: &Context, data: &Value) -> Document {
    let flags = command(data, "kubelet");
    let config = config(data, &flags);
    let settings = effective(&flags, config.as_ref());
    let mut files = Map::new();
    put(&mut files, "kubelet_config", [&data["configFile"]]);
    put(&mut files, "kubelet_kubeconfig", [&data["kubeConfigFile"]]);
    put(&mut files, "client_ca", [&data["clientCAFile"]]);
    put(&mut files, "kubelet_unit", list(data, "/serviceFiles"));
    let value = json!({
        "roles": ["worker"],
        "files": files,
        "kubelet": {"flags": flags, "config": config, "effective": settings},
    });
    document(context, "kubernetes.node", "node", value)
}

/// The kubelet's file: none if it is told none, null if it could not be read.
fn config(data: &Value, flags: &BTreeMap<String, String>) -> Option<Value> {
    if !text(data, "/cmdLine").is_empty() && !flags.contains_key("config") {
        return None;
    }
    match content(&data["configFile"]) {
        Some(read) => Some(serde_saphyr::from_str(&read).unwrap_or(Value::Null)),
        None => (flags.contains_key("config") || data["configFile"].is_object()).then_some(Value::Null),
    }
}

fn proxy(context: &Context, data: &Value) -> Vec<Document> {
    let mut files = Map::new();
    put(&mut files, "proxy_kubeconfig", [&data["kubeConfigFile"]]);
    let flags = command(data, "kube-proxy");
    let address = flags.get("metrics-bind-address").cloned().unwrap_or_default();
    vec![
        document(context, "kubernetes.node", "node", json!({"roles": ["worker"], "files": files})),
        document(context, "kubernetes.kube_proxy", "node", json!({"flags": flags, "metrics_bind_address": address})),
    ]
}

/// Where each component's facts are, and which part each of its files plays.
const MANIFESTS: &[(&str, &str, &str)] = &[
    ("kube-apiserver", "/APIServerInfo", "api_server_manifest"),
    ("kube-controller-manager", "/controllerManagerInfo", "controller_manager_manifest"),
    ("kube-scheduler", "/schedulerInfo", "scheduler_manifest"),
];

fn control_plane(context: &Context, data: &Value) -> Vec<Document> {
    let mut files = Map::new();
    let mut made = Vec::new();
    for (program, at, manifest) in MANIFESTS {
        let info = data.pointer(at).unwrap_or(&Value::Null);
        put(&mut files, manifest, [&info["specsFile"]]);
        made.extend(component(context, info, program));
    }
    put(&mut files, "controller_manager_conf", [&data["controllerManagerInfo"]["configFile"]]);
    put(&mut files, "scheduler_conf", [&data["schedulerInfo"]["configFile"]]);
    put(&mut files, "etcd_manifest", [&data["etcdConfigFile"]]);
    put(&mut files, "etcd_data", [&data["etcdDataDir"]]);
    put(&mut files, "admin_conf", [&data["adminConfigFile"]]);
    put(&mut files, "pki", list(data, "/PKIFiles").iter().chain([&data["PKIDIr"], &data["PKIDir"]]));
    let ending = |e: &'static str| list(data, "/PKIFiles").iter().filter(move |f| text(f, "/path").ends_with(e));
    put(&mut files, "pki_certificates", ending(".crt"));
    put(&mut files, "pki_keys", ending(".key"));
    made.push(document(
        context,
        "kubernetes.node",
        "node",
        json!({"roles": ["control_plane", "etcd"], "files": files}),
    ));
    made
}

fn component(context: &Context, info: &Value, program: &str) -> Option<Document> {
    let component = COMPONENTS.iter().find(|c| c.program == program)?;
    text(info, "/cmdLine").split_whitespace().next()?;
    let mut value = facts(context, "node", &command(info, program), *component, &[]);
    if let Some(map) = value.as_object_mut() {
        let file = |key: &str| content(&info[key]).and_then(|t| serde_saphyr::from_str::<Value>(&t).ok());
        if let Some(read) = file("encryptionProviderConfigFile") {
            map.insert("encryption".to_owned(), encryption(&read));
        }
        if let Some(read) = file("auditPolicyFile") {
            map.insert("audit".to_owned(), audit(&read));
        }
    }
    Some(document(context, component.kind, "node", value))
}

fn cni(context: &Context, data: &Value) -> Vec<Document> {
    let mut files = Map::new();
    put(&mut files, "cni", list(data, "/CNIConfigFiles"));
    let names: Vec<String> = texts(data, "/CNINames").map(str::to_lowercase).collect();
    let enforces = names.iter().any(|n| ENFORCING.contains(&n.as_str()));
    let mut made =
        vec![document(context, "kubernetes.node", "cni", json!({"roles": ["control_plane"], "files": files}))];
    if data.get("CNINames").is_some() {
        let value = json!({"network_plugins": names, "enforces_network_policies": enforces});
        made.push(document(context, "kubernetes.cluster", "vector", value));
    }
    made
}

/// The flags of a command line in one string; one that begins with a flag lacks the program's name.
fn command(data: &Value, program: &str) -> BTreeMap<String, String> {
    let words = text(data, "/cmdLine").split_whitespace().map(ToOwned::to_owned);
    let argv: Vec<String> = std::iter::once(program.to_owned()).chain(words).collect();
    flags_of(program, &argv).unwrap_or_default()
}

fn content(file: &Value) -> Option<String> {
    let bytes = STANDARD.decode(file.get("content")?.as_str()?).ok()?;
    String::from_utf8(bytes).ok()
}

/// Puts files under the part that they play; what says nothing of mode and owner was not read.
fn put<'a>(into: &mut Map<String, Value>, part: &str, files: impl IntoIterator<Item = &'a Value>) {
    let found: Vec<Value> = files.into_iter().filter(|f| f.is_object()).map(one).collect();
    if !found.is_empty() {
        into.insert(part.to_owned(), found.into());
    }
}

fn one(file: &Value) -> Value {
    let mut made = json!({"path": text(file, "/path")});
    if let Some(map) = made.as_object_mut() {
        if let Some(mode) = file.get("permissions").and_then(Value::as_i64) {
            map.insert("mode".to_owned(), mode.into());
        }
        for (ours, theirs) in [("owner", "/ownership/username"), ("group", "/ownership/groupname")] {
            if let Some(name) = file.pointer(theirs).and_then(Value::as_str) {
                map.insert(ours.to_owned(), name.into());
            }
        }
    }
    made
}
