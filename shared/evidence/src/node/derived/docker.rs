//! Docker's daemon: what its command line sets of all that rules ask about, where the files of its TLS are and how they are
//! guarded, and which of its places are there.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::kubernetes::objects::{text, texts};

/// Flags with a value.
const WORDS: [&str; 15] = [
    "authorization-plugin",
    "cgroup-parent",
    "config-file",
    "default-ulimit",
    "host",
    "insecure-registry",
    "log-driver",
    "log-level",
    "seccomp-profile",
    "storage-driver",
    "storage-opt",
    "tlscacert",
    "tlscert",
    "tlskey",
    "userns-remap",
];
/// Flags that are on or off.
const SWITCHES: [&str; 8] =
    ["experimental", "icc", "iptables", "live-restore", "no-new-privileges", "tls", "tlsverify", "userland-proxy"];
/// What is to be audited.
const PATHS: [&str; 20] = [
    "/etc/containerd/config.toml",
    "/etc/default/docker",
    "/etc/docker",
    "/etc/docker/daemon.json",
    "/etc/sysconfig/docker",
    "/etc/systemd/system/docker.service",
    "/etc/systemd/system/docker.socket",
    "/lib/systemd/system/docker.service",
    "/lib/systemd/system/docker.socket",
    "/run/containerd",
    "/run/containerd/containerd.sock",
    "/usr/bin/containerd",
    "/usr/bin/containerd-shim",
    "/usr/bin/containerd-shim-runc-v1",
    "/usr/bin/containerd-shim-runc-v2",
    "/usr/bin/dockerd",
    "/usr/bin/runc",
    "/usr/lib/systemd/system/docker.service",
    "/usr/lib/systemd/system/docker.socket",
    "/var/lib/docker",
];

/// `flags` and `tls` of a daemon that runs, and `paths` of one that is installed.
pub fn facts(all: &Value) -> Map<String, Value> {
    let mut more = Map::new();
    if all.pointer("/docker/installed") != Some(&Value::Bool(true)) {
        return more;
    }
    if let Some(files) = all.get("files").and_then(Value::as_object) {
        let is_there = |path: &str| files.get(path).is_some_and(|f| f.get("exists") != Some(&Value::Bool(false)));
        let paths = PATHS.iter().filter(|p| files.contains_key(**p)).map(|p| ((*p).to_owned(), is_there(p).into()));
        more.insert("paths".to_owned(), paths.collect::<Map<_, _>>().into());
    }
    // What a daemon that does not run would be told is not known.
    if let Some(process) = all.get("processes").and_then(|p| p.get(text(all, "/docker/pid"))) {
        let flags = flags(&texts(process, "/argv").collect::<Vec<_>>());
        more.insert("tls".to_owned(), tls(all, &flags));
        more.insert("flags".to_owned(), json!(flags));
    }
    more
}

/// The flags that are asked about, each with all its values.
fn flags(argv: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut left = argv.iter().skip(1).copied();
    while let Some(word) = left.next() {
        let Some((name, given)) = option(word) else { continue };
        let is_off = |v: &str| ["0", "f", "false"].contains(&v.to_lowercase().as_str());
        let value = if SWITCHES.contains(&name) {
            Some(if given.is_some_and(is_off) { "false" } else { "true" })
        } else if WORDS.contains(&name) {
            given.or_else(|| left.next())
        } else {
            None
        };
        if let Some(value) = value {
            found.entry(name.to_owned()).or_default().push(value.chars().take(300).collect());
        }
    }
    found
}

/// An option's name, and its value where it is in the same word.
fn option(word: &str) -> Option<(&str, Option<&str>)> {
    if let Some(name) = word.strip_prefix("--") {
        return Some(name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value))));
    }
    let short = word.strip_prefix('-')?;
    let name = match short.chars().next()? {
        'H' => "host",
        'l' => "log-level",
        's' => "storage-driver",
        _ => return None,
    };
    let value = short.get(1..).map(|v| v.trim_start_matches('=')).filter(|v| !v.is_empty());
    Some((name, value))
}

/// The files of the daemon's TLS, by its command line or its configuration: `ca`, `cert` and `key`.
fn tls(all: &Value, flags: &BTreeMap<String, Vec<String>>) -> Value {
    let daemon = &all["docker"]["daemon"];
    let verifies = flags.get("tlsverify").is_some_and(|v| v.iter().any(|v| v == "true")) || daemon["tlsverify"] == true;
    let mut found = Map::new();
    for (part, name) in [("ca", "tlscacert"), ("cert", "tlscert"), ("key", "tlskey")] {
        let by_flag = flags.get(name).and_then(|v| v.last()).map(String::as_str);
        let named = by_flag.or_else(|| daemon.get(name).and_then(Value::as_str)).map(ToOwned::to_owned);
        let Some(path) = named.or_else(|| verifies.then(|| format!("/root/.docker/{part}.pem"))) else { continue };
        let mut file = json!({"path": path});
        for member in ["mode", "owner", "group"] {
            if let Some(value) = all["files"].get(&path).and_then(|f| f.get(member)) {
                file[member] = value.clone();
            }
        }
        found.insert(part.to_owned(), file);
    }
    Value::Object(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_tells_what_its_command_line_sets_and_how_its_keys_are_guarded() {
        let argv = json!([
            "/usr/bin/dockerd",
            "-H",
            "fd://",
            "-Htcp://0.0.0.0:2376",
            "--icc=false",
            "--tlsverify",
            "--label",
            "reduced",
            "--log-level",
            "warn"
        ]);
        let all = json!({
            "docker": {"installed": true, "pid": "50", "daemon": {"tlscacert": "/etc/docker/ca.pem"}},
            "processes": {"50": {"argv": argv}},
            "files": {"/etc/docker/ca.pem": {"mode": 0o444, "owner": "root", "group": "root"}, "/usr/bin/runc": {"mode": 0o755}, "/usr/bin/dockerd": {"exists": false}},
        });
        let made = facts(&all);
        let expected = json!({"host": ["fd://", "tcp://0.0.0.0:2376"], "icc": ["false"], "tlsverify": ["true"], "log-level": ["warn"]});
        assert_eq!(made["flags"], expected);
        assert_eq!(
            made["tls"]["ca"],
            json!({"path": "/etc/docker/ca.pem", "mode": 0o444, "owner": "root", "group": "root"})
        );
        assert_eq!(made["tls"]["key"], json!({"path": "/root/.docker/key.pem"}));
        assert_eq!(made["paths"], json!({"/usr/bin/dockerd": false, "/usr/bin/runc": true}));
    }

    #[test]
    fn a_daemon_that_does_not_run_is_not_said_to_be_at_its_defaults() {
        let made = facts(&json!({"docker": {"installed": true}, "files": {}, "processes": {"1": {"argv": ["init"]}}}));
        assert!(!made.contains_key("flags") && !made.contains_key("tls"));
        assert!(facts(&json!({"docker": {"installed": false}, "files": {}})).is_empty());
    }
}
