//! Which cluster an instance is a node of, by its tags and user data. The marks are data, one file a distribution,
//! in `fingerprints/`. Weights: strong 60, medium 25, weak 8; from 60 on it is a node. Tags can be forged: their
//! presence is evidence, their absence is not, and being a node never makes an instance safe.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use picket_model::Untrusted;
use picket_model::evidence::{Marker, NodeOf};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;

/// From this confidence on, an instance is called a node.
pub const NODE_AT: u16 = 60;

/// One file each, alphabetical. A test compares it with the folder.
const FILES: &[(&str, &str)] = &[
    ("cluster-api", include_str!("../fingerprints/cluster-api.yaml")),
    ("eks", include_str!("../fingerprints/eks.yaml")),
    ("k0s", include_str!("../fingerprints/k0s.yaml")),
    ("k3s", include_str!("../fingerprints/k3s.yaml")),
    ("kops", include_str!("../fingerprints/kops.yaml")),
    ("kube-aws", include_str!("../fingerprints/kube-aws.yaml")),
    ("kubeadm", include_str!("../fingerprints/kubeadm.yaml")),
    ("kubernetes", include_str!("../fingerprints/kubernetes.yaml")),
    ("local-vm", include_str!("../fingerprints/local-vm.yaml")),
    ("microk8s", include_str!("../fingerprints/microk8s.yaml")),
    ("openshift", include_str!("../fingerprints/openshift.yaml")),
    ("rancher", include_str!("../fingerprints/rancher.yaml")),
    ("rke2", include_str!("../fingerprints/rke2.yaml")),
    ("talos", include_str!("../fingerprints/talos.yaml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fingerprint {
    distribution: String,
    #[serde(default)]
    tags: Vec<TagMark>,
    #[serde(default)]
    user_data: Vec<TextMark>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TagMark {
    key: Option<String>,
    prefix: Option<String>,
    weight: u16,
    cluster: Option<NameIn>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum NameIn {
    Value,
    Suffix,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextMark {
    name: String,
    weight: u8,
    regex: String,
}

static ALL: LazyLock<Vec<Fingerprint>> = LazyLock::new(|| load().unwrap_or_default());
static TEXT: LazyLock<Vec<(String, u8, Regex)>> = LazyLock::new(|| compile(&ALL).unwrap_or_default());

fn load() -> Result<Vec<Fingerprint>, String> {
    let parse = |(name, text): &(&str, &str)| serde_saphyr::from_str(text).map_err(|e| format!("{name}: {e}"));
    FILES.iter().map(parse).collect()
}

fn compile(all: &[Fingerprint]) -> Result<Vec<(String, u8, Regex)>, String> {
    let mut out = Vec::new();
    for (fingerprint, mark) in all.iter().flat_map(|f| f.user_data.iter().map(move |m| (f, m))) {
        let regex =
            RegexBuilder::new(&mark.regex).multi_line(true).build().map_err(|e| format!("{}: {e}", mark.name))?;
        out.push((format!("{}/{}", fingerprint.distribution, mark.name), mark.weight, regex));
    }
    Ok(out)
}

/// The Kubernetes marks in user data; a mark's name starts with its distribution.
#[must_use]
pub fn in_user_data(text: &str) -> Vec<Marker> {
    let found = |(name, weight, regex): &(String, u8, Regex)| {
        let found = regex.find(text)?;
        Some(Marker { name: name.clone(), weight: *weight, found: Untrusted::new(found.as_str()) })
    };
    TEXT.iter().filter_map(found).collect()
}

/// The cluster that an instance with these tags and user-data marks is a node of; none where nothing speaks for it.
/// The distribution with the most weight wins; the generic `kubernetes` only where no other was seen.
#[must_use]
pub fn node_of(tags: &BTreeMap<Untrusted, Untrusted>, marks: &[Marker]) -> Option<NodeOf> {
    let mut found: BTreeMap<&str, NodeOf> = BTreeMap::new();
    for fingerprint in ALL.iter() {
        for (key, value) in tags {
            for mark in fingerprint.tags.iter().filter(|m| m.matches(key.as_str())) {
                let node = entry(&mut found, &fingerprint.distribution);
                node.confidence += mark.weight;
                node.evidence.push(format!("tag {key}"));
                node.cluster = node.cluster.take().or_else(|| mark.cluster_name(key, value));
            }
        }
    }
    for mark in marks {
        let distribution = mark.name.split('/').next().unwrap_or_default();
        let node = entry(&mut found, distribution);
        node.confidence += u16::from(mark.weight);
        node.evidence.push(format!("user data holds `{}`", mark.found));
    }
    let generic = found.remove("kubernetes");
    let best = found.into_values().max_by_key(|n| n.confidence);
    match (best, generic) {
        (Some(mut best), Some(generic)) => {
            best.confidence += generic.confidence;
            best.evidence.extend(generic.evidence);
            best.cluster = best.cluster.or(generic.cluster);
            Some(best)
        }
        (best, generic) => best.or(generic),
    }
}

fn entry<'a, 'b>(found: &'a mut BTreeMap<&'b str, NodeOf>, distribution: &'b str) -> &'a mut NodeOf {
    found.entry(distribution).or_insert_with(|| NodeOf {
        distribution: distribution.to_owned(),
        cluster: None,
        confidence: 0,
        evidence: Vec::new(),
    })
}

impl TagMark {
    fn matches(&self, key: &str) -> bool {
        self.key.as_deref().is_some_and(|k| k == key) || self.prefix.as_deref().is_some_and(|p| key.starts_with(p))
    }

    fn cluster_name(&self, key: &Untrusted, value: &Untrusted) -> Option<Untrusted> {
        match (self.cluster?, self.prefix.as_deref()) {
            (NameIn::Suffix, Some(prefix)) => key.as_str().strip_prefix(prefix).map(Untrusted::new),
            (NameIn::Suffix, None) => None,
            (NameIn::Value, _) => Some(value.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(tags: &[(&str, &str)], user_data: &str) -> Option<NodeOf> {
        let tags = tags.iter().map(|(k, v)| (Untrusted::new(k), Untrusted::new(v))).collect();
        node_of(&tags, &in_user_data(user_data))
    }

    #[test]
    fn every_file_is_listed_in_order_and_well_formed() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fingerprints")).unwrap();
        let mut files: Vec<_> =
            folder.map(|f| f.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
        files.sort();
        assert_eq!(FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>(), files);
        let all = load().unwrap();
        assert!(all.iter().zip(FILES).all(|(f, (name, _))| f.distribution == *name));
        compile(&all).unwrap();
    }

    #[test]
    fn an_eks_node_is_told_by_its_tags_and_names_its_cluster() {
        let node = node(&[("aws:eks:cluster-name", "prod"), ("kubernetes.io/cluster/prod", "owned")], "").unwrap();
        assert_eq!((node.distribution.as_str(), node.cluster.unwrap().as_str()), ("eks", "prod"));
        assert!(node.confidence >= NODE_AT);
    }

    #[test]
    fn a_kops_node_is_told_even_when_its_tags_are_gone() {
        let by_tags = node(&[("k8s.io/role/node", "1"), ("KubernetesCluster", "k.example.com")], "").unwrap();
        assert_eq!(by_tags.distribution, "kops");
        let by_script = node(&[], "NODEUP_URL_AMD64=https://artifacts.k8s.io/binaries/kops/1.30/nodeup").unwrap();
        assert_eq!(by_script.distribution, "kops");
    }

    #[test]
    fn a_nomad_or_web_server_is_no_node() {
        assert_eq!(node(&[("Name", "web-1")], "#!/bin/sh\napt install nginx"), None);
        assert_eq!(node(&[("nomad-servers", "auto-join")], "/opt/nomad/bin/run-nomad --client"), None);
    }

    #[test]
    fn one_package_source_alone_is_not_enough() {
        let node = node(&[], "curl https://pkgs.k8s.io/core").unwrap();
        assert!(node.confidence < NODE_AT);
    }
}
