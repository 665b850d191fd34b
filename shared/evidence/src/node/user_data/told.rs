//! What a node's user data says of it, as it is gathered: settings of its kubelet, of its control plane and of its
//! runtime, and its files. What is said twice and differently is not known, and what is not said stays out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::kubernetes::argv::flags_of;
use crate::kubernetes::kubelet;

/// Where static pods of the control plane are written.
const MANIFESTS: [&str; 3] =
    ["/etc/kubernetes/manifests/", "/var/lib/rancher/rke2/agent/pod-manifests/", "/etc/kubelet.d/"];

/// Everything that is said.
#[derive(Debug, Default)]
pub struct Told {
    kubelet_flags: Said,
    kubelet_config: Map<String, Value>,
    components: BTreeMap<String, Said>,
    files: Map<String, Value>,
    static_pods: BTreeMap<String, Vec<String>>,
    docker: Option<Value>,
    docker_flags: Said,
    bottlerocket: Map<String, Value>,
}

/// Values by name, without those that are said in two ways.
#[derive(Debug, Default)]
struct Said {
    values: BTreeMap<String, String>,
    disputed: BTreeSet<String>,
}

impl Said {
    fn add(&mut self, name: &str, value: &str) {
        if self.values.get(name).is_some_and(|v| v != value) {
            self.values.remove(name);
            self.disputed.insert(name.to_owned());
        }
        if !self.disputed.contains(name) {
            self.values.insert(name.to_owned(), value.to_owned());
        }
    }
}

impl Told {
    /// Flags of the kubelet. One with a variable of the shell in it says nothing.
    pub fn kubelet(&mut self, flags: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in flags.into_iter().filter(|(_, v)| !is_open(v)) {
            self.kubelet_flags.add(&name, &value);
        }
    }

    /// A part of the kubelet's configuration file; a later one lies over an earlier one.
    pub fn kubelet_config(&mut self, config: &Value) {
        over(&mut self.kubelet_config, config);
    }

    /// Flags of a component of the control plane, such as `kube-apiserver`, among others that are not said here.
    pub fn component(&mut self, program: &str, flags: impl IntoIterator<Item = (String, String)>) {
        let said = self.components.entry(program.to_owned()).or_default();
        for (name, value) in flags.into_iter().filter(|(_, v)| !is_open(v)) {
            said.add(&name, &reduced(&name, &value));
        }
    }

    /// The mode of a file, and its owner and group as far as they are said.
    pub fn file(&mut self, path: &str, mode: u32, owner: Option<&str>, group: Option<&str>) {
        let said = json!({"mode": mode, "owner": owner, "group": group, "kind": "file"});
        if self.files.get(path).is_some_and(|f| *f != said) {
            self.files.insert(path.to_owned(), Value::Null);
            return;
        }
        self.files.insert(path.to_owned(), said);
    }

    /// The whole command line of a static pod.
    pub fn static_pod(&mut self, path: &str, argv: Vec<String>) {
        if !argv.iter().any(|a| is_open(a)) {
            self.static_pods.insert(path.to_owned(), argv.iter().map(|a| reduced_argument(a)).collect());
        }
    }

    /// The whole of Docker's `daemon.json`.
    pub fn docker(&mut self, config: Value) {
        let same = self.docker.as_ref().is_none_or(|had| *had == config);
        self.docker = Some(if same { config } else { Value::Null });
    }

    /// Flags of Docker's daemon.
    pub fn docker_flags(&mut self, flags: impl IntoIterator<Item = (String, String)>) {
        flags.into_iter().filter(|(_, v)| !is_open(v)).for_each(|(name, value)| self.docker_flags.add(&name, &value));
    }

    /// Settings of Bottlerocket.
    pub fn bottlerocket(&mut self, settings: &Value) {
        over(&mut self.bottlerocket, settings);
    }

    /// The facts of a `node` document; none where nothing is said. `why` is why the rest is not known.
    #[must_use]
    pub fn facts(&self, why: &str) -> Option<Value> {
        let mut facts = Map::new();
        let config = (!self.kubelet_config.is_empty()).then(|| Value::Object(self.kubelet_config.clone()));
        let settings = kubelet::said(&self.kubelet_flags.values, config.as_ref());
        if settings.as_object().is_some_and(|s| !s.is_empty()) {
            facts.insert("kubelet".to_owned(), json!({"effective": settings}));
        }
        let files: Map<_, _> =
            self.files.iter().filter(|(_, f)| !f.is_null()).map(|(p, f)| (p.clone(), bare(f))).collect();
        if !files.is_empty() {
            facts.insert("files".to_owned(), files.into());
        }
        let pods = self.static_pods.iter().map(|(path, argv)| (path.clone(), json!({"argv": argv})));
        let pods: Map<_, _> = pods.collect();
        let said = self.said_of_components();
        if !pods.is_empty() {
            facts.insert("processes".to_owned(), pods.into());
        }
        if !said.is_empty() {
            facts.insert("kubernetes".to_owned(), json!({"said": said}));
        }
        if let Some(docker) = self.said_of_docker() {
            facts.insert("docker".to_owned(), docker);
        }
        if !self.bottlerocket.is_empty() {
            facts.insert("bottlerocket".to_owned(), json!({"here": true, "settings": self.bottlerocket}));
        }
        if facts.is_empty() {
            return None;
        }
        facts.insert("unread".to_owned(), unread(why));
        Some(Value::Object(facts))
    }

    fn said_of_docker(&self) -> Option<Value> {
        let mut docker = Map::new();
        if let Some(config) = self.docker.as_ref().filter(|c| !c.is_null()) {
            docker.insert("daemon".to_owned(), config.clone());
        }
        let flags = self.docker_flags.values.iter().map(|(name, value)| (name.clone(), json!([value])));
        let flags: Map<_, _> = flags.collect();
        if !flags.is_empty() {
            docker.insert("flags".to_owned(), flags.into());
        }
        (!docker.is_empty()).then(|| docker.into())
    }

    /// What is said of components of which no static pod says all.
    fn said_of_components(&self) -> Map<String, Value> {
        let whole = |program: &str| self.static_pods.values().any(|argv| flags_of(program, argv).is_some());
        let partial = self.components.iter().filter(|(program, s)| !s.values.is_empty() && !whole(program));
        partial.map(|(program, s)| (program.clone(), json!(s.values))).collect()
    }
}

/// Whether a file is a static pod of the control plane's.
#[must_use]
pub fn is_manifest(path: &str) -> bool {
    MANIFESTS.iter().any(|dir| path.starts_with(dir))
}

/// Why the parts of a `node` document are not known, by part.
fn unread(why: &str) -> Value {
    const PARTS: &[&str] = &[
        "accounts",
        "audit",
        "bottlerocket",
        "configs",
        "docker",
        "files",
        "groups",
        "guarded",
        "host",
        "kubelet",
        "kubernetes",
        "mining",
        "modules",
        "mounted",
        "mounts",
        "packages",
        "passwords",
        "processes",
        "settings",
        "sockets",
        "sshd",
        "strays",
        "sysctl",
        "systemd",
    ];
    PARTS.iter().map(|part| ((*part).to_owned(), why.into())).collect::<Map<_, _>>().into()
}

/// Whether a value is only known when the script runs.
fn is_open(value: &str) -> bool {
    value.contains(['$', '`']) || value.contains("{{")
}

/// Without members that are not said.
fn bare(file: &Value) -> Value {
    let members = file.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null());
    members.map(|(k, v)| (k.clone(), v.clone())).collect::<Map<_, _>>().into()
}

fn over(under: &mut Map<String, Value>, above: &Value) {
    for (name, value) in above.as_object().into_iter().flatten() {
        match (under.get_mut(name), value) {
            (Some(Value::Object(had)), Value::Object(_)) => over(had, value),
            _ => drop(under.insert(name.clone(), value.clone())),
        }
    }
}

/// A flag's value, without what may be a secret.
fn reduced(name: &str, value: &str) -> String {
    const SECRETIVE: &[&str] = &["token", "password", "passwd", "secret", "credential", "key"];
    let harmless = value.starts_with('/') || matches!(value, "true" | "false") || value.parse::<i64>().is_ok();
    let names_it = SECRETIVE.iter().any(|s| name.ends_with(s) || name.contains(&format!("{s}-")));
    if names_it && !harmless { "reduced".to_owned() } else { value.to_owned() }
}

fn reduced_argument(argument: &str) -> String {
    let Some((name, value)) = argument.split_once('=') else { return argument.to_owned() };
    format!("{name}={}", reduced(name.trim_start_matches('-'), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn only_what_is_said_is_known_and_the_rest_has_its_reason() {
        let mut told = Told::default();
        assert_eq!(told.facts("not reached"), None);
        told.kubelet(pairs(&[("read-only-port", "0"), ("node-labels", "a=b")]));
        let facts = told.facts("not reached").unwrap();
        assert_eq!(facts["kubelet"]["effective"], json!({"read_only_port": 0}));
        assert_eq!(facts["unread"]["sshd"], "not reached");
        assert!(facts.get("files").is_none() && facts.get("processes").is_none());
    }

    #[test]
    fn what_is_said_in_two_ways_or_by_a_variable_is_not_known() {
        let mut told = Told::default();
        told.kubelet(pairs(&[("read-only-port", "0"), ("anonymous-auth", "$ANON"), ("event-qps", "5")]));
        told.kubelet(pairs(&[("read-only-port", "10255")]));
        told.kubelet(pairs(&[("read-only-port", "0")]));
        told.file("/etc/a", 0o600, None, None);
        told.file("/etc/a", 0o644, None, None);
        let facts = told.facts("").unwrap();
        assert_eq!(facts["kubelet"]["effective"], json!({"event_qps": 5}));
        assert!(facts.get("files").is_none());
    }

    #[test]
    fn secrets_of_command_lines_stay_where_they_are() {
        let mut told = Told::default();
        told.component("kube-apiserver", pairs(&[("anonymous-auth", "false"), ("oidc-client-secret", "hunter2")]));
        told.static_pod(
            "/etc/kubernetes/manifests/etcd.yaml",
            vec!["etcd".into(), "--initial-cluster-token=s3cr3t".into()],
        );
        let facts = told.facts("").unwrap().to_string();
        assert!(!facts.contains("hunter2") && !facts.contains("s3cr3t"), "{facts}");
    }
}
