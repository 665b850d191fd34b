//! What older versions of kops write into user data: the specification of the cluster, whose fields become flags. Newer
//! ones keep it in their state store and write its hash alone, which says nothing.

use serde_json::Value;

use super::flags;
use super::told::Told;

/// Components by their fields.
const COMPONENTS: [(&str, &str); 4] = [
    ("kubeAPIServer", "kube-apiserver"),
    ("kubeControllerManager", "kube-controller-manager"),
    ("kubeProxy", "kube-proxy"),
    ("kubeScheduler", "kube-scheduler"),
];

/// Docker's flags that are asked about, by what kops calls them.
const DOCKER: [(&str, &str); 7] = [
    ("insecure-registry", "insecure-registry"),
    ("ip-tables", "iptables"),
    ("live-restore", "live-restore"),
    ("log-driver", "log-driver"),
    ("log-level", "log-level"),
    ("storage", "storage-driver"),
    ("user-namespace-remap", "userns-remap"),
];

/// A `kube_env.yaml` or a `cluster_spec.yaml`.
pub fn read(content: &str, told: &mut Told) {
    let Ok(document) = serde_saphyr::from_str::<Value>(content) else { return };
    spec(document.get("spec").unwrap_or(&document), told);
    // Newer files keep what a node needs of it under names of their own.
    if let Some(server) = document.pointer("/APIServerConfig/KubeAPIServer") {
        told.component("kube-apiserver", flags::of_fields(server));
    }
    if let Some(kubelet) = document.get("KubeletConfig") {
        told.kubelet(flags::of_fields(kubelet));
    }
}

/// The fields of a cluster's specification.
pub fn spec(spec: &Value, told: &mut Told) {
    for (field, program) in COMPONENTS {
        if let Some(fields) = spec.get(field) {
            told.component(program, flags::of_fields(fields));
        }
    }
    // A control plane has its own kubelet's settings over those of all; which of the two this node is stands elsewhere.
    let (all, masters) = (spec.get("kubelet"), spec.get("masterKubelet"));
    for fields in [all, masters].into_iter().flatten() {
        told.kubelet(flags::of_fields(fields));
    }
    let docker = flags::of_fields(spec.get("docker").unwrap_or(&Value::Null)).into_iter();
    told.docker_flags(docker.filter_map(|(name, value)| {
        let known = DOCKER.iter().find(|(field, _)| *field == name);
        known.map(|(_, flag)| ((*flag).to_owned(), value))
    }));
}
