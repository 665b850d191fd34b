//! Documents of YAML that say what they are: nodeadm's `NodeConfig`, the kubelet's own configuration, and kubeadm's.

use serde_json::Value;

use super::told::Told;
use super::{flags, kops};

/// What the documents in a text say; false if none is one that is known.
pub fn read(text: &str, told: &mut Told) -> bool {
    let mut known = false;
    for part in split(text) {
        let Ok(document) = serde_saphyr::from_str::<Value>(&part) else { continue };
        known |= one(&document, told);
    }
    known
}

/// The documents of a stream.
fn split(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in text.lines() {
        if line.trim_end() == "---" {
            all.push(String::new());
        } else if let Some(last) = all.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    all
}

fn one(document: &Value, told: &mut Told) -> bool {
    match document.get("kind").and_then(Value::as_str) {
        Some("NodeConfig") => node_config(document, told),
        Some("KubeletConfiguration") => told.kubelet_config(document),
        Some("ClusterConfiguration") => cluster(document, told),
        Some("InitConfiguration" | "JoinConfiguration") => {
            let arguments = document.pointer("/nodeRegistration/kubeletExtraArgs").unwrap_or(&Value::Null);
            told.kubelet(flags::of_arguments(arguments));
        }
        Some("Cluster") if document.pointer("/spec/kubeAPIServer").is_some() => kops::spec(&document["spec"], told),
        _ => return false,
    }
    true
}

/// Each of several lies over those before it, as nodeadm joins them.
fn node_config(document: &Value, told: &mut Told) {
    let kubelet = &document["spec"]["kubelet"];
    told.kubelet_config(&kubelet["config"]);
    let words = kubelet["flags"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let words: Vec<String> = words.flat_map(|w| shlex::split(w).unwrap_or_default()).collect();
    told.kubelet(flags::of_words(&words));
}

/// What kubeadm gives to components besides its own arguments.
fn cluster(document: &Value, told: &mut Told) {
    let of = |at: &str| document.pointer(at).map(flags::of_arguments).unwrap_or_default();
    for (program, at) in [
        ("kube-apiserver", "/apiServer/extraArgs"),
        ("kube-controller-manager", "/controllerManager/extraArgs"),
        ("kube-scheduler", "/scheduler/extraArgs"),
        ("etcd", "/etcd/local/extraArgs"),
    ] {
        told.component(program, of(at));
    }
}
