//! kubescape's rules as ours, by name; those that are not named here by the controls of CIS that they serve.

use picket_checks::benchmarks::{self, By};
use serde_json::Value;

use super::{Mapped, aws, context, host, objects};
use crate::kubernetes::{Objects, documents};

/// Rules whose control has more than one rule of ours, or whose control is another project's reading of it.
const BY_NAME: &[(&str, &[&str])] = &[
    ("alert-any-hostpath", &["kubernetes_pods_without_host_paths"]),
    ("anonymous-access-enabled", &["kubernetes_anonymous_not_bound"]),
    ("automount-default-service-account", &["kubernetes_default_account_unused"]),
    ("automount-service-account", &["kubernetes_token_mounted_where_needed", "kubernetes_accounts_unmounted"]),
    ("cluster-admin-role", &["kubernetes_cluster_admin_sparingly"]),
    ("container-hostPort", &["kubernetes_containers_without_host_ports"]),
    ("drop-capability-netraw", &["kubernetes_containers_without_net_raw"]),
    ("ensure-default-service-accounts-has-only-default-roles", &["kubernetes_default_account_without_roles"]),
    ("ensure-https-loadbalancers-encrypted-with-tls-aws", &["kubernetes_load_balancer_ends_tls"]),
    ("ensure-network-policy-is-enabled-eks", &["kubernetes_network_policies_enforced"]),
    ("ensure-that-the-cni-in-use-supports-network-policies", &["kubernetes_network_policies_enforced"]),
    ("host-ipc-privileges", &["kubernetes_pods_without_host_ipc"]),
    ("host-network-access", &["kubernetes_pods_without_host_network"]),
    ("host-pid-privileges", &["kubernetes_pods_without_host_pid"]),
    ("immutable-container-filesystem", &["kubernetes_containers_with_read_only_root"]),
    ("internal-networking", &["kubernetes_namespace_network_policies"]),
    ("k8s-audit-logs-enabled-native", &["kubernetes_component_flag_set_api_server_audit_policy"]),
    ("non-root-containers", &["kubernetes_containers_not_root"]),
    ("pod-security-admission-baseline-applied-1", &["kubernetes_namespace_pod_security_baseline"]),
    ("pod-security-admission-baseline-applied-2", &["kubernetes_namespace_pod_security_baseline"]),
    ("pod-security-admission-restricted-applied-1", &["kubernetes_namespace_pod_security_restricted"]),
    ("pod-security-admission-restricted-applied-2", &["kubernetes_namespace_pod_security_restricted"]),
    ("rule-allow-privilege-escalation", &["kubernetes_containers_without_escalation"]),
    ("rule-can-bind-escalate", &["kubernetes_subjects_without_power_bind_or_escalate"]),
    ("rule-can-impersonate-users-groups-v1", &["kubernetes_subjects_without_power_impersonate"]),
    ("rule-list-all-cluster-admins-v1", &["kubernetes_roles_without_wildcards"]),
    ("rule-privileged-container", &["kubernetes_containers_not_privileged"]),
    ("set-fsgroup-value", &["kubernetes_pod_context_fs_group"]),
    ("set-fsgroupchangepolicy-value", &["kubernetes_pod_context_fs_group_change_policy"]),
    ("set-procmount-default", &["kubernetes_containers_with_masked_proc"]),
    ("set-runasusername-value", &["kubernetes_windows_containers_name_a_user"]),
    ("set-seLinuxOptions", &["kubernetes_containers_with_selinux"]),
    ("set-seccomp-profile", &["kubernetes_containers_with_seccomp"]),
    ("set-seccomp-profile-RuntimeDefault", &["kubernetes_containers_with_seccomp"]),
    ("set-supplementalgroups-values", &["kubernetes_pod_context_supplemental_groups"]),
    ("set-sysctls-params", &["kubernetes_pods_with_safe_sysctls"]),
    ("set-systctls-params", &["kubernetes_pods_with_safe_sysctls"]),
    ("validate-kubelet-tls-configuration-updated", &["kubernetes_kubelet_serving_certificate"]),
];

/// How the names of the rules about the namespace `default` end.
const IN_DEFAULT: &str = "-in-default-namespace";

/// The benchmarks of ours that kubescape's names stand for, the one that fits a rule better first.
const BENCHMARKS: &[(&str, &str)] = &[("cis-1.12", "cis-kubernetes-2.0.1"), ("eks-1.8.0", "cis-eks-1.8.0")];

/// Ids that kubescape counts as older editions did.
const MOVED: &[(&str, &str)] = &[
    ("5.2.10", "5.2.9"),
    ("5.2.11", "5.2.10"),
    ("5.2.12", "5.2.11"),
    ("5.2.13", "5.2.12"),
    ("5.7.1", "5.6.1"),
    ("5.7.2", "5.6.2"),
    ("5.7.3", "5.6.3"),
    ("5.7.4", "5.6.4"),
];

/// A vector of kubescape.
#[must_use]
pub fn map(vector: &Value) -> Mapped {
    let Some(context) = context() else { return Mapped::default() };
    let name = vector["rule"].as_str().unwrap_or_default();
    let objects: Vec<Value> = objects(vector).into_iter().map(|o| placed(o, name)).collect();
    let mut made = documents(&context, &Objects::of(objects.clone()));
    for object in &objects {
        let host = host::documents(&context, object);
        // A host fact says more than the same thing missing among the objects.
        made.retain(|d| host.iter().all(|h| h.kind != d.kind || d.kind == "kubernetes.node"));
        made.extend(host);
    }
    made.extend(aws::documents(&context, &objects));
    Mapped { documents: made, rules: rules(vector) }
}

/// An object without a namespace lands in `default`, for the rules that are about it.
fn placed(mut object: Value, rule: &str) -> Value {
    if let (true, Some(metadata)) =
        (rule.ends_with(IN_DEFAULT), object.get_mut("metadata").and_then(Value::as_object_mut))
    {
        metadata.entry("namespace").or_insert_with(|| "default".into());
    }
    object
}

fn rules(vector: &Value) -> Vec<String> {
    let name = vector["rule"].as_str().unwrap_or_default();
    if let Some(rules) = aws::rules(name) {
        return rules;
    }
    match BY_NAME.iter().find(|(n, _)| *n == name) {
        Some((_, rules)) => rules.iter().map(|r| (*r).to_owned()).collect(),
        None if name.ends_with(IN_DEFAULT) => vec!["kubernetes_default_namespace_unused".to_owned()],
        None => by_control(vector),
    }
}

/// The rules of the first control that one of our benchmarks has.
fn by_control(vector: &Value) -> Vec<String> {
    let controls: Vec<&str> = vector["controls"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (theirs, ours) in BENCHMARKS {
        let ids = controls.iter().filter_map(|c| c.strip_prefix(theirs)?.strip_prefix(':'));
        for id in ids {
            let id = MOVED.iter().find(|(from, _)| *theirs == "cis-1.12" && *from == id).map_or(id, |(_, to)| to);
            let found = rules_of(ours, id);
            if !found.is_empty() {
                return found;
            }
        }
    }
    Vec::new()
}

fn rules_of(benchmark: &str, id: &str) -> Vec<String> {
    let Ok(all) = benchmarks::built_in() else { return Vec::new() };
    let control = all.get(benchmark).and_then(|b| b.controls.iter().find(|c| c.id == id));
    match control.map(|c| &c.by) {
        Some(By::Rules(rules)) => rules.clone(),
        _ => Vec::new(),
    }
}
