//! The API server's configuration files as facts: encryption at rest, the audit policy, structured authentication and
//! authorization. Files come without keys; only names and levels are looked at.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::objects::{is_true, list, text, texts};

/// What encrypts secrets: the provider that comes first, since that one writes.
#[must_use]
pub fn encryption(config: &Value) -> Value {
    let takes = |entry: &&Value| texts(entry, "/resources").any(|r| ["secrets", "*.", "*.*", "*"].contains(&r));
    let entry = list(config, "/resources").iter().find(takes);
    let providers: Vec<String> =
        entry.map(|e| list(e, "/providers").iter().filter_map(provider).collect()).unwrap_or_default();
    json!({
        "covers_secrets": entry.is_some(),
        "secrets_with": providers.first().map(String::as_str).unwrap_or(""),
        "providers": providers,
    })
}

/// A provider is a map of one key: `aescbc: {...}`.
fn provider(entry: &Value) -> Option<String> {
    entry.as_object()?.keys().next().cloned()
}

/// Levels from the least to the most.
const LEVELS: &[&str] = &["None", "Metadata", "Request", "RequestResponse"];
/// Things whose use an audit log has to show at least by who and when.
const SENSITIVE: &[(&str, &str)] = &[("", "configmaps"), ("", "secrets"), ("authentication.k8s.io", "tokenreviews")];
/// Ways into pods and services, and what makes pods.
const WAYS_IN: &[(&str, &str)] = &[
    ("", "pods"),
    ("", "pods/exec"),
    ("", "pods/portforward"),
    ("", "pods/proxy"),
    ("", "services/proxy"),
    ("apps", "deployments"),
];

/// Which sensitive things and ways in an audit policy leaves out, and of which it logs the contents, secrets and all.
#[must_use]
pub fn audit(policy: &Value) -> Value {
    let rules = list(policy, "/rules");
    let unseen = |wanted: &[(&str, &str)]| {
        let missed = wanted.iter().filter(|(group, resource)| level_of(rules, group, resource) < 1);
        missed.map(|(_, resource)| (*resource).to_owned()).collect::<Vec<_>>()
    };
    let told: Vec<&str> = SENSITIVE.iter().filter(|(g, r)| level_of(rules, g, r) > 1).map(|(_, r)| *r).collect();
    json!({
        "rules": rules.len(),
        "unseen_sensitive": unseen(SENSITIVE),
        "unseen_ways_in": unseen(WAYS_IN),
        "logs_contents_of": told,
    })
}

/// The level of the first rule that takes a resource for everybody; the first rule that fits is the one that counts.
fn level_of(rules: &[Value], group: &str, resource: &str) -> usize {
    let for_all = |r: &Value| {
        ["/users", "/userGroups", "/namespaces", "/verbs", "/nonResourceURLs"].iter().all(|p| list(r, p).is_empty())
    };
    let takes = |r: &Value| {
        let groups = list(r, "/resources");
        groups.is_empty()
            || groups.iter().any(|g| {
                text(g, "/group") == group
                    && (list(g, "/resources").is_empty() || texts(g, "/resources").any(|t| t == resource || t == "*"))
            })
    };
    let first = rules.iter().find(|r| for_all(r) && takes(r));
    first.and_then(|r| LEVELS.iter().position(|l| *l == text(r, "/level"))).unwrap_or(0)
}

/// What files decide in place of flags: `--authentication-config` for anonymous requests, `--authorization-config` for
/// the authorizers.
pub fn structured(files: &Value, flags: &BTreeMap<String, String>, into: &mut Map<String, Value>) {
    if let (true, Some(file)) = (flags.contains_key("authentication-config"), files.get("authentication_config")) {
        let said = file.pointer("/anonymous/enabled").and_then(Value::as_bool);
        if let (Some(enabled), false) = (said, flags.contains_key("anonymous-auth")) {
            let limited = !list(file, "/anonymous/conditions").is_empty();
            into.insert("anonymous_auth".to_owned(), enabled.into());
            into.insert(
                "anonymous_only_for_some_paths".to_owned(),
                (is_true(file, "/anonymous/enabled") && limited).into(),
            );
        } else if !flags.contains_key("anonymous-auth") {
            into.insert("anonymous_auth".to_owned(), true.into());
        }
    }
    if let (true, Some(file)) = (flags.contains_key("authorization-config"), files.get("authorization_config")) {
        let modes: Vec<&str> = list(file, "/authorizers").iter().map(|a| text(a, "/type")).collect();
        into.insert("authorization_modes".to_owned(), modes.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_provider_writes_so_that_identity_first_means_nothing_is_encrypted() {
        let with =
            |providers: Value| encryption(&json!({"resources": [{"resources": ["secrets"], "providers": providers}]}));
        assert_eq!(with(json!([{"identity": {}}, {"aescbc": {}}]))["secrets_with"], "identity");
        assert_eq!(with(json!([{"kms": {}}, {"identity": {}}]))["secrets_with"], "kms");
        let other = encryption(&json!({"resources": [{"resources": ["pods"], "providers": [{"kms": {}}]}]}));
        assert_eq!((&other["covers_secrets"], &other["secrets_with"]), (&json!(false), &json!("")));
    }

    #[test]
    fn an_audit_policys_first_fitting_rule_counts() {
        let policy = |rules: Value| audit(&json!({"rules": rules}));
        assert_eq!(policy(json!([{"level": "Metadata"}]))["unseen_sensitive"], json!([]));
        let hidden =
            json!([{"level": "None", "resources": [{"group": "", "resources": ["secrets"]}]}, {"level": "Metadata"}]);
        assert_eq!(policy(hidden)["unseen_sensitive"], json!(["secrets"]));
        let some = json!([{"level": "None", "users": ["system:kube-proxy"]}, {"level": "Request"}]);
        assert_eq!(policy(some)["unseen_ways_in"], json!([]));
        assert_eq!(policy(json!([]))["unseen_ways_in"].as_array().map(Vec::len), Some(6));
        assert_eq!(
            policy(json!([{"level": "Request"}]))["logs_contents_of"],
            json!(["configmaps", "secrets", "tokenreviews"])
        );
    }

    #[test]
    fn structured_files_decide_in_place_of_flags() {
        let flags = BTreeMap::from([
            ("authentication-config".to_owned(), "/a".to_owned()),
            ("authorization-config".to_owned(), "/b".to_owned()),
        ]);
        let files = json!({"authentication_config": {"anonymous": {"enabled": false}},
            "authorization_config": {"authorizers": [{"type": "Node"}, {"type": "RBAC"}]}});
        let mut into = Map::new();
        structured(&files, &flags, &mut into);
        assert_eq!(into["anonymous_auth"], false);
        assert_eq!(into["authorization_modes"], json!(["Node", "RBAC"]));
    }
}
