//! k3s and RKE2: the arguments of their installers and commands, and their configuration files. Each hands arguments on to
//! the kubelet and to the API server.

use serde_json::Value;

use super::flags;
use super::told::Told;

/// Which of their arguments goes to which component.
const HANDED_ON: [(&str, &str); 4] = [
    ("kube-apiserver-arg", "kube-apiserver"),
    ("kube-controller-manager-arg", "kube-controller-manager"),
    ("kube-scheduler-arg", "kube-scheduler"),
    ("etcd-arg", "etcd"),
];
const KUBECONFIG: &str = "/etc/rancher/k3s/k3s.yaml";

/// A command that installs or starts one.
pub fn command(words: &[String], told: &mut Told) {
    let inner = |w: &String| {
        let install = w.strip_prefix("INSTALL_K3S_EXEC=").or_else(|| w.strip_prefix("INSTALL_RKE2_EXEC="));
        install.and_then(shlex::split)
    };
    let words: Vec<String> = words.iter().flat_map(|w| inner(w).unwrap_or_else(|| vec![w.clone()])).collect();
    let mut left = words.iter();
    while let Some(word) = left.next() {
        let Some(name) = word.strip_prefix("--") else { continue };
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        let value = value.or_else(|| is_valued(name).then(|| left.next().cloned()).flatten());
        argument(name, &value.unwrap_or_else(|| "true".to_owned()).into(), told);
    }
}

/// A configuration file: the same arguments, by name.
pub fn config(content: &str, told: &mut Told) {
    let Ok(document) = serde_saphyr::from_str::<Value>(content) else { return };
    for (name, value) in document.as_object().into_iter().flatten() {
        argument(name, value, told);
    }
}

fn is_valued(name: &str) -> bool {
    name == "kubelet-arg" || name == "write-kubeconfig-mode" || HANDED_ON.iter().any(|(n, _)| *n == name)
}

fn argument(name: &str, value: &Value, told: &mut Told) {
    if name == "kubelet-arg" {
        told.kubelet(flags::of_list(value));
    }
    if let Some((_, program)) = HANDED_ON.iter().find(|(n, _)| *n == name) {
        told.component(program, flags::of_list(value));
    }
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    if name == "protect-kernel-defaults" && text == "true" {
        told.kubelet([("protect-kernel-defaults".to_owned(), text)]);
    } else if name == "write-kubeconfig-mode"
        && let Ok(mode) = u32::from_str_radix(&text, 8)
    {
        told.file(KUBECONFIG, mode, None, None);
    }
}
