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
