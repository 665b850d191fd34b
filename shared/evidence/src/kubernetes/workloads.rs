//! `kubernetes.workload`: what somebody made that runs pods, with everything that its template and its pods may do.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::containers::{containers, raw};
use super::documents::Context;
use super::identity::{campaigns, expected_daemon_set, is_mirror, is_system, part_of_platform, poses_as};
use super::objects::{Objects, is_true, list, name, namespace, text};
use super::pods::{Owner, Workload, workloads};
use picket_model::Document;

/// CSI drivers that bring secrets from an external store.
const SECRET_STORES: &[&str] = &["secrets-store.csi.k8s.io"];
/// Files of a cloud's credentials on a node.
const CREDENTIAL_PATHS: &[&str] = &["/.aws/credentials", "/root/.aws", "/.config/gcloud", "/etc/kubernetes/azure.json"];

/// One document a workload.
#[must_use]
pub fn documents(context: &Context, objects: &Objects) -> Vec<Document> {
    let accounts = accounts(objects);
    let of = |((space, kind, name), workload): (Owner, Workload<'_>)| {
        let facts = facts(context, &space, &kind, &name, &workload, &accounts);
        context.document("kubernetes.workload", &[&space, &kind, &name], facts, "kubernetes:list pods and workloads")
    };
    workloads(objects).into_iter().map(of).collect()
}

/// Whether each service account's token is mounted when a pod does not say.
fn accounts(objects: &Objects) -> BTreeMap<(String, String), bool> {
    let of = |a: &Value| {
        let mounts = a.get("automountServiceAccountToken").and_then(Value::as_bool).unwrap_or(true);
        ((namespace(a).to_owned(), name(a).to_owned()), mounts)
    };
    objects.list("ServiceAccount").iter().map(of).collect()
}

fn facts(
    context: &Context,
    space: &str,
    kind: &str,
    name: &str,
    workload: &Workload<'_>,
    accounts: &BTreeMap<(String, String), bool>,
) -> Value {
    let specs: Vec<&Value> = workload.templates.iter().map(|t| &t["spec"]).collect();
    let any = |pointer: &str| specs.iter().any(|s| is_true(s, pointer));
    let images: Vec<&str> = specs.iter().flat_map(|s| raw(s)).map(|c| text(c, "/image")).collect();
    let first = specs.first().copied().unwrap_or(&Value::Null);
    let account = account_of(first);
    let mut facts = json!({
        "cluster": context.cluster,
        "namespace": space,
        "kind": kind,
        "name": name,
        "system": is_system(space),
        "mirror": is_mirror(workload.object),
        "pods": workload.pods,
        "host_pid": any("/hostPID"),
        "host_ipc": any("/hostIPC"),
        "host_network": any("/hostNetwork"),
        "host_users": specs.iter().any(|s| s.get("hostUsers").and_then(Value::as_bool).unwrap_or(true)),
        "service_account": account,
        "default_account": account == "default",
        "token_mounted": mounts_token(space, first, accounts),
        "host_paths": volumes(&specs, "/hostPath/path"),
        "reads_cloud_credentials": reads_credentials(&specs),
        "secret_volumes": volumes(&specs, "/secret/secretName"),
        "secret_stores": volumes(&specs, "/csi/driver").iter().filter(|d| SECRET_STORES.contains(&d.as_str())).collect::<Vec<_>>(),
        "campaigns": campaigns(space, name, &images),
        "poses_as": poses_as(space, kind, name, &images).unwrap_or(""),
        "docker_socket": mounts_docker(&specs),
        "os": text(first, "/os/name"),
        "has_security_context": has_context(first),
        "pod": pod_context(first),
    });
    // What is no specification at all says nothing about containers.
    if let (true, Some(map)) = (first.is_object(), facts.as_object_mut()) {
        map.insert("containers".to_owned(), unique_containers(workload).into());
    }
    let part = part_of_platform(space, kind, name, &images);
    if let (true, Some(map)) = (kind == "DaemonSet" && first.is_object(), facts.as_object_mut()) {
        let agent = expected_daemon_set(space, name, &images);
        map.insert("expected".to_owned(), (part.is_some() || agent.is_some()).into());
    }
    if let (Some(reason), Some(map)) = (part, facts.as_object_mut()) {
        map.insert("part_of_platform".to_owned(), reason.into());
    }
    facts
}

/// The containers of the template, and those that only pods have (injected sidecars, ephemeral ones), each once.
fn unique_containers(workload: &Workload<'_>) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for template in &workload.templates {
        for container in containers(&template["spec"], &template["metadata"]["annotations"]) {
            if !all.contains(&container) {
                all.push(container);
            }
        }
    }
    all
}

/// `serviceAccount` is the old name of the field; neither means the namespace's default account.
fn account_of(spec: &Value) -> &str {
    let named = [text(spec, "/serviceAccountName"), text(spec, "/serviceAccount")];
    named.into_iter().find(|n| !n.is_empty()).unwrap_or("default")
}

/// The pod decides, else its account, else the default: yes.
fn mounts_token(space: &str, spec: &Value, accounts: &BTreeMap<(String, String), bool>) -> bool {
    let account = (space.to_owned(), account_of(spec).to_owned());
    let by_account = accounts.get(&account).copied().unwrap_or(true);
    spec.get("automountServiceAccountToken").and_then(Value::as_bool).unwrap_or(by_account)
}

fn volumes(specs: &[&Value], pointer: &str) -> Vec<String> {
    let mut found: Vec<String> = specs
        .iter()
        .flat_map(|s| list(s, "/volumes"))
        .map(|v| text(v, pointer).to_owned())
        .filter(|p| !p.is_empty())
        .collect();
    found.sort();
    found.dedup();
    found
}

fn reads_credentials(specs: &[&Value]) -> bool {
    volumes(specs, "/hostPath/path").iter().any(|p| CREDENTIAL_PATHS.iter().any(|c| p.contains(c)))
}

fn mounts_docker(specs: &[&Value]) -> bool {
    const SOCKETS: &[&str] =
        &["/run/containerd/containerd.sock", "/run/docker.sock", "/var/run/crio/crio.sock", "/var/run/docker.sock"];
    volumes(specs, "/hostPath/path").iter().any(|p| SOCKETS.contains(&p.trim_end_matches('/')))
}

fn has_context(spec: &Value) -> bool {
    let set = |v: &Value| v.get("securityContext").and_then(Value::as_object).is_some_and(|o| !o.is_empty());
    set(spec) || (raw(spec).next().is_some() && raw(spec).all(set))
}

fn pod_context(spec: &Value) -> Value {
    let context = &spec["securityContext"];
    let sysctls: Vec<_> = list(context, "/sysctls").iter().map(|s| text(s, "/name").to_owned()).collect();
    json!({
        "fs_group": context.get("fsGroup").cloned().unwrap_or(Value::Null),
        "fs_group_change_policy": text(context, "/fsGroupChangePolicy"),
        "supplemental_groups": list(context, "/supplementalGroups"),
        "sysctls": sysctls,
        "unsafe_sysctls": sysctls.iter().filter(|s| !SAFE_SYSCTLS.contains(&s.as_str())).collect::<Vec<_>>(),
    })
}

/// The sysctls that Kubernetes calls safe: they change nothing outside their pod.
const SAFE_SYSCTLS: &[&str] = &[
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test: what is missing fails it")]
    use super::super::documents::tests::{context, facts_of};
    use super::*;

    fn pod(spec: Value) -> Value {
        json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "a"}, "spec": spec})
    }

    fn facts(objects: Vec<Value>) -> Value {
        facts_of(&documents(&context(), &Objects::of(objects)).remove(0))
    }

    #[test]
    fn a_token_is_mounted_unless_the_pod_or_its_account_says_no() {
        let account = |automount: Value| {
            json!({"kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "a"},
                "automountServiceAccountToken": automount})
        };
        let mounted = |pod_says: Value, account_says: Value| {
            let spec = json!({"automountServiceAccountToken": pod_says, "containers": []});
            facts(vec![pod(spec), account(account_says)])["token_mounted"].clone()
        };
        assert_eq!(mounted(Value::Null, Value::Null), true);
        assert_eq!(mounted(Value::Null, json!(false)), false);
        assert_eq!(mounted(json!(true), json!(false)), true);
        assert_eq!(mounted(json!(false), json!(true)), false);
    }

    #[test]
    fn what_only_a_pod_has_counts_for_its_workload() {
        let template = json!({"spec": {"containers": [{"name": "web", "image": "nginx"}]}});
        let set = json!({"kind": "ReplicaSet", "metadata": {"name": "web", "namespace": "a"}, "spec": {"template": template}});
        let mut running = pod(json!({
            "containers": [{"name": "web", "image": "nginx"}],
            "ephemeralContainers": [{"name": "debug", "securityContext": {"privileged": true}}],
            "hostPID": true,
        }));
        running["metadata"]["ownerReferences"] = json!([{"kind": "ReplicaSet", "name": "web", "controller": true}]);
        let facts = facts(vec![set, running]);
        assert_eq!(facts["host_pid"], true);
        let names: Vec<_> = facts["containers"].as_array().unwrap().iter().map(|c| c["name"].clone()).collect();
        assert_eq!(names, ["web", "debug"]);
    }

    #[test]
    fn a_daemon_set_that_nobody_knows_is_not_expected_and_other_workloads_are_not_asked() {
        let of = |kind: &str, own: &str, image: &str| {
            let template = json!({"spec": {"containers": [{"image": image}]}});
            facts(vec![json!({"kind": kind, "metadata": {"name": own, "namespace": "kube-system"},
                "spec": {"template": template}})])
        };
        assert_eq!(of("DaemonSet", "kube-proxy", "registry.k8s.io/kube-proxy:v1.34.0")["expected"], true);
        let left = of("DaemonSet", "proxy-api", "pauseyyf/pause:latest");
        assert_eq!((&left["expected"], left["campaigns"].as_array().unwrap().len()), (&json!(false), 1));
        assert!(of("Deployment", "web", "nginx").get("expected").is_none());
    }

    #[test]
    fn the_platforms_own_parts_say_why_they_are_exempt() {
        let spec = json!({"hostNetwork": true, "containers": [{"image": "registry.k8s.io/kube-proxy:v1.34.0"}]});
        let set = |space: &str| {
            json!({"kind": "DaemonSet", "metadata": {"name": "kube-proxy", "namespace": space},
                "spec": {"template": {"spec": spec}}})
        };
        assert!(facts(vec![set("kube-system")])["part_of_platform"].as_str().unwrap().contains("platform"));
        assert!(facts(vec![set("default")]).get("part_of_platform").is_none());
    }
}
