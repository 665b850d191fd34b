//! The labelled fixtures, where they are there, and the counting.

use super::*;

fn label(tool: &str, is_kubernetes: bool, note: Option<&str>) -> Label {
    Label { file: "f".into(), tool: tool.into(), is_kubernetes, note: note.map(Into::into) }
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
    assert_eq!((rows[0].precision(), rows[0].recall()), (Some(0.0), None));
}
