//! checkov's checks of Kubernetes manifests as our rules, by the check's name.

use serde_json::{Value, json};

use super::{Mapped, context, document, objects};
use crate::kubernetes::argv::flags_of;
use crate::kubernetes::containers::raw;
use crate::kubernetes::documents::Context;
use crate::kubernetes::kubelet::effective;
use crate::kubernetes::objects::texts;
use crate::kubernetes::pods::template;
use crate::kubernetes::{Objects, documents};
use picket_model::Document;

const FLAG: &str = "kubernetes_component_flag_set_";
const PAIR: &str = "kubernetes_component_pair_set_";
const SERVER: &str = "kubernetes_api_server_";
const KUBELET: &str = "kubernetes_kubelet_";
const LEGACY: &str = "kubernetes_legacy_";
const OWN: &str = "kubernetes_";

/// checkov's check, and our rule as a start and an end; alphabetical.
const CHECKS: &[(&str, &str, &str)] = &[
    ("AllowPrivilegeEscalation", OWN, "containers_without_escalation"),
    ("AllowedCapabilities", OWN, "containers_without_capabilities"),
    ("AllowedCapabilitiesSysAdmin", OWN, "containers_without_sys_admin"),
    ("ApiServerAdmissionControlAlwaysAdmit", SERVER, "always_admit_off"),
    ("ApiServerAdmissionControlEventRateLimit", SERVER, "plugin_on_event_rate_limit"),
    ("ApiServerAlwaysPullImagesPlugin", SERVER, "plugin_on_always_pull_images"),
    ("ApiServerAnonymousAuth", SERVER, "anonymous_off"),
    ("ApiServerAuditLog", FLAG, "api_server_audit_log_path"),
    ("ApiServerAuditLogMaxAge", SERVER, "audit_kept_days"),
    ("ApiServerAuditLogMaxBackup", SERVER, "audit_kept_files"),
    ("ApiServerAuditLogMaxSize", SERVER, "audit_kept_megabytes"),
    ("ApiServerAuthorizationModeNode", SERVER, "authorization_has_node"),
    ("ApiServerAuthorizationModeNotAlwaysAllow", SERVER, "authorization_checks"),
    ("ApiServerAuthorizationModeRBAC", SERVER, "authorization_has_rbac"),
    ("ApiServerBasicAuthFile", LEGACY, "flags_absent_basic_auth_file"),
    ("ApiServerEncryptionProviders", SERVER, "encrypts"),
    ("ApiServerEtcdCaFile", FLAG, "api_server_etcd_ca"),
    ("ApiServerEtcdCertAndKey", PAIR, "api_server_etcd"),
    ("ApiServerInsecureBindAddress", LEGACY, "flags_absent_insecure_bind_address"),
    ("ApiServerInsecurePort", LEGACY, "insecure_port_off"),
    ("ApiServerKubeletClientCertAndKey", PAIR, "api_server_kubelet"),
    ("ApiServerKubeletHttps", LEGACY, "kubelet_https"),
    ("ApiServerNamespaceLifecyclePlugin", SERVER, "plugin_not_off_namespace_lifecycle"),
    ("ApiServerNodeRestrictionPlugin", SERVER, "plugin_on_node_restriction"),
    ("ApiServerPodSecurityPolicyPlugin", LEGACY, "pod_policies_pod_security_policy"),
    ("ApiServerProfiling", OWN, "component_profiling_off_api_server"),
    ("ApiServerRequestTimeout", SERVER, "request_timeout"),
    ("ApiServerSecurePort", LEGACY, "secure_port_on"),
    ("ApiServerSecurityContextDenyPlugin", LEGACY, "pods_refused"),
    ("ApiServerServiceAccountKeyFile", FLAG, "api_server_service_account_key"),
    ("ApiServerServiceAccountLookup", SERVER, "service_account_lookup"),
    ("ApiServerServiceAccountPlugin", SERVER, "plugin_not_off_service_account"),
    ("ApiServerStrongCryptographicCiphers", SERVER, "strong_ciphers"),
    ("ApiServerTlsCertAndKey", PAIR, "api_server_tls"),
    ("ApiServerTokenAuthFile", SERVER, "no_token_file"),
    ("ApiServerkubeletCertificateAuthority", FLAG, "api_server_kubelet_ca"),
    ("CPULimits", OWN, "containers_say_cpu_limit"),
    ("CPURequests", OWN, "containers_say_cpu_request"),
    ("DefaultNamespace", OWN, "default_namespace_unused"),
    ("DefaultServiceAccount", OWN, "default_account_unmounted"),
    ("DefaultServiceAccountBinding", OWN, "default_account_without_roles"),
    ("DockerSocketVolume", OWN, "pods_without_runtime_socket"),
    ("DropCapabilities", OWN, "containers_without_net_raw"),
    ("EtcdAutoTls", OWN, "etcd_no_auto_tls_clients"),
    ("EtcdCertAndKey", PAIR, "etcd_tls"),
    ("EtcdClientCertAuth", OWN, "etcd_client_certificates_clients"),
    ("EtcdPeerFiles", PAIR, "etcd_peers"),
    ("HostPort", OWN, "containers_without_host_ports"),
    ("ImageDigest", OWN, "images_named_by_digest"),
    ("ImagePullPolicy", OWN, "images_always_pulled"),
    ("ImagePullPolicyAlways", OWN, "images_always_pulled"),
    ("ImageTagFixed", OWN, "images_with_fixed_tags"),
    ("KubeControllerManagerBlockProfiles", OWN, "component_profiling_off_controller_manager"),
    ("KubeControllerManagerRootCAFile", FLAG, "controller_manager_root_ca"),
    ("KubeControllerManagerServiceAccountCredentials", OWN, "controller_manager_own_accounts"),
    ("KubeControllerManagerServiceAccountPrivateKeyFile", FLAG, "controller_manager_signing_key"),
    ("KubeControllerManagerTerminatedPods", OWN, "controller_manager_collects_pods"),
    ("KubeletAnonymousAuth", KUBELET, "anonymous_off"),
    ("KubeletAuthorizationModeNotAlwaysAllow", KUBELET, "authorization_checks"),
    ("KubeletClientCa", KUBELET, "client_ca"),
    ("KubeletCryptographicCiphers", KUBELET, "strong_ciphers"),
    ("KubeletHostnameOverride", KUBELET, "no_hostname_override"),
    ("KubeletKeyFilesSetAppropriate", KUBELET, "serving_certificate"),
    ("KubeletMakeIptablesUtilChains", KUBELET, "iptables_chains"),
    ("KubeletProtectKernelDefaults", KUBELET, "protects_kernel_defaults"),
    ("KubeletReadOnlyPort", KUBELET, "read_only_port_off"),
    ("KubeletStreamingConnectionIdleTimeout", KUBELET, "streaming_timeout"),
    ("KubletEventCapture", KUBELET, "event_rate"),
    ("KubletRotateCertificates", KUBELET, "rotates_client"),
    ("LivenessProbe", OWN, "containers_say_liveness"),
    ("MemoryLimits", OWN, "containers_say_memory_limit"),
    ("MemoryRequests", OWN, "containers_say_memory_request"),
    ("MinimiseCapabilities", OWN, "containers_drop_all"),
    ("MinimizeCapabilities", OWN, "containers_drop_all"),
    ("PeerClientCertAuthTrue", OWN, "etcd_client_certificates_peers"),
    ("PrivilegedContainers", OWN, "containers_not_privileged"),
    ("RbacApproveCertificateSigningRequests", OWN, "role_without_certificate_approval"),
    ("RbacBindRoleBindings", OWN, "role_without_power_bind"),
    ("RbacControlWebhooks", OWN, "role_without_power_change_webhooks"),
    ("RbacEscalateRoles", OWN, "role_without_power_escalate"),
    ("ReadOnlyFilesystem", OWN, "containers_with_read_only_root"),
    ("ReadinessProbe", OWN, "containers_say_readiness"),
    ("RootContainers", OWN, "containers_not_root"),
    ("RootContainersHighUID", OWN, "containers_with_high_user"),
    ("RotateKubeletServerCertificate", OWN, "controller_manager_rotates_serving"),
    ("SchedulerBindAddress", OWN, "component_on_loopback_scheduler"),
    ("SchedulerProfiling", OWN, "component_profiling_off_scheduler"),
    ("Seccomp", OWN, "containers_with_seccomp"),
    ("Secrets", OWN, "containers_without_secret_variables"),
    ("SecurityContexts", OWN, "workloads_with_security_context"),
    ("ServiceAccountTokens", OWN, "token_mounted_where_needed"),
    ("ShareHostIPC", OWN, "pods_without_host_ipc"),
    ("ShareHostPID", OWN, "pods_without_host_pid"),
    ("SharedHostNetworkNamespace", OWN, "pods_without_host_network"),
    ("WildcardRoles", OWN, "roles_without_wildcards"),
];

/// A vector of checkov.
#[must_use]
pub fn map(vector: &Value) -> Mapped {
    let Some(context) = context() else { return Mapped::default() };
    let check = vector["check"].as_str().unwrap_or_default();
    let objects: Vec<Value> = objects(vector).into_iter().map(|o| placed(o, check)).collect();
    let mut made = documents(&context, &Objects::of(objects.clone()));
    made.extend(objects.iter().filter_map(|o| kubelet(&context, o)));
    let ours = CHECKS.iter().filter(|(name, ..)| *name == check).map(|(_, start, end)| format!("{start}{end}"));
    let rules = match check {
        "CPU" => ["limit", "request"].iter().map(|w| format!("{OWN}containers_say_cpu_{w}")).collect(),
        "LivenessReadiness" => ["liveness", "readiness"].iter().map(|w| format!("{OWN}containers_say_{w}")).collect(),
        "Memory" => ["limit", "request"].iter().map(|w| format!("{OWN}containers_say_memory_{w}")).collect(),
        "ShareHost" => ["ipc", "network", "pid"].iter().map(|w| format!("{OWN}pods_without_host_{w}")).collect(),
        _ => ours.collect(),
    };
    Mapped { documents: made, rules }
}

/// Checks of the control plane's components: their manifests may leave the namespace out.
fn is_component(check: &str) -> bool {
    ["ApiServer", "Etcd", "KubeController", "PeerClient", "RotateKubelet", "Scheduler"]
        .iter()
        .any(|s| check.starts_with(s))
}

/// Kinds that are in no namespace.
const OF_CLUSTER: &[&str] = &[
    "APIService",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
];

/// An object without a namespace lands in `default`, which one check is about; components are in kube-system.
fn placed(mut object: Value, check: &str) -> Value {
    let is_of_cluster = object["kind"].as_str().is_some_and(|k| OF_CLUSTER.contains(&k));
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        if is_component(check) {
            metadata.insert("namespace".to_owned(), "kube-system".into());
        } else if check == "DefaultNamespace" && !is_of_cluster {
            metadata.entry("namespace").or_insert_with(|| "default".into());
        }
    }
    object
}

/// A kubelet in a container's command, as checkov expects it.
fn kubelet(context: &Context, object: &Value) -> Option<Document> {
    let kind = object["kind"].as_str()?;
    let template = template(kind, object)?;
    let flags = raw(&template["spec"]).find_map(|c| {
        let argv: Vec<String> = texts(c, "/command").chain(texts(c, "/args")).map(ToOwned::to_owned).collect();
        flags_of("kubelet", &argv)
    })?;
    let settings = effective(&flags, flags.contains_key("config").then_some(&Value::Null));
    let value = json!({"roles": ["worker"], "kubelet": {"flags": flags, "effective": settings}});
    Some(document(context, "kubernetes.node", "node", value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checks_are_alphabetical() {
        assert!(CHECKS.iter().map(|(check, ..)| check).is_sorted());
    }

    #[test]
    fn a_kubelet_in_a_command_is_a_node() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "k"}, "spec": {"containers": [{"command": ["kubelet", "--read-only-port=10255"]}]}});
        let mapped = map(&json!({"check": "KubeletReadOnlyPort", "file": "x.yaml", "objects": [pod]}));
        assert_eq!(mapped.rules, ["kubernetes_kubelet_read_only_port_off"]);
        assert!(mapped.documents.iter().any(|d| d.kind == "kubernetes.node"));
    }
}
