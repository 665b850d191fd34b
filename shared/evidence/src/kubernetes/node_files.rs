//! Which of a node's files play which part for Kubernetes: where each distribution and each flag puts them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Where static pods' manifests are.
const MANIFESTS: &[&str] =
    &["/etc/kubernetes/manifests/", "/var/lib/rancher/rke2/agent/pod-manifests/", "/etc/kubelet.d/"];
/// Where the cluster's keys and certificates are.
const PKI: &[&str] = &[
    "/etc/kubernetes/pki",
    "/srv/kubernetes",
    "/var/lib/minikube/certs",
    "/var/lib/rancher/rke2/server/tls",
    "/var/lib/rancher/k3s/server/tls",
];

/// What a path has to be like.
enum Path {
    /// A manifest whose file name starts so.
    Manifest(&'static str),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Below one of these directories, with one of these endings; the directories themselves where `itself`.
    Below { dirs: &'static [&'static str], endings: &'static [&'static str], itself: bool },
}

/// The parts that files play, alphabetical.
const PARTS: &[(&str, Path)] = &[
    (
        "admin_conf",
        Path::OneOf(&[
            "/etc/kubernetes/admin.conf",
            "/etc/kubernetes/super-admin.conf",
            "/etc/rancher/rke2/rke2.yaml",
            "/etc/rancher/k3s/k3s.yaml",
        ]),
    ),
    ("api_server_manifest", Path::Manifest("kube-apiserver")),
    ("cni", Path::Below { dirs: &["/etc/cni/net.d"], endings: &[""], itself: false }),
    (
        "controller_manager_conf",
        Path::OneOf(&[
            "/etc/kubernetes/controller-manager.conf",
            "/var/lib/kube-controller-manager/kubeconfig",
            "/var/lib/rancher/rke2/server/cred/controller.kubeconfig",
            "/var/lib/rancher/k3s/server/cred/controller.kubeconfig",
        ]),
    ),
    ("controller_manager_manifest", Path::Manifest("kube-controller-manager")),
    ("etcd_manifest", Path::Manifest("etcd")),
    (
        "kubelet_unit",
        Path::Below {
            dirs: &[
                "/etc/systemd/system/kubelet.service",
                "/etc/systemd/system/kubelet.service.d",
                "/lib/systemd/system/kubelet.service",
                "/usr/lib/systemd/system/kubelet.service",
                "/usr/lib/systemd/system/kubelet.service.d",
            ],
            endings: &[".conf", ".service"],
            itself: true,
        },
    ),
    ("pki", Path::Below { dirs: PKI, endings: &[""], itself: true }),
    ("pki_certificates", Path::Below { dirs: PKI, endings: &[".crt"], itself: false }),
    ("pki_keys", Path::Below { dirs: PKI, endings: &[".key"], itself: false }),
    (
        "scheduler_conf",
        Path::OneOf(&[
            "/etc/kubernetes/scheduler.conf",
            "/var/lib/kube-scheduler/kubeconfig",
            "/var/lib/rancher/rke2/server/cred/scheduler.kubeconfig",
            "/var/lib/rancher/k3s/server/cred/scheduler.kubeconfig",
        ]),
    ),
    ("scheduler_manifest", Path::Manifest("kube-scheduler")),
];

/// The files of a node by the part that they play. A part whose places were not looked at is left out; one that was
/// looked for and is not there is an empty list. `named` are the files that flags and settings name.
#[must_use]
pub fn by_part(files: &Map<String, Value>, named: &BTreeMap<&'static str, Vec<String>>) -> Value {
    let mut parts = Map::new();
    for (part, path) in PARTS {
        if files.keys().any(|f| path.was_looked_at(f)) {
            let found = files.iter().filter(|(p, f)| path.takes(p) && exists(f));
            parts.insert((*part).to_owned(), found.map(|(p, f)| one(p, f)).collect());
        }
    }
    for (part, paths) in named {
        let looked: Vec<_> = paths.iter().filter_map(|p| files.get(p).map(|f| (p, f))).collect();
        if !looked.is_empty() {
            let there = looked.into_iter().filter(|(_, f)| exists(f)).map(|(p, f)| one(p, f));
            parts.insert((*part).to_owned(), there.collect());
        } else if paths.is_empty() {
            parts.insert((*part).to_owned(), json!([]));
        }
    }
    Value::Object(parts)
}

fn exists(file: &Value) -> bool {
    file.get("exists").and_then(Value::as_bool).unwrap_or(true)
}

fn one(path: &str, file: &Value) -> Value {
    let mut file = file.clone();
    if let Some(map) = file.as_object_mut() {
        map.insert("path".to_owned(), path.into());
        map.remove("exists");
    }
    file
}

impl Path {
    fn takes(&self, path: &str) -> bool {
        match self {
            Self::Manifest(start) => in_manifests(path).is_some_and(|n| n.starts_with(start) && !n.contains('/')),
            Self::OneOf(paths) => paths.contains(&path),
            Self::Below { dirs, endings, itself } => dirs.iter().any(|d| {
                let below = path.strip_prefix(d).is_some_and(|rest| rest.starts_with('/'));
                (below && endings.iter().any(|e| path.ends_with(e))) || (*itself && path == *d)
            }),
        }
    }

    /// Whether a collector that reports this path has looked where this part would be.
    fn was_looked_at(&self, path: &str) -> bool {
        match self {
            Self::Manifest(_) => MANIFESTS.iter().any(|d| path.starts_with(d) || path == d.trim_end_matches('/')),
            Self::OneOf(paths) => paths.contains(&path),
            Self::Below { dirs, .. } => dirs.iter().any(|d| path.starts_with(d)),
        }
    }
}

fn in_manifests(path: &str) -> Option<&str> {
    MANIFESTS.iter().find_map(|d| path.strip_prefix(d))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(files: Value) -> Value {
        by_part(files.as_object().unwrap_or(&Map::new()), &BTreeMap::new())
    }

    #[test]
    fn each_distribution_keeps_manifests_elsewhere() {
        for path in [
            "/etc/kubernetes/manifests/kube-apiserver.yaml",
            "/etc/kubernetes/manifests/kube-apiserver.manifest",
            "/var/lib/rancher/rke2/agent/pod-manifests/kube-apiserver.yaml",
        ] {
            let found = parts(json!({path: {"mode": 384}}));
            assert_eq!(found["api_server_manifest"], json!([{"mode": 384, "path": path}]));
            assert_eq!(found["scheduler_manifest"], json!([]), "looked for and not there");
        }
    }

    #[test]
    fn what_was_not_looked_at_is_left_out() {
        let found = parts(json!({"/etc/cni/net.d/10-aws.conflist": {"mode": 420}}));
        assert!(found.get("api_server_manifest").is_none());
        assert_eq!(found["cni"][0]["mode"], 420);
    }

    #[test]
    fn a_file_that_does_not_exist_is_no_file() {
        let found = parts(json!({"/etc/kubernetes/admin.conf": {"exists": false}}));
        assert_eq!(found["admin_conf"], json!([]));
    }

    #[test]
    fn files_that_flags_name_are_found_by_name() {
        let files = json!({"/x/kubeconfig": {"mode": 384}});
        let named = BTreeMap::from([("kubelet_kubeconfig", vec!["/x/kubeconfig".to_owned()])]);
        let found = by_part(files.as_object().unwrap_or(&Map::new()), &named);
        assert_eq!(found["kubelet_kubeconfig"][0]["path"], "/x/kubeconfig");
    }

    #[test]
    fn the_parts_are_alphabetical() {
        assert!(PARTS.iter().map(|(p, _)| p).is_sorted());
    }
}
