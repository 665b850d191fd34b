//! What user data shows, as facts: secrets in it, the agent that it starts, and how the kubelet is set up. The text
//! itself goes no further.

use std::sync::LazyLock;

use picket_checks::user_data::decode;
use regex::Regex;
use serde_json::{Value, json};

/// A name and the pattern of a secret that a person wrote into user data.
const SECRETS: &[(&str, &str)] = &[
    ("aws_access_key", r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("aws_secret_key", r#"(?i)aws_secret_access_key\s*[=:]\s*["']?[A-Za-z0-9/+=]{40}"#),
    ("private_key", r"-----BEGIN ([A-Z]+ )*PRIVATE KEY-----"),
    ("docker_login", r#"(?i)(docker login [^\n]*(-p|--password[= ])|"auth"\s*:\s*"[A-Za-z0-9+/=]{16,}")"#),
    ("github_token", r"\bgh[pousr]_[A-Za-z0-9]{36}"),
    ("slack_token", r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    ("join_token", r#"(?i)\b(K3S_TOKEN|RKE2_TOKEN|--token)[= ]["']?[a-z0-9]{6}[a-z0-9.:]{10,}"#),
    ("password", r#"(?i)\b[a-z_]*(password|passwd|secret|api_?key)\s*[=:]\s*["']?[^\s"'$<{]{8,}"#),
];

static PATTERNS: LazyLock<Vec<(&str, Regex)>> =
    LazyLock::new(|| SECRETS.iter().filter_map(|(name, p)| Some((*name, Regex::new(p).ok()?))).collect());

/// The facts of user data as AWS answers it, in base64; empty text is no user data.
#[must_use]
pub fn facts(base64: &str) -> Value {
    if base64.is_empty() {
        return json!({"bytes": 0, "secrets": [], "cloudwatch_agent": false});
    }
    let decoded = decode(base64);
    let found = PATTERNS.iter().filter(|(_, p)| p.is_match(&decoded.text)).map(|(name, _)| *name);
    json!({
        "bytes": decoded.raw.len(),
        // What could not be unpacked may hold anything: then the list is not known.
        "secrets": if decoded.undecoded.is_none() { Some(found.collect::<Vec<_>>()) } else { None },
        "cloudwatch_agent": decoded.text.contains("amazon-cloudwatch-agent"),
        "undecoded": decoded.undecoded,
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    fn secrets(text: &str) -> Vec<String> {
        let facts = facts(&base64::engine::general_purpose::STANDARD.encode(text));
        facts["secrets"].as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_pattern_is_a_pattern() {
        assert_eq!(PATTERNS.len(), SECRETS.len());
    }

    #[test]
    fn secrets_are_named_and_not_repeated() {
        assert_eq!(secrets("export K=AKIAIOSFODNN7EXAMPLE"), ["aws_access_key"]);
        assert_eq!(secrets("-----BEGIN RSA PRIVATE KEY-----\nMII"), ["private_key"]);
        assert_eq!(secrets("DB_PASSWORD='hunter2hunter2'"), ["password"]);
        assert_eq!(secrets("curl -sfL https://get.k3s.io | K3S_TOKEN=abcdef0123456789abcdef sh -"), ["join_token"]);
    }

    #[test]
    fn a_reference_to_a_secret_is_none() {
        for text in [
            "DB_PASSWORD=$(aws secretsmanager get-secret-value --secret-id db)",
            "/etc/eks/bootstrap.sh prod --b64-cluster-ca LS0t --apiserver-endpoint https://x",
            "password: ${PASSWORD}",
        ] {
            assert_eq!(secrets(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn no_user_data_has_no_secrets() {
        assert_eq!(facts("")["secrets"], json!([]));
    }
}
