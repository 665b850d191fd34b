//! The labelled fixtures, where they are there, and the counting.

use super::*;

fn label(tool: &str, is_kubernetes: bool, note: Option<&str>) -> Label {
    let text = serde_json::json!({"file": "f", "tool": tool, "is_kubernetes": is_kubernetes, "note": note});
    serde_json::from_value(text).unwrap()
}

#[test]
fn a_tool_means_the_distributions_that_its_words_name() {
    assert_eq!(label("eks-nodeadm", true, None).means(), ["eks"]);
    assert_eq!(label("karpenter-eks", true, None).means(), ["eks", "karpenter"]);
    assert_eq!(label("rancher-rke2-k3s", true, None).means(), ["k3s", "rancher", "rke2"]);
    assert_eq!(label("openshift4-ignition-pointer", true, None).means(), ["openshift"]);
    assert_eq!(label("typhoon-ignition", true, None).means(), ["typhoon"]);
    assert_eq!(label("NEG-nomad", false, None).means(), Vec::<&str>::new());
}

#[test]
fn a_fragment_has_no_sure_label_and_a_decoy_has() {
    assert!(!label("kops", true, Some("script fragment")).is_sure());
    assert!(label("talos", true, Some("PEM material replaced")).is_sure());
    assert!(label("NEG-nomad", false, Some("decoy: Nomad/Consul")).is_sure());
}

#[test]
fn precision_and_recall_are_counted_over_sure_labels() {
    let judged = |text: &str, label: &Label| judge(label, text.as_bytes());
    let all = [
        judged("kubeadm join 10.0.0.1:6443", &label("kubeadm", true, None)),
        judged("nothing", &label("kubeadm", true, None)),
        judged("nothing", &label("kubeadm", true, Some("fragment"))),
        judged("kubeadm join 10.0.0.1:6443", &label("NEG-x", false, None)),
    ];
    let rows = table(&all);
    assert_eq!(
        rows.last().map(|r| (r.positives, r.found, r.named, r.negatives, r.false_alarms, r.unsure)),
        Some((2, 1, 1, 1, 1, 1))
    );
    assert_eq!((rows[2].precision(), rows[2].recall()), (Some(0.5), Some(0.5)));
    assert_eq!((rows[0].precision(), rows[0].recall()), (None, None), "a decoy has no name to be called by");
    assert_eq!((rows[1].precision(), rows[1].recall()), (Some(0.5), Some(0.5)), "the decoy was called kubeadm");
}

#[test]
fn a_file_under_another_tools_name_costs_that_tool_its_precision() {
    let judged = [
        judge(&label("kubeadm", true, None), b"kubeadm join 10.0.0.1:6443"),
        judge(&label("k3s", true, None), b"kubeadm join 10.0.0.1:6443"),
    ];
    let rows = table(&judged);
    let of = |tool: &str| rows.iter().find(|r| r.tool == tool).map(|r| (r.precision(), r.recall())).unwrap();
    assert_eq!(of("kubeadm"), (Some(0.5), Some(1.0)));
    assert_eq!(of("k3s"), (None, Some(0.0)), "nothing was called k3s");
}

#[test]
fn of_a_landscape_the_nodes_must_be_one_cluster_of_the_right_kind_and_name_and_no_others_with_them() {
    let landscape = serde_json::json!({
        "scope": {"account": "123456789012", "region": "eu-west-1"},
        "instances": [
            {"id": "i-00000001", "vpc": "vpc-00000001", "tags": {"alpha.eksctl.io/cluster-name": "a", "kubernetes.io/cluster/a": "owned"}},
            {"id": "i-00000002", "vpc": "vpc-00000001", "tags": {"alpha.eksctl.io/cluster-name": "a", "kubernetes.io/cluster/a": "owned"}},
        ],
    });
    let survey = crate::survey::survey(serde_json::from_value(landscape).unwrap());
    let right = |more: serde_json::Value| {
        let mut label = serde_json::json!({"file": "f", "tool": "eksctl", "is_kubernetes": true});
        label.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        judge_survey(&serde_json::from_value(label).unwrap(), &survey).named_rightly
    };
    let both = serde_json::json!(["i-00000001", "i-00000002"]);
    assert!(right(serde_json::json!({"instances": both, "cluster": "a"})));
    assert!(right(serde_json::json!({"cluster": "a"})), "by its name alone");
    assert!(!right(serde_json::json!({"instances": both, "cluster": "b"})), "the name is another");
    assert!(!right(serde_json::json!({"instances": ["i-00000001"]})), "another is with it");
    assert!(!right(serde_json::json!({"instances": both, "distribution": "kops"})), "the kind is another");
    assert!(!right(serde_json::json!({"instances": ["i-00000009"]})), "it is not found");
}
