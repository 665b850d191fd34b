//! The roles, bindings and accounts that Kubernetes and EKS make themselves, by name.

use super::rbac::Subject;

/// Controllers of the controller manager: each has a role `system:controller:<name>` and an account in kube-system.
pub const CONTROLLERS: &[&str] = &[
    "attachdetach-controller",
    "certificate-controller",
    "cloud-provider",
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "daemon-set-controller",
    "deployment-controller",
    "device-taint-eviction-controller",
    "disruption-controller",
    "endpoint-controller",
    "endpointslice-controller",
    "endpointslicemirroring-controller",
    "ephemeral-volume-controller",
    "expand-controller",
    "generic-garbage-collector",
    "horizontal-pod-autoscaler",
    "job-controller",
    "legacy-service-account-token-cleaner",
    "namespace-controller",
    "node-controller",
    "persistent-volume-binder",
    "pod-garbage-collector",
    "podcertificaterequestcleaner",
    "pv-protection-controller",
    "pvc-protection-controller",
    "replicaset-controller",
    "replication-controller",
    "resource-claim-controller",
    "resourcequota-controller",
    "root-ca-cert-publisher",
    "route-controller",
    "selinux-warning-controller",
    "service-account-controller",
    "service-cidrs-controller",
    "service-controller",
    "statefulset-controller",
    "storage-version-migrator-controller",
    "ttl-after-finished-controller",
    "ttl-controller",
    "validatingadmissionpolicy-status-controller",
    "volumeattributesclass-protection-controller",
];

/// The other roles and bindings that an API server makes at its start.
pub const ROLES: &[&str] = &[
    "admin",
    "cluster-admin",
    "edit",
    "extension-apiserver-authentication-reader",
    "system:aggregate-to-admin",
    "system:aggregate-to-edit",
    "system:aggregate-to-view",
    "system:auth-delegator",
    "system:basic-user",
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
    "system:certificates.k8s.io:kube-apiserver-client-approver",
    "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver",
    "system:certificates.k8s.io:kubelet-serving-approver",
    "system:certificates.k8s.io:legacy-unknown-approver",
    "system:discovery",
    "system:heapster",
    "system:kube-aggregator",
    "system:kube-controller-manager",
    "system:kube-dns",
    "system:kube-scheduler",
    "system:kubelet-api-admin",
    "system:leader-locking-kube-controller-manager",
    "system:leader-locking-kube-scheduler",
    "system:controller:bootstrap-signer",
    "system:controller:token-cleaner",
    "system:monitoring",
    "system:node",
    "system:node-bootstrapper",
    "system:node-problem-detector",
    "system:node-proxier",
    "system:persistent-volume-provisioner",
    "system:public-info-viewer",
    "system:service-account-issuer-discovery",
    "system:volume-scheduler",
    "system::extension-apiserver-authentication-reader",
    "system::leader-locking-kube-controller-manager",
    "system::leader-locking-kube-scheduler",
    "view",
];

/// Groups that Kubernetes and its installers make for administrators and nodes.
const GROUPS: &[&str] = &[
    "kubeadm:cluster-admins",
    "system:bootstrappers",
    "system:bootstrappers:kubeadm:default-node-token",
    "system:masters",
    "system:monitoring",
    "system:node-proxier",
    "system:nodes",
];

/// Users of the control plane itself.
const USERS: &[&str] = &[
    "system:apiserver",
    "system:kube-controller-manager",
    "system:kube-proxy",
    "system:kube-scheduler",
    "system:volume-scheduler",
];

/// Accounts in kube-system of the parts that installers and EKS add-ons bring.
const ACCOUNTS: &[&str] = &[
    "aws-cloud-controller-manager",
    "aws-load-balancer-controller",
    "aws-node",
    "bootstrap-signer",
    "calico-kube-controllers",
    "calico-node",
    "cilium",
    "cilium-operator",
    "cloud-controller-manager",
    "cluster-autoscaler",
    "coredns",
    "ebs-csi-controller-sa",
    "ebs-csi-node-sa",
    "efs-csi-controller-sa",
    "efs-csi-node-sa",
    "eks-vpc-resource-controller",
    "kops-controller",
    "kube-dns",
    "kube-proxy",
    "metrics-server",
    "pod-identity-webhook",
    "tagging-controller",
    "token-cleaner",
];

/// Why a subject is the platform's own; none for everybody else. `eks:` names belong to AWS on EKS alone: access
/// entries cannot take them there, elsewhere anybody can.
#[must_use]
pub fn why(subject: &Subject, on_eks: bool) -> Option<&'static str> {
    let name = subject.name.as_str();
    match subject.kind.as_str() {
        "Group" if GROUPS.contains(&name) => Some("a group that Kubernetes or its installer makes"),
        "User" if USERS.contains(&name) || name.starts_with("system:node:") => Some("a user of the control plane"),
        "User" | "Group" if on_eks && name.starts_with("eks:") => Some("AWS's own, on EKS"),
        "ServiceAccount" if subject.namespace == "kube-system" => {
            (CONTROLLERS.contains(&name) || ACCOUNTS.contains(&name)).then_some("an account of a part of the platform")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, namespace: &str, name: &str, on_eks: bool) -> bool {
        let subject = Subject { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() };
        why(&subject, on_eks).is_some()
    }

    #[test]
    fn names_alone_exempt_nobody_elsewhere() {
        assert!(of("Group", "", "system:masters", false));
        assert!(of("ServiceAccount", "kube-system", "job-controller", false));
        assert!(!of("ServiceAccount", "default", "job-controller", false));
        assert!(!of("ServiceAccount", "kube-system", "kube-controller", false));
        assert!(of("User", "", "eks:node-manager", true));
        assert!(!of("User", "", "eks:node-manager", false));
        assert!(!of("Group", "", "system:authenticated", true));
        assert!(!of("User", "", "system:anonymous", true));
    }

    #[test]
    fn the_lists_name_each_once() {
        for names in [CONTROLLERS, ROLES, GROUPS, USERS, ACCOUNTS] {
            let mut sorted = names.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), names.len());
        }
    }
}
