//! What is in clusters by right, and what campaigns left there: the parts of the platform (`markers/platform.yaml`), and
//! DaemonSets (`markers/daemonsets.yaml`). A name alone exempts nobody: namespace, kind, name and images count together.

use std::sync::LazyLock;

use serde::Deserialize;

const PLATFORM: &str = include_str!("../markers/platform.yaml");
const DAEMONSETS: &str = include_str!("../markers/daemonsets.yaml");
/// The namespaces that Kubernetes itself makes and fills.
const SYSTEM: &[&str] = &["kube-node-lease", "kube-public", "kube-system"];
/// What stands for the accounts of EKS's add-ons in lists of images.
const AMAZON: &str = "amazon/";

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Platform {
    registries: Vec<String>,
    amazon_accounts: Vec<String>,
    parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    namespace: String,
    kind: String,
    name: String,
    images: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct DaemonSets {
    expected: Vec<Expected>,
    campaigns: Vec<Campaign>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    namespaces: Vec<String>,
    name: String,
    images: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Campaign {
    says: String,
    #[serde(default)]
    images: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
}

static ALL: LazyLock<Platform> = LazyLock::new(|| serde_saphyr::from_str(PLATFORM).unwrap_or_default());
static SETS: LazyLock<DaemonSets> = LazyLock::new(|| serde_saphyr::from_str(DAEMONSETS).unwrap_or_default());

/// Whether Kubernetes itself makes and fills this namespace.
#[must_use]
pub fn is_system(namespace: &str) -> bool {
    SYSTEM.contains(&namespace)
}

/// The part of the platform that this workload is, if every one of its images says so.
#[must_use]
pub fn part_of_platform(namespace: &str, kind: &str, name: &str, images: &[&str]) -> Option<String> {
    let fits = |part: &&Part| {
        part.namespace == namespace
            && part.kind == kind
            && name.starts_with(&part.name)
            && !images.is_empty()
            && images.iter().all(|image| is_of_platform(image, &part.images))
    };
    let part = ALL.parts.iter().find(fits)?;
    Some(format!(
        "{} is a part of the platform, which needs this; its images come from where the platform's come from",
        part.name
    ))
}

/// The part of the platform whose name this workload has without being it.
#[must_use]
pub fn poses_as(namespace: &str, kind: &str, name: &str, images: &[&str]) -> Option<&'static str> {
    let named = |part: &&Part| part.kind == kind && name.starts_with(&part.name) && part.name != "etcd";
    let part = ALL.parts.iter().find(named)?;
    let is_it = part_of_platform(namespace, kind, name, images).is_some();
    (!is_it && is_system(namespace)).then_some(part.name.as_str())
}

/// The agent that a DaemonSet is, if it is one that people install.
#[must_use]
pub fn expected_daemon_set(namespace: &str, name: &str, images: &[&str]) -> Option<&'static str> {
    let lives = |e: &Expected| e.namespaces.iter().any(|n| n == namespace || (n == "*" && !is_system(namespace)));
    let is = |image: &&str, known: &String| match known.strip_prefix(AMAZON) {
        Some(rest) => is_amazons(&repository(image)) && ends(&repository(image), rest),
        None => repository(image) == *known,
    };
    let fits = |e: &&Expected| {
        lives(e)
            && name.starts_with(&e.name)
            && !images.is_empty()
            && images.iter().all(|image| e.images.iter().any(|known| is(image, known)))
    };
    SETS.expected.iter().find(fits).map(|e| e.name.as_str())
}

/// The campaigns that left something like this, each with what is like it.
#[must_use]
pub fn campaigns(namespace: &str, name: &str, images: &[&str]) -> Vec<String> {
    let of = |campaign: &Campaign| {
        let image = images.iter().find(|i| campaign.images.iter().any(|c| is_like(&repository(i), c)));
        let named = is_system(namespace) && campaign.names.iter().any(|n| n == name);
        let like = image.map(|i| format!("image {i}")).or_else(|| named.then(|| format!("name {name}")))?;
        Some(format!("{}: {like}", campaign.says))
    };
    SETS.campaigns.iter().filter_map(of).collect()
}

fn is_like(repository: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(repository == pattern, |start| repository.starts_with(start))
}

/// Whether an image is one of these repositories in a registry that the platform comes from.
fn is_of_platform(image: &str, endings: &[String]) -> bool {
    let repository = repository(image);
    let known =
        ALL.registries.iter().any(|r| repository.strip_prefix(r.as_str()).is_some_and(|rest| rest.starts_with('/')));
    (known || is_amazons(&repository)) && endings.iter().any(|e| ends(&repository, e))
}

fn ends(repository: &str, ending: &str) -> bool {
    repository.strip_suffix(ending).is_some_and(|before| before.ends_with('/'))
}

/// EKS's own accounts hold its add-ons: `602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/coredns`. The accounts of
/// opt-in and other Regions are Amazon's list for `amazon-k8s-cni`.
fn is_amazons(repository: &str) -> bool {
    let Some((host, _)) = repository.split_once('/') else { return false };
    let Some((account, rest)) = host.split_once(".dkr.ecr.") else { return false };
    let ends = rest.ends_with(".amazonaws.com") || rest.ends_with(".amazonaws.com.cn");
    ends && ALL.amazon_accounts.iter().any(|a| a == account)
}

/// An image without tag and digest, with `docker.io` written out.
#[must_use]
pub fn repository(image: &str) -> String {
    let bare = image.split('@').next().unwrap_or_default();
    let last = bare.rfind('/').map_or(0, |i| i + 1);
    let bare = bare[last..].find(':').map_or(bare, |i| &bare[..last + i]);
    let registry = match registry(image) {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        other => other,
    };
    format!("{registry}/{}", strip_registry(bare))
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

#[cfg(test)]
mod tests {
    use super::*;

    const CNI: &str = "602401143452.dkr.ecr.us-east-1.amazonaws.com/amazon-k8s-cni:v1";

    #[test]
    fn both_lists_can_be_read() {
        assert!(ALL.parts.len() > 20 && ALL.amazon_accounts.len() > 10, "platform.yaml");
        assert!(SETS.expected.len() > 30 && SETS.campaigns.len() > 3, "daemonsets.yaml");
    }

    #[test]
    fn a_daemon_set_is_expected_by_place_name_and_image_together() {
        let exporter = "quay.io/prometheus/node-exporter:v1.9.0";
        assert_eq!(expected_daemon_set("monitoring", "node-exporter", &[exporter]), Some("node-exporter"));
        for (namespace, name, images) in [
            ("kube-system", "node-exporter", vec![exporter]),
            ("monitoring", "exporter", vec![exporter]),
            ("monitoring", "node-exporter", vec!["docker.io/attacker/node-exporter"]),
            ("monitoring", "node-exporter", vec![exporter, "docker.io/attacker/helper"]),
            ("monitoring", "node-exporter", vec![]),
        ] {
            assert_eq!(expected_daemon_set(namespace, name, &images), None, "{namespace} {name} {images:?}");
        }
    }

    #[test]
    fn amazons_own_accounts_are_told_from_others_with_the_same_repository() {
        let agent = |account: &str| format!("{account}.dkr.ecr.eu-west-1.amazonaws.com/eks/aws-guardduty-agent:v1");
        let of = |image: &str| expected_daemon_set("amazon-guardduty", "aws-guardduty-agent", &[image]);
        assert!(of(&agent("602401143452")).is_some());
        assert_eq!(of(&agent("111122223333")), None);
        assert!(part_of_platform("kube-system", "DaemonSet", "aws-node", &[CNI]).is_some());
        let elsewhere = CNI.replace("amazonaws.com", "amazonaws.com.evil.io");
        assert!(part_of_platform("kube-system", "DaemonSet", "aws-node", &[&elsewhere]).is_none());
    }

    #[test]
    fn what_campaigns_left_is_known_by_image_anywhere_and_by_name_among_the_platform() {
        let of = |namespace: &str, name: &str, image: &str| campaigns(namespace, name, &[image]);
        assert_eq!(of("shop", "web", "pauseyyf/pause:latest").len(), 1);
        assert_eq!(of("shop", "web", "index.docker.io/kubernetesio/kube-controller:1.0.1").len(), 1);
        assert!(of("kube-system", "kube-controller", "x/y")[0].contains("name kube-controller"));
        assert_eq!(of("shop", "kube-controller", "x/y"), Vec::<String>::new());
        assert_eq!(of("shop", "web", "registry.k8s.io/pause:3.9"), Vec::<String>::new());
    }
}
