//! Files that user data writes: what each says, by its place and its form.

use serde_json::Value;

use super::told::{Told, is_manifest};
use super::{documents, flags, kops, manifest, rancher};

/// A file as it is written.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Where; relative where a script had changed its directory.
    pub path: &'a str,
    /// What is in it.
    pub content: &'a str,
    /// Its mode, where that is said.
    pub mode: Option<u32>,
    /// Its owner, where that is said.
    pub owner: Option<&'a str>,
    /// Its group, where that is said.
    pub group: Option<&'a str>,
}

/// What a file says.
pub fn read(file: &File<'_>, told: &mut Told) {
    if let Some(mode) = file.mode.filter(|_| file.path.starts_with('/')) {
        told.file(file.path, mode, file.owner, file.group);
    }
    let name = file.path.rsplit('/').next().unwrap_or_default();
    match name {
        "daemon.json" => {
            if let Ok(config) = serde_json::from_str::<Value>(file.content) {
                told.docker(config);
            }
        }
        "kube_env.yaml" | "cluster_spec.yaml" => kops::read(file.content, told),
        _ if is_manifest(file.path) => {
            if let Some(argv) = manifest::argv(file.content) {
                told.static_pod(file.path, argv);
            }
        }
        _ if file.path.starts_with("/etc/rancher/") && name.ends_with(".yaml") => rancher::config(file.content, told),
        _ if name.ends_with(".service") || name.ends_with(".conf") || is_environment(file.path) => {
            unit(file.content, told)
        }
        _ => drop(documents::read(file.content, told)),
    }
}

/// Files that hold the kubelet's arguments in variables.
fn is_environment(path: &str) -> bool {
    ["/etc/default/kubelet", "/etc/sysconfig/kubelet", "/var/lib/kubelet/kubeadm-flags.env"].contains(&path)
}

/// A unit of systemd that starts a kubelet, or the variables of one.
pub fn unit(content: &str, told: &mut Told) {
    let whole = content.replace("\\\n", " ");
    for line in whole.lines().map(str::trim).filter(|l| !l.starts_with(['#', ';'])) {
        let value = line.split_once('=').map(|(name, value)| (name.trim(), value));
        match value {
            Some(("ExecStart", command)) => started(command, told),
            Some(("Environment", pair)) => {
                let pair = pair.trim_matches(['"', '\'']);
                if let Some((name, arguments)) = pair.split_once('=') {
                    variable(name, arguments, told);
                }
            }
            Some((name, arguments)) => variable(name, arguments, told),
            None => {}
        }
    }
}

/// `ExecStart`: the flags of a kubelet itself; variables in it may add others.
fn started(command: &str, told: &mut Told) {
    let words = shlex::split(command).unwrap_or_default();
    let at = words.iter().position(|w| w == "kubelet" || w.ends_with("/kubelet"));
    if let Some(at) = at {
        told.kubelet(flags::of_words(&words[at + 1..]));
    }
}

fn variable(name: &str, arguments: &str, told: &mut Told) {
    const NAMES: [&str; 4] = ["KUBELET_EXTRA_ARGS", "KUBELET_ARGS", "KUBELET_KUBEADM_ARGS", "KUBELET_CONFIG_ARGS"];
    if NAMES.contains(&name) {
        let arguments = arguments.trim_matches(['"', '\'']);
        told.kubelet(flags::of_text(arguments));
    }
}
