//! Which namespaces and workloads are the platform's own, by the lists of `picket-checks`, and how images are taken apart.

use serde_json::Value;

pub use picket_checks::platform::{
    campaigns, expected_daemon_set, is_system, part_of_platform, poses_as, registry, repository,
};

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
