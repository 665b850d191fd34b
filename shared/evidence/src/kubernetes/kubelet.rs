//! What a kubelet does: the command line beats the configuration file, which beats the default. Defaults differ: with a
//! configuration file they are those of its format, without one those of the old flags, which are open.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// How a setting is read from a flag's text.
#[derive(Debug, Clone, Copy)]
enum Form {
    Bool,
    Int,
    List,
    Text,
}

/// A setting: its name in documents, its flag, where it is in the file, and its form.
struct Setting {
    name: &'static str,
    flag: &'static str,
    at: &'static str,
    form: Form,
}

const fn setting(name: &'static str, flag: &'static str, at: &'static str, form: Form) -> Setting {
    Setting { name, flag, at, form }
}

/// The settings that rules ask about, alphabetical.
const SETTINGS: &[Setting] = &[
    setting("anonymous_auth", "anonymous-auth", "/authentication/anonymous/enabled", Form::Bool),
    setting("authorization_mode", "authorization-mode", "/authorization/mode", Form::Text),
    setting("client_ca_file", "client-ca-file", "/authentication/x509/clientCAFile", Form::Text),
    setting("event_qps", "event-qps", "/eventRecordQPS", Form::Int),
    setting("hostname_override", "hostname-override", "/hostnameOverride", Form::Text),
    setting("make_iptables_util_chains", "make-iptables-util-chains", "/makeIPTablesUtilChains", Form::Bool),
    setting("pod_pids_limit", "pod-max-pids", "/podPidsLimit", Form::Int),
    setting("protect_kernel_defaults", "protect-kernel-defaults", "/protectKernelDefaults", Form::Bool),
    setting("read_only_port", "read-only-port", "/readOnlyPort", Form::Int),
    setting("rotate_certificates", "rotate-certificates", "/rotateCertificates", Form::Bool),
    setting("rotate_server_certificates", "rotate-server-certificates", "/serverTLSBootstrap", Form::Bool),
    setting("seccomp_default", "seccomp-default", "/seccompDefault", Form::Bool),
    setting(
        "streaming_idle_timeout",
        "streaming-connection-idle-timeout",
        "/streamingConnectionIdleTimeout",
        Form::Text,
    ),
    setting("tls_cert_file", "tls-cert-file", "/tlsCertFile", Form::Text),
    setting("tls_cipher_suites", "tls-cipher-suites", "/tlsCipherSuites", Form::List),
    setting("tls_min_version", "tls-min-version", "/tlsMinVersion", Form::Text),
    setting("tls_private_key_file", "tls-private-key-file", "/tlsPrivateKeyFile", Form::Text),
];

/// What holds when neither flag nor file says it.
fn defaults(has_file: bool) -> Value {
    json!({
        "anonymous_auth": !has_file,
        "authorization_mode": if has_file { "Webhook" } else { "AlwaysAllow" },
        "client_ca_file": "",
        "event_qps": 50,
        "hostname_override": "",
        "make_iptables_util_chains": true,
        "pod_pids_limit": -1,
        "protect_kernel_defaults": false,
        "read_only_port": if has_file { 0 } else { 10255 },
        "rotate_server_certificates": false,
        "seccomp_default": false,
        "streaming_idle_timeout": "4h0m0s",
        "tls_cert_file": "",
        "tls_cipher_suites": [],
        "tls_min_version": "",
        "tls_private_key_file": "",
    })
}

/// The settings in force. `config` is the configuration file as it was read; none if the kubelet has none. What a file
/// decides that could not be read (`Value::Null`) is left out, unless a flag beats it.
#[must_use]
pub fn effective(flags: &BTreeMap<String, String>, config: Option<&Value>) -> Value {
    let unread = config.is_some_and(Value::is_null);
    let defaults = defaults(config.is_some());
    let mut found = Map::new();
    for s in SETTINGS {
        let by_flag = flags.get(s.flag).map(|text| parsed(text, s.form));
        let by_file = config.and_then(|c| c.pointer(s.at)).filter(|v| !v.is_null()).cloned();
        let by_default = defaults.get(s.name).filter(|_| !unread).cloned();
        if let Some(value) = by_flag.or_else(|| by_file.map(|v| defaulted(s.name, shaped(v, s.form)))).or(by_default) {
            found.insert(s.name.to_owned(), value);
        }
    }
    if !unread {
        found.insert("feature_gates".to_owned(), feature_gates(flags, config));
    }
    Value::Object(found)
}

/// The settings that flags and a part of the file say, of a kubelet of which no more is known: defaults are not among them.
#[must_use]
pub fn said(flags: &BTreeMap<String, String>, config: Option<&Value>) -> Value {
    let one = |s: &Setting| {
        let by_flag = flags.get(s.flag).map(|text| parsed(text, s.form));
        let by_file = config.and_then(|c| c.pointer(s.at)).filter(|v| !v.is_null()).cloned();
        Some((s.name.to_owned(), by_flag.or_else(|| by_file.map(|v| defaulted(s.name, shaped(v, s.form))))?))
    };
    let mut found: Map<_, _> = SETTINGS.iter().filter_map(one).collect();
    let gates = feature_gates(flags, config);
    if gates.as_object().is_some_and(|g| !g.is_empty()) {
        found.insert("feature_gates".to_owned(), gates);
    }
    found.into()
}

/// A zero duration in a file means the default; on the command line it means for ever.
fn defaulted(name: &str, value: Value) -> Value {
    match (name, value.as_str()) {
        ("streaming_idle_timeout", Some("0s" | "0m" | "0h")) => json!("4h0m0s"),
        _ => value,
    }
}

/// A file's value in its form: YAML takes `0` as a number where text is meant.
fn shaped(value: Value, form: Form) -> Value {
    match (&value, form) {
        (Value::Number(_) | Value::Bool(_), Form::Text) => value.to_string().into(),
        (Value::String(text), Form::Bool | Form::Int | Form::List) => parsed(text, form),
        _ => value,
    }
}

/// A flag's text in its form; what does not parse stays text, so that a comparison fails and shows it.
fn parsed(text: &str, form: Form) -> Value {
    match form {
        Form::Bool => match text.to_lowercase().as_str() {
            "true" | "t" | "1" => true.into(),
            "false" | "f" | "0" => false.into(),
            _ => text.into(),
        },
        Form::Int => text.parse::<i64>().map_or_else(|_| text.into(), Into::into),
        Form::List => text.split(',').map(str::trim).filter(|t| !t.is_empty()).collect::<Vec<_>>().into(),
        Form::Text => text.into(),
    }
}

/// Feature gates, those of the command line over those of the file.
fn feature_gates(flags: &BTreeMap<String, String>, config: Option<&Value>) -> Value {
    let mut gates =
        config.and_then(|c| c.pointer("/featureGates")).and_then(Value::as_object).cloned().unwrap_or_default();
    for pair in flags.get("feature-gates").map(String::as_str).unwrap_or_default().split(',') {
        if let Some((gate, value)) = pair.split_once('=') {
            gates.insert(gate.trim().to_owned(), parsed(value, Form::Bool));
        }
    }
    Value::Object(gates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn the_command_line_beats_the_file() {
        let file = json!({"authentication": {"anonymous": {"enabled": false}}, "readOnlyPort": 0});
        let made = effective(&flags(&[("anonymous-auth", "true"), ("read-only-port", "10255")]), Some(&file));
        assert_eq!((&made["anonymous_auth"], &made["read_only_port"]), (&json!(true), &json!(10255)));
    }

    #[test]
    fn a_file_has_closed_defaults_and_flags_alone_have_open_ones() {
        let with = effective(&BTreeMap::new(), Some(&json!({})));
        assert_eq!((&with["anonymous_auth"], &with["read_only_port"]), (&json!(false), &json!(0)));
        assert_eq!(with["authorization_mode"], "Webhook");
        let without = effective(&BTreeMap::new(), None);
        assert_eq!((&without["anonymous_auth"], &without["read_only_port"]), (&json!(true), &json!(10255)));
        assert_eq!(without["authorization_mode"], "AlwaysAllow");
    }

    #[test]
    fn a_file_that_was_not_read_leaves_its_settings_unknown() {
        let made = effective(&flags(&[("read-only-port", "0")]), Some(&Value::Null));
        assert_eq!(made["read_only_port"], 0);
        assert!(made.get("anonymous_auth").is_none() && made.get("feature_gates").is_none());
    }

    #[test]
    fn lists_are_lists_and_gates_are_joined() {
        let file = json!({"featureGates": {"A": true, "RotateKubeletServerCertificate": true}});
        let line =
            flags(&[("tls-cipher-suites", "X, Y"), ("feature-gates", "B=true,RotateKubeletServerCertificate=false")]);
        let made = effective(&line, Some(&file));
        assert_eq!(made["tls_cipher_suites"], json!(["X", "Y"]));
        assert_eq!(made["feature_gates"], json!({"A": true, "B": true, "RotateKubeletServerCertificate": false}));
    }

    #[test]
    fn a_zero_timeout_means_the_default_in_a_file_and_for_ever_on_the_command_line() {
        let file = json!({"streamingConnectionIdleTimeout": "0s"});
        assert_eq!(effective(&BTreeMap::new(), Some(&file))["streaming_idle_timeout"], "4h0m0s");
        let bare = json!({"streamingConnectionIdleTimeout": 0});
        assert_eq!(effective(&BTreeMap::new(), Some(&bare))["streaming_idle_timeout"], "0");
        let line = flags(&[("streaming-connection-idle-timeout", "0")]);
        assert_eq!(effective(&line, Some(&json!({})))["streaming_idle_timeout"], "0");
    }

    #[test]
    fn what_is_said_has_no_defaults() {
        let file = json!({"authentication": {"anonymous": {"enabled": false}}, "readOnlyPort": 10255});
        let made = said(&flags(&[("read-only-port", "0")]), Some(&file));
        assert_eq!(made, json!({"anonymous_auth": false, "read_only_port": 0}));
        assert_eq!(said(&BTreeMap::new(), None), json!({}));
    }

    #[test]
    fn settings_are_alphabetical() {
        assert!(SETTINGS.iter().map(|s| s.name).is_sorted());
    }
}
