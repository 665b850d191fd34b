//! Bottlerocket's settings, which are TOML: those that are asked about, and its static pods.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::manifest;
use super::told::Told;

/// Settings that are the kubelet's own, by their names there.
const KUBELET: [(&str, &str); 7] = [
    ("event-qps", "eventRecordQPS"),
    ("hostname-override", "hostnameOverride"),
    ("pod-pids-limit", "podPidsLimit"),
    ("seccomp-default", "seccompDefault"),
    ("server-tls-bootstrap", "serverTLSBootstrap"),
    ("topology-manager-policy", "topologyManagerPolicy"),
    ("cpu-manager-policy", "cpuManagerPolicy"),
];
/// The settings that a `node` document tells of Bottlerocket.
const TOLD: [&str; 4] = ["kernel", "metrics", "ntp", "updates"];

/// What the settings say; false if these are none.
pub fn read(content: &str, told: &mut Told) -> bool {
    let Ok(all) = basic_toml::from_str::<Value>(content) else { return false };
    let Some(settings) = all.get("settings").filter(|s| s.is_object()) else { return false };
    let kubernetes = &settings["kubernetes"];
    let of = |(name, field): &(&str, &str)| Some(((*field).to_owned(), kubernetes.get(*name)?.clone()));
    told.kubelet_config(&Value::Object(KUBELET.iter().filter_map(of).collect()));
    let mut shown: Map<_, _> = TOLD.iter().filter_map(|n| Some(((*n).to_owned(), settings.get(*n)?.clone()))).collect();
    let chosen = ["authentication-mode", "server-tls-bootstrap"];
    let chosen: Map<_, _> =
        chosen.iter().filter_map(|n| Some(((*n).to_owned(), kubernetes.get(*n)?.clone()))).collect();
    if !chosen.is_empty() {
        shown.insert("kubernetes".to_owned(), chosen.into());
    }
    told.bottlerocket(&Value::Object(shown));
    for (name, pod) in kubernetes.get("static-pods").and_then(Value::as_object).into_iter().flatten() {
        let text = pod.get("manifest").and_then(Value::as_str).and_then(|m| STANDARD.decode(m).ok());
        if let Some(argv) = text.and_then(|t| manifest::argv(&String::from_utf8_lossy(&t))) {
            told.static_pod(&format!("/etc/kubernetes/static-pods/{name}"), argv);
        }
    }
    true
}
