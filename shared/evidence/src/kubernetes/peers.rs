//! What other tools judge wrongly of a cluster, each as a sentence: read from their sources, or seen by running them.
#![allow(clippy::unwrap_used, reason = "a test file: what is missing fails the test that wanted it")]

use picket_model::Document;
use serde_json::{Value, json};

use super::documents::tests::context;
use super::scenarios::{controls, node, words};
use super::{Objects, documents, from_node};

const EKS: &str = "cis-eks-1.8.0";
const KUBERNETES: &str = "cis-kubernetes-2.0.1";

fn cluster(objects: impl IntoIterator<Item = Value>) -> Vec<Document> {
    documents(&context(), &Objects::of(objects))
}

fn says(benchmark: &str, word: &str, control: &str, documents: &[Document]) -> bool {
    controls(benchmark, word, documents).contains(control)
}

fn pod(spec: Value) -> Vec<Document> {
    cluster([json!({"kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec})])
}

fn kubelet(argv: &str, config: Value) -> Vec<Document> {
    let facts = json!({
        "cluster": "prod",
        "processes": {"kubelet": {"argv": words(argv)}},
        "kubelet": {"config": config},
    });
    from_node::documents(&node(facts))
}

fn server(argv: &str) -> Vec<Document> {
    from_node::documents(&node(json!({"cluster": "prod", "processes": {"kube-apiserver": {"argv": words(argv)}}})))
}

fn binding(role: &str, user: &str) -> Value {
    json!({
        "kind": "ClusterRoleBinding", "metadata": {"name": format!("{user}-{role}")},
        "roleRef": {"kind": "ClusterRole", "name": role, "apiGroup": "rbac.authorization.k8s.io"},
        "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}],
    })
}

fn reader_of_secrets() -> Value {
    json!({
        "kind": "ClusterRole", "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}],
    })
}

/// kube-bench eks-1.8.0 4.1.1: its command never ends in what it compares with.
#[test]
fn cluster_admin_that_nobody_has_beside_the_platform_passes() {
    assert!(says(EKS, "pass", "4.1.1", &cluster([reader_of_secrets(), binding("reader", "ops")])));
    assert!(says(EKS, "fail", "4.1.1", &cluster([binding("cluster-admin", "ops")])));
}

/// kube-bench eks-1.8.0 4.1.2: reads Roles only.
#[test]
fn secrets_that_a_cluster_role_lets_people_read_count() {
    assert!(says(EKS, "fail", "4.1.2", &cluster([reader_of_secrets(), binding("reader", "ops")])));
}

/// kube-bench eks-1.8.0 4.2.1, and Prowler's core_minimize_*: running `containers` only.
#[test]
fn init_and_ephemeral_containers_count_as_the_others_do() {
    let tame = json!({"name": "web", "image": "nginx", "securityContext": {"allowPrivilegeEscalation": false}});
    let wild = json!({"name": "x", "image": "nginx", "securityContext": {"privileged": true}});
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        let mut spec = json!({"containers": [tame]});
        match spec[list].as_array_mut() {
            Some(all) => all.push(wild.clone()),
            None => spec[list] = json!([wild]),
        }
        assert!(says(EKS, "fail", "4.2.1", &pod(spec)), "{list}");
    }
    assert!(!says(EKS, "fail", "4.2.1", &pod(json!({"containers": [tame]}))));
}

/// kube-bench eks-1.8.0 4.2.5 and Prowler: unset passes, though the default is true.
#[test]
fn escalation_that_is_not_forbidden_is_allowed() {
    assert!(says(EKS, "fail", "4.2.5", &pod(json!({"containers": [{"name": "web", "image": "nginx"}]}))));
}

/// kube-bench eks-1.8.0 3.2.4: fails where `readOnlyPort` is not in the file, though the file's default is 0.
#[test]
fn a_read_only_port_that_the_configuration_file_does_not_name_is_off() {
    let eks = "kubelet --config=/etc/kubernetes/kubelet/config.json --kubeconfig=/var/lib/kubelet/kubeconfig";
    assert!(says(EKS, "pass", "3.2.4", &kubelet(eks, json!({"authorization": {"mode": "Webhook"}}))));
    assert!(says(EKS, "fail", "3.2.4", &kubelet(eks, json!({"readOnlyPort": 10255}))));
}

/// kube-bench: `flag` and `has` are looked for anywhere in the line of the process.
#[test]
fn a_flag_or_a_value_that_only_contains_the_name_is_another() {
    let longer = "kube-apiserver --enable-admission-plugins=NodeRestrictions,AlwaysPullImagesNever";
    assert!(!says(KUBERNETES, "pass", "1.2.14", &server(longer)));
    let exact = "kube-apiserver --enable-admission-plugins=NodeRestriction";
    assert!(says(KUBERNETES, "pass", "1.2.14", &server(exact)));
    assert!(!says(KUBERNETES, "pass", "1.2.1", &server("kube-apiserver --not-anonymous-auth=false")));
}

/// Prowler core_minimize_admission_hostport_containers: its model drops `hostPort`, so that it passes always.
#[test]
fn host_ports_are_seen() {
    let with = |port: Value| json!({"containers": [{"name": "web", "image": "nginx", "ports": [port]}]});
    let fails = |port: Value| says(KUBERNETES, "fail", "5.2.12", &pod(with(port)));
    assert!(fails(json!({"containerPort": 80, "hostPort": 80})));
    assert!(!fails(json!({"containerPort": 80})));
}

/// Prowler core_no_secrets_envs: its model drops `valueFrom`, so that it passes always.
#[test]
fn secrets_in_variables_are_seen() {
    let from = json!({"secretKeyRef": {"name": "db", "key": "password"}});
    let secret = json!({"containers": [{"name": "web", "image": "nginx", "env": [{"name": "P", "valueFrom": from}]}]});
    assert!(says(EKS, "fail", "4.4.1", &pod(secret)));
    let plain = json!({"containers": [{"name": "web", "image": "nginx", "env": [{"name": "P", "value": "1"}]}]});
    assert!(!says(EKS, "fail", "4.4.1", &pod(plain)));
}

/// Prowler apiserver_anonymous_requests: passes where the flag is absent, though the default is on.
#[test]
fn anonymous_requests_that_nobody_switched_off_are_on() {
    assert!(!says(KUBERNETES, "pass", "1.2.1", &server("kube-apiserver --secure-port=443")));
}

/// Prowler: reads the kubelet's ConfigMap of kubeadm alone, so nothing of EKS and kops.
#[test]
fn a_kubelet_is_judged_by_its_own_flags_and_file() {
    let flags = kubelet("kubelet --anonymous-auth=true", json!({"authentication": {"anonymous": {"enabled": false}}}));
    assert!(says(EKS, "fail", "3.2.1", &flags));
    let file = kubelet("kubelet --config=/x", json!({"authentication": {"anonymous": {"enabled": false}}}));
    assert!(says(EKS, "pass", "3.2.1", &file));
}
