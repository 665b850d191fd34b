//! Which namespaces and workloads are the platform's own. A name alone exempts nobody: attackers call their miners
//! `kube-proxy`; a part of the platform is known by namespace, kind, name and image together.

use serde_json::Value;

/// The namespaces that Kubernetes itself makes and fills.
const SYSTEM: &[&str] = &["kube-node-lease", "kube-public", "kube-system"];

/// Parts that need power over nodes: namespace, kind, start of the name, and what the image's repository ends in.
const PARTS: &[(&str, &str, &str, &[&str])] = &[
    ("calico-system", "DaemonSet", "calico-node", &["calico/node"]),
    ("calico-system", "DaemonSet", "csi-node-driver", &["calico/csi", "calico/node-driver-registrar"]),
    ("kube-flannel", "DaemonSet", "kube-flannel", &["flannel/flannel", "flannel", "flannel-cni-plugin"]),
    ("kube-system", "DaemonSet", "aws-node", &["amazon-k8s-cni", "amazon-k8s-cni-init", "aws-network-policy-agent"]),
    ("kube-system", "DaemonSet", "calico-node", &["calico/node", "calico/cni", "calico/pod2daemon-flexvol"]),
    ("kube-system", "DaemonSet", "cilium", &["cilium/cilium", "cilium/cilium-envoy", "cilium/startup-script"]),
    ("kube-system", "DaemonSet", "ebs-csi-node", EBS),
    ("kube-system", "DaemonSet", "efs-csi-node", EBS),
    ("kube-system", "DaemonSet", "eks-node-monitoring-agent", &["eks-node-monitoring-agent"]),
    ("kube-system", "DaemonSet", "eks-pod-identity-agent", &["eks-pod-identity-agent"]),
    ("kube-system", "DaemonSet", "kops-controller", &["kops-controller", "kops/kops-controller"]),
    ("kube-system", "DaemonSet", "kube-proxy", &["kube-proxy", "eks/kube-proxy"]),
    ("kube-system", "DaemonSet", "node-local-dns", &["k8s-dns-node-cache", "dns/k8s-dns-node-cache"]),
    ("kube-system", "DaemonSet", "nodelocaldns", &["k8s-dns-node-cache", "dns/k8s-dns-node-cache"]),
    ("kube-system", "Deployment", "aws-load-balancer-controller", &["aws-load-balancer-controller"]),
    ("kube-system", "Deployment", "coredns", &["coredns", "coredns/coredns", "eks/coredns"]),
    ("kube-system", "Deployment", "ebs-csi-controller", EBS),
    ("kube-system", "Deployment", "metrics-server", &["metrics-server", "metrics-server/metrics-server"]),
    ("kube-system", "Pod", "etcd", &["etcd", "etcd-manager", "etcdadm/etcd-manager", "etcd-manager-slim"]),
    (
        "kube-system",
        "Pod",
        "kube-apiserver",
        &["kube-apiserver", "kube-apiserver-healthcheck", "kops/kube-apiserver-healthcheck", "hyperkube"],
    ),
    ("kube-system", "Pod", "kube-controller-manager", &["kube-controller-manager", "hyperkube"]),
    ("kube-system", "Pod", "kube-proxy", &["kube-proxy", "hyperkube"]),
    ("kube-system", "Pod", "kube-scheduler", &["kube-scheduler", "hyperkube"]),
];

const EBS: &[&str] = &[
    "aws-ebs-csi-driver",
    "aws-efs-csi-driver",
    "csi-attacher",
    "csi-node-driver-registrar",
    "csi-provisioner",
    "csi-resizer",
    "csi-snapshotter",
    "livenessprobe",
    "node-driver-registrar",
];

/// Where the platform's images come from: the project, the clouds' own registries, and the CNI projects.
const REGISTRIES: &[&str] = &[
    "docker.io/calico",
    "docker.io/flannel",
    "ghcr.io/flannel-io",
    "k8s.gcr.io",
    "public.ecr.aws/eks",
    "public.ecr.aws/eks-distro",
    "quay.io/calico",
    "quay.io/cilium",
    "registry.k8s.io",
];

/// Whether Kubernetes itself makes and fills this namespace.
#[must_use]
pub fn is_system(namespace: &str) -> bool {
    SYSTEM.contains(&namespace)
}

/// The part of the platform that this workload is, if every one of its images says so.
#[must_use]
pub fn part_of_platform(namespace: &str, kind: &str, name: &str, images: &[&str]) -> Option<String> {
    let fits = |(space, what, start, endings): &&(&str, &str, &str, &[&str])| {
        *space == namespace
            && *what == kind
            && name.starts_with(start)
            && !images.is_empty()
            && images.iter().all(|image| is_of(image, endings))
    };
    let (_, _, part, _) = PARTS.iter().find(fits)?;
    Some(format!(
        "{part} is a part of the platform, which needs this; its images come from where the platform's come from"
    ))
}

/// The part of the platform whose name this workload has without being it.
#[must_use]
pub fn poses_as(namespace: &str, kind: &str, name: &str, images: &[&str]) -> Option<&'static str> {
    let named = |(_, what, start, _): &&(&str, &str, &str, &[&str])| {
        *what == kind && name.starts_with(start) && *start != "etcd"
    };
    let (.., start, _) = PARTS.iter().find(named)?;
    let is_it = part_of_platform(namespace, kind, name, images).is_some();
    (!is_it && is_system(namespace)).then_some(start)
}

/// Whether an image is one of these repositories in a registry that the platform comes from.
fn is_of(image: &str, endings: &[&str]) -> bool {
    let repository = repository(image);
    let known = REGISTRIES.iter().any(|r| repository.strip_prefix(r).is_some_and(|rest| rest.starts_with('/')));
    let ecr = is_amazons(&repository);
    (known || ecr)
        && endings
            .iter()
            .any(|e| repository.rsplit_once(e).is_some_and(|(before, after)| after.is_empty() && before.ends_with('/')))
}

/// EKS's own accounts hold its add-ons: `602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/coredns`. The accounts of
/// opt-in and other Regions are Amazon's list for `amazon-k8s-cni`.
fn is_amazons(repository: &str) -> bool {
    const ACCOUNTS: &[&str] = &[
        "013241004608",
        "066635153087",
        "121268973566",
        "151742754352",
        "296578399912",
        "455263428931",
        "491585149902",
        "558608220178",
        "590381155156",
        "602401143452",
        "730335286997",
        "759879836304",
        "761377655185",
        "800184023465",
        "877085696533",
        "900612956339",
        "900889452093",
        "918309763551",
        "961992271922",
    ];
    let Some((host, _)) = repository.split_once('/') else { return false };
    let Some((account, rest)) = host.split_once(".dkr.ecr.") else { return false };
    ACCOUNTS.contains(&account) && rest.contains("amazonaws.com")
}

/// An image without tag and digest, with `docker.io` written out.
#[must_use]
pub fn repository(image: &str) -> String {
    let bare = image.split('@').next().unwrap_or_default();
    let last = bare.rfind('/').map_or(0, |i| i + 1);
    let bare = bare[last..].find(':').map_or(bare, |i| &bare[..last + i]);
    format!("{}/{}", registry(image), strip_registry(bare))
}

/// The registry of an image.
#[must_use]
pub fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains('.') || host.contains(':') || host == "localhost" => host,
        _ => "docker.io",
    }
}

fn strip_registry(bare: &str) -> String {
    match bare.split_once('/') {
        Some((host, rest)) if host.contains('.') || host.contains(':') || host == "localhost" => rest.to_owned(),
        Some(_) => bare.to_owned(),
        None => format!("library/{bare}"),
    }
}

/// An image's tag; none where it has none.
#[must_use]
pub fn tag(image: &str) -> Option<&str> {
    let bare = image.split('@').next().unwrap_or_default();
    let last = bare.rfind('/').map_or(0, |i| i + 1);
    bare[last..].split_once(':').map(|(_, tag)| tag)
}

/// Whether a pod is the API's picture of a static pod on a node.
#[must_use]
pub fn is_mirror(pod: &Value) -> bool {
    super::objects::mark(pod, "annotations", "kubernetes.io/config.mirror").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_platform_is_known_by_place_name_and_image_together() {
        let eks = "602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1.34.0-eksbuild.2";
        assert!(part_of_platform("kube-system", "DaemonSet", "kube-proxy", &[eks]).is_some());
        assert!(
            part_of_platform("kube-system", "DaemonSet", "kube-proxy", &["registry.k8s.io/kube-proxy:v1.34.0"])
                .is_some()
        );
        for (namespace, kind, image) in [
            ("kube-system", "DaemonSet", "docker.io/attacker/kube-proxy:latest"),
            ("kube-system", "DaemonSet", "registry.k8s.io.evil.io/kube-proxy"),
            ("kube-system", "DaemonSet", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy"),
            ("kube-system", "DaemonSet", "kube-proxy"),
            ("default", "DaemonSet", "registry.k8s.io/kube-proxy"),
            ("kube-system", "Deployment", "registry.k8s.io/kube-proxy"),
        ] {
            assert_eq!(part_of_platform(namespace, kind, "kube-proxy", &[image]), None, "{namespace} {kind} {image}");
        }
        let both = ["registry.k8s.io/kube-proxy:v1", "docker.io/attacker/helper"];
        assert_eq!(part_of_platform("kube-system", "DaemonSet", "kube-proxy", &both), None);
        assert_eq!(part_of_platform("kube-system", "DaemonSet", "kube-proxy", &[]), None);
    }

    #[test]
    fn a_workload_with_a_parts_name_and_another_image_poses_as_it() {
        let pose = |image: &str| poses_as("kube-system", "DaemonSet", "kube-proxy-x", &[image]);
        assert_eq!(pose("docker.io/attacker/kube-proxy"), Some("kube-proxy"));
        assert_eq!(pose("registry.k8s.io/kube-proxy:v1"), None);
        assert_eq!(poses_as("shop", "DaemonSet", "kube-proxy", &["nginx"]), None);
    }

    #[test]
    fn images_are_taken_apart() {
        for (image, whole, in_registry, tagged) in [
            ("nginx", "docker.io/library/nginx", "docker.io", None),
            ("nginx:1.25", "docker.io/library/nginx", "docker.io", Some("1.25")),
            ("calico/node:v3@sha256:ab", "docker.io/calico/node", "docker.io", Some("v3")),
            ("localhost:5000/a/b", "localhost:5000/a/b", "localhost:5000", None),
            ("gcr.io/x/y:z", "gcr.io/x/y", "gcr.io", Some("z")),
        ] {
            assert_eq!(
                (repository(image).as_str(), registry(image), tag(image)),
                (whole, in_registry, tagged),
                "{image}"
            );
        }
    }
}
