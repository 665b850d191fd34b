//! Words that speak of a Kubernetes cluster, in `markers/signs.yaml`. They wake the sweep of one account and Region;
//! what is there is judged by all of its marks together.

use std::sync::LazyLock;

use picket_model::Untrusted;
use regex::Regex;
use serde::Deserialize;

const TEXT: &str = include_str!("../markers/signs.yaml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sign {
    what: String,
    regex: String,
}

static ALL: LazyLock<Vec<(String, Regex)>> = LazyLock::new(|| load().unwrap_or_default());

fn load() -> Result<Vec<(String, Regex)>, String> {
    let signs: Vec<Sign> = serde_saphyr::from_str(TEXT).map_err(|e| e.to_string())?;
    let compile = |sign: Sign| Ok((sign.what, Regex::new(&sign.regex).map_err(|e| e.to_string())?));
    signs.into_iter().map(compile).collect()
}

/// What the first word that speaks of Kubernetes is; none where none does.
#[must_use]
pub fn of_kubernetes(words: &[Untrusted]) -> Option<String> {
    let sign = |word: &Untrusted| {
        let (what, _) = ALL.iter().find(|(_, regex)| regex.is_match(word.as_str()))?;
        Some(format!("{what}: `{word}`"))
    };
    words.iter().find_map(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_can_be_read() {
        assert!(load().is_ok_and(|all| all.len() > 10));
    }

    #[test]
    fn names_of_clusters_speak_and_others_do_not() {
        let speaks = |word: &str| of_kubernetes(&[Untrusted::new("other"), Untrusted::new(word)]);
        for word in [
            "kubernetes.io/cluster/prod",
            "masters.k.example.com",
            "eks-cluster-sg-prod-123",
            "k8s-default-web-0123456789",
            "Amazon EKS prod",
            "https://oidc.eks.eu-west-1.amazonaws.com/id/0123",
            "rancher-nodes",
            "karpenter.sh-1.0.8",
            "my-k8s-nodes",
        ] {
            assert!(speaks(word).is_some(), "{word}");
        }
        for word in ["web", "default", "launch-wizard-1", "nomad-clients", "docker-machine", "Owner", "masters", ""] {
            assert_eq!(speaks(word), None, "{word}");
        }
    }
}
