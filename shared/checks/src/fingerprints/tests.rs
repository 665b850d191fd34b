//! Single instances, by their tags and user data.

use super::*;

fn node(tags: &[(&str, &str)], user_data: &str) -> Option<NodeOf> {
    let tags = tags.iter().map(|(k, v)| (Untrusted::new(k), Untrusted::new(v))).collect();
    node_of(&tags, &in_user_data(user_data))
}

fn told(tags: &[(&str, &str)], user_data: &str) -> Option<String> {
    node(tags, user_data).filter(|n| n.confidence >= NODE_AT).map(|n| n.distribution)
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
    assert_eq!(told(&[("Name", "web-1")], "#!/bin/sh\napt install nginx"), None);
    assert_eq!(told(&[("nomad-servers", "auto-join")], "/opt/nomad/bin/run-nomad --client"), None);
}

#[test]
fn one_package_source_alone_is_not_enough() {
    assert_eq!(told(&[], "curl https://pkgs.k8s.io/core"), None);
}

#[test]
fn the_key_decides_and_not_the_value() {
    for value in ["owned", "shared", "1", "member", ""] {
        assert_eq!(told(&[("kubernetes.io/cluster/prod", value)], "").as_deref(), Some("kubernetes"), "{value}");
    }
}

#[test]
fn a_bastion_of_a_cluster_is_no_node_of_it() {
    assert_eq!(told(&[("KubernetesCluster", "k.example.com"), ("k8s.io/role/bastion", "1")], ""), None);
}

#[test]
fn a_planted_decoy_hides_no_strong_mark() {
    assert_eq!(told(&[("nomad-servers", "x")], "run-nomad\nkubeadm join 10.0.0.1:6443").as_deref(), Some("kubeadm"));
    assert_eq!(told(&[], "gitlab-runner register\nkind create cluster"), None);
}
/// User data that was made in the words of each tool, and of what is mistaken for one.
#[cfg(test)]
mod made {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        name: String,
        #[serde(default)]
        is: Option<String>,
        #[serde(default)]
        role: Option<NodeRole>,
        #[serde(default)]
        joins: Option<String>,
        #[serde(default)]
        cluster: Option<String>,
        #[serde(default)]
        version: Option<String>,
        text: String,
    }

    fn cases(text: &str) -> Vec<Case> {
        serde_saphyr::from_str(text).unwrap()
    }

    fn judged(text: &str) -> (Option<NodeOf>, facts::Facts, Vec<Hit>) {
        let decoded = crate::user_data::decode_raw(text.as_bytes().to_vec());
        let node = node_of(&BTreeMap::new(), &in_user_data(&decoded.text));
        let hits = hits_in_user_data(&decoded.text);
        (node.filter(|n| n.confidence >= NODE_AT), facts_of(&hits, &decoded.text), hits)
    }

    #[test]
    fn user_data_of_every_tool_is_told_with_its_role_and_what_it_joins() {
        let mut wrong = Vec::new();
        for case in cases(include_str!("../../testdata/userdata/nodes.yaml")) {
            let (node, facts, hits) = judged(&case.text);
            let text = |t: &Option<Untrusted>| t.as_ref().map(|t| t.as_str().to_owned());
            let is = node.map(|n| n.distribution);
            let right = is == case.is
                && case.role.is_none_or(|r| facts.role == Some(r))
                && case.joins.as_ref().is_none_or(|j| text(&facts.joins).as_ref() == Some(j))
                && case.cluster.as_ref().is_none_or(|c| text(&facts.cluster).as_ref() == Some(c))
                && case.version.as_ref().is_none_or(|v| text(&facts.version).as_ref() == Some(v));
            if !right {
                let marks: Vec<_> = hits.iter().map(|h| catalogue().marks[h.mark].name.as_str()).collect();
                wrong.push(format!("{:?} {}: {is:?} {facts:?} {marks:?}", case.is, case.name));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn what_is_mistaken_for_kubernetes_is_called_nothing() {
        let mut wrong = Vec::new();
        for case in cases(include_str!("../../testdata/userdata/decoys.yaml")) {
            if let (Some(node), _, _) = judged(&case.text) {
                wrong.push(format!("{}: {} {:?}", case.name, node.distribution, node.evidence));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
