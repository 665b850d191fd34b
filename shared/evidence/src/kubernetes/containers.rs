//! What a container may do, with what it inherits from its pod and from Kubernetes' defaults. Init and ephemeral
//! containers count as the others do; an unset field has its default's meaning.

use picket_checks::miners;
use serde_json::{Value, json};

use super::identity::{registry, tag};
use super::objects::{is_true, list, text, texts};

/// The lists of a pod's containers and what each is called.
const LISTS: &[(&str, &str)] =
    &[("containers", "container"), ("initContainers", "init"), ("ephemeralContainers", "ephemeral")];

/// Which system calls a container is kept from when nobody says: none (kubelets with `seccompDefault` are seen apart).
const NO_SECCOMP: &str = "Unconfined";

/// All containers of a pod's specification, as facts.
#[must_use]
pub fn containers(spec: &Value, annotations: &Value) -> Vec<Value> {
    let of = |(field, role): &(&str, &str)| {
        let found = spec.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        found.iter().map(|c| facts(spec, annotations, c, role)).collect::<Vec<_>>()
    };
    LISTS.iter().flat_map(of).collect()
}

/// Every container of a pod's specification, raw.
pub fn raw(spec: &Value) -> impl Iterator<Item = &Value> {
    LISTS.iter().flat_map(|(field, _)| spec.get(field).and_then(Value::as_array).into_iter().flatten())
}

fn facts(spec: &Value, annotations: &Value, container: &Value, role: &str) -> Value {
    let pod = &spec["securityContext"];
    let own = &container["securityContext"];
    let image = text(container, "/image");
    let windows = text(spec, "/os/name") == "windows";
    json!({
        "name": text(container, "/name"),
        "role": role,
        "image": image,
        "registry": registry(image),
        "tag": tag(image).unwrap_or(""),
        "digest": image.contains('@'),
        "pull_policy": text(container, "/imagePullPolicy"),
        "privileged": is_true(own, "/privileged"),
        "allow_privilege_escalation": escalates(own),
        "may_run_as_root": !windows && may_run_as_root(pod, own),
        "run_as_user": user_of(pod, own),
        "host_process": host_process(pod, own),
        "windows_user": inherited(pod, own, "/windowsOptions/runAsUserName").and_then(Value::as_str).unwrap_or(""),
        "read_only_root": is_true(own, "/readOnlyRootFilesystem"),
        "proc_mount": own.get("procMount").and_then(Value::as_str).unwrap_or("Default"),
        "added": capabilities(own, "/capabilities/add"),
        "dropped": capabilities(own, "/capabilities/drop"),
        "has_net_raw": is_true(own, "/privileged") || has_net_raw(own),
        "seccomp": seccomp(pod, own, annotations, text(container, "/name")),
        "selinux": inherited(pod, own, "/seLinuxOptions").is_some_and(|o| o.is_object()),
        "has_security_context": is_set(own),
        "host_ports": host_ports(spec, container),
        "secret_env": secret_env(container),
        "miner": miner_marks(container),
        "pool_ports": pool_ports(container),
        "has_liveness": container.get("livenessProbe").is_some_and(|p| !p.is_null()),
        "has_readiness": container.get("readinessProbe").is_some_and(|p| !p.is_null()),
        "limits": limits(container),
    })
}

/// A container's field, else its pod's.
fn inherited<'a>(pod: &'a Value, own: &'a Value, pointer: &str) -> Option<&'a Value> {
    own.pointer(pointer).filter(|v| !v.is_null()).or_else(|| pod.pointer(pointer)).filter(|v| !v.is_null())
}

fn is_set(context: &Value) -> bool {
    context.as_object().is_some_and(|o| !o.is_empty())
}

/// Unset is true; privileged and `CAP_SYS_ADMIN` containers escalate whatever the field says.
fn escalates(own: &Value) -> bool {
    let said = own.get("allowPrivilegeEscalation").and_then(Value::as_bool).unwrap_or(true);
    let admin = texts(own, "/capabilities/add").any(|c| c == "SYS_ADMIN" || c == "CAP_SYS_ADMIN");
    said || is_true(own, "/privileged") || admin
}

fn user_of(pod: &Value, own: &Value) -> Value {
    inherited(pod, own, "/runAsUser").cloned().unwrap_or(Value::Null)
}

/// Whether nothing keeps a container from running as root. `runAsUser: 0` beats a `runAsNonRoot` that would refuse it.
fn may_run_as_root(pod: &Value, own: &Value) -> bool {
    match inherited(pod, own, "/runAsUser").and_then(Value::as_i64) {
        Some(0) => true,
        Some(_) => false,
        None => !inherited(pod, own, "/runAsNonRoot").and_then(Value::as_bool).unwrap_or(false),
    }
}

fn host_process(pod: &Value, own: &Value) -> bool {
    inherited(pod, own, "/windowsOptions/hostProcess").and_then(Value::as_bool).unwrap_or(false)
}

fn capabilities(own: &Value, pointer: &str) -> Vec<String> {
    texts(own, pointer).map(|c| c.to_uppercase().trim_start_matches("CAP_").to_owned()).collect()
}

/// The runtime's default set holds `NET_RAW`; dropping it or everything takes it, adding it puts it back.
fn has_net_raw(own: &Value) -> bool {
    let holds = |pointer: &str| capabilities(own, pointer).iter().any(|c| c == "ALL" || c == "NET_RAW");
    holds("/capabilities/add") || !holds("/capabilities/drop")
}

fn seccomp(pod: &Value, own: &Value, annotations: &Value, name: &str) -> String {
    if let Some(set) = inherited(pod, own, "/seccompProfile/type").and_then(Value::as_str) {
        return set.to_owned();
    }
    let key = format!("container.seccomp.security.alpha.kubernetes.io/{name}");
    let old = annotations.get(&key).or_else(|| annotations.get("seccomp.security.alpha.kubernetes.io/pod"));
    match old.and_then(Value::as_str) {
        Some("runtime/default" | "docker/default") => "RuntimeDefault".to_owned(),
        Some(local) if local.starts_with("localhost/") => "Localhost".to_owned(),
        _ => NO_SECCOMP.to_owned(),
    }
}

/// With the host's network, each container port is a port of the host.
fn host_ports(spec: &Value, container: &Value) -> Vec<i64> {
    let on_host = is_true(spec, "/hostNetwork");
    let port = |p: &Value| {
        let own = p.get("hostPort").and_then(Value::as_i64).filter(|p| *p != 0);
        own.or_else(|| p.get("containerPort").filter(|_| on_host).and_then(Value::as_i64))
    };
    list(container, "/ports").iter().filter_map(port).collect()
}

/// The names of variables that hold a secret; `*` for a whole secret.
fn secret_env(container: &Value) -> Vec<String> {
    let one = list(container, "/env").iter().filter(|e| e.pointer("/valueFrom/secretKeyRef").is_some());
    let whole = list(container, "/envFrom").iter().filter(|e| e.get("secretRef").is_some_and(|r| !r.is_null()));
    let named = one.map(|e| text(e, "/name").to_owned());
    named.chain(whole.map(|e| format!("* of {}", text(e, "/secretRef/name")))).collect()
}

/// The marks of miners in the image's name, the command and the variables. Only the marks are kept: arguments and
/// variables may hold secrets.
fn miner_marks(container: &Value) -> Vec<String> {
    let variables = list(container, "/env").iter().map(|e| text(e, "/value"));
    let words = texts(container, "/command").chain(texts(container, "/args")).chain(variables);
    let all: Vec<&str> = std::iter::once(text(container, "/image")).chain(words).collect();
    miners::find(&all.join(" ")).into_iter().map(|m| format!("{}: {}", m.name, m.found)).collect()
}

/// Ports that mining pools listen on and hardly anything else does.
const POOL_PORTS: &[&str] = &["3333", "4444", "5555", "7777", "9999", "14433", "14444", "45560", "45700"];

/// Addresses among the arguments that end in a pool's port, by the port alone.
fn pool_ports(container: &Value) -> Vec<String> {
    let words = texts(container, "/command").chain(texts(container, "/args")).flat_map(str::split_whitespace);
    let port = |w: &str| {
        let (host, port) = w.rsplit_once(':')?;
        let is_host = host.contains('.') && host.chars().all(|c| c.is_ascii_alphanumeric() || "./:@_-+=".contains(c));
        (is_host && POOL_PORTS.contains(&port)).then(|| port.to_owned())
    };
    let mut found: Vec<String> = words.filter_map(port).collect();
    found.sort();
    found.dedup();
    found
}

fn limits(container: &Value) -> Value {
    let has = |pointer: &str| container.pointer(pointer).is_some_and(|v| !v.is_null());
    json!({
        "cpu_limit": has("/resources/limits/cpu"),
        "cpu_request": has("/resources/requests/cpu"),
        "memory_limit": has("/resources/limits/memory"),
        "memory_request": has("/resources/requests/memory"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(container: Value) -> Value {
        containers(&json!({"containers": [container]}), &Value::Null).remove(0)
    }

    #[test]
    fn an_unset_field_has_its_defaults_meaning() {
        let facts = one(json!({"name": "a", "image": "nginx"}));
        assert_eq!(facts["allow_privilege_escalation"], true);
        assert_eq!(facts["privileged"], false);
        assert_eq!(facts["may_run_as_root"], true);
        assert_eq!(facts["has_net_raw"], true);
        assert_eq!(facts["seccomp"], "Unconfined");
        assert_eq!(facts["has_security_context"], false);
    }

    #[test]
    fn init_and_ephemeral_containers_count() {
        let bad = json!([{"name": "x", "securityContext": {"privileged": true}}]);
        let spec = json!({"containers": [{"name": "a"}], "initContainers": bad, "ephemeralContainers": bad});
        let all = containers(&spec, &Value::Null);
        let roles: Vec<_> = all.iter().map(|c| (c["role"].as_str().unwrap_or(""), c["privileged"] == true)).collect();
        assert_eq!(roles, [("container", false), ("init", true), ("ephemeral", true)]);
    }

    #[test]
    fn a_privileged_container_escalates_whatever_the_field_says() {
        let said = json!({"privileged": true, "allowPrivilegeEscalation": false});
        assert_eq!(one(json!({"securityContext": said}))["allow_privilege_escalation"], true);
        let admin = json!({"allowPrivilegeEscalation": false, "capabilities": {"add": ["CAP_SYS_ADMIN"]}});
        assert_eq!(one(json!({"securityContext": admin}))["allow_privilege_escalation"], true);
    }

    #[test]
    fn a_container_beats_its_pod() {
        let spec = json!({
            "securityContext": {"runAsNonRoot": true, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {"name": "kept"},
                {"name": "own", "securityContext": {"runAsUser": 0, "seccompProfile": {"type": "Unconfined"}}},
            ],
        });
        let all = containers(&spec, &Value::Null);
        assert_eq!((&all[0]["may_run_as_root"], &all[0]["seccomp"]), (&json!(false), &json!("RuntimeDefault")));
        assert_eq!((&all[1]["may_run_as_root"], &all[1]["seccomp"]), (&json!(true), &json!("Unconfined")));
    }

    #[test]
    fn old_seccomp_annotations_still_count() {
        let annotations = json!({"seccomp.security.alpha.kubernetes.io/pod": "runtime/default"});
        let all = containers(&json!({"containers": [{"name": "a"}]}), &annotations);
        assert_eq!(all[0]["seccomp"], "RuntimeDefault");
    }

    #[test]
    fn secrets_in_variables_are_found_by_name_never_by_value() {
        let facts = one(json!({
            "env": [{"name": "PLAIN", "value": "x"}, {"name": "PW", "valueFrom": {"secretKeyRef": {"name": "s"}}}],
            "envFrom": [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "all"}}],
        }));
        assert_eq!(facts["secret_env"], json!(["PW", "* of all"]));
    }

    #[test]
    fn ports_on_the_hosts_network_are_ports_of_the_host() {
        let spec = json!({"hostNetwork": true, "containers": [{"ports": [{"containerPort": 80}]}]});
        assert_eq!(containers(&spec, &Value::Null)[0]["host_ports"], json!([80]));
        assert_eq!(one(json!({"ports": [{"containerPort": 80}, {"hostPort": 8080}]}))["host_ports"], json!([8080]));
    }

    #[test]
    fn a_miner_is_known_by_its_image_its_arguments_or_its_variables() {
        for container in [
            json!({"image": "attacker/xmrig:latest"}),
            json!({"image": "alpine", "args": ["-o", "stratum+tcp://pool.example:3333"]}),
            json!({"image": "alpine", "env": [{"name": "POOL", "value": "pool.supportxmr.com"}]}),
        ] {
            assert_ne!(one(container.clone())["miner"], json!([]), "{container}");
        }
        assert_eq!(one(json!({"image": "nginx", "args": ["-g", "daemon off;"]}))["miner"], json!([]));
    }

    #[test]
    fn an_address_with_a_pools_port_is_seen_and_others_are_not() {
        let ports = |args: Value| one(json!({"args": args}))["pool_ports"].clone();
        assert_eq!(ports(json!(["-o", "203.0.113.7:3333", "--url=pool.example.org:14444"])), json!(["14444", "3333"]));
        assert_eq!(ports(json!(["--listen=:3333", "app:3333", "db.svc:5432"])), json!([]));
    }

    #[test]
    fn net_raw_goes_with_a_drop_and_comes_back_with_an_add() {
        let with = |c: Value| one(json!({"securityContext": {"capabilities": c}}))["has_net_raw"].clone();
        assert_eq!(with(json!({"drop": ["ALL"]})), false);
        assert_eq!(with(json!({"drop": ["net_raw"]})), false);
        assert_eq!(with(json!({"drop": ["ALL"], "add": ["NET_RAW"]})), true);
        assert_eq!(with(json!({"drop": ["MKNOD"]})), true);
    }
}
