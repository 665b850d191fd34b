//! What may refuse an object before it exists: webhooks, validating admission policies, policy engines, and what each
//! covers. `kubernetes.webhook` is a document a configuration.

use picket_model::Document;
use serde_json::{Value, json};

use super::documents::Context;
use super::objects::{Objects, list, name, text, texts};

/// Policy engines by the start of their webhooks' names.
const ENGINES: &[(&str, &str)] = &[
    ("gatekeeper", "Gatekeeper"),
    ("kubewarden", "Kubewarden"),
    ("kyverno", "Kyverno"),
    ("policy.sigstore.dev", "Sigstore policy controller"),
    ("validation.gatekeeper.sh", "Gatekeeper"),
    ("vpol", "Kyverno"),
];

/// What verifies where images come from, by its webhook's or custom resource's name.
const PROVENANCE: &[&str] = &[
    "clusterimagepolicies.policy.sigstore.dev",
    "connaisseur",
    "cosign",
    "image-policy",
    "imagepolicy",
    "imagevalidatingpolicies.policies.kyverno.io",
    "notation",
    "policy.sigstore.dev",
    "portieris",
    "ratify",
    "signature",
    "verify-images",
    "verifyimages",
];

/// One document a webhook configuration.
#[must_use]
pub fn webhooks(context: &Context, objects: &Objects) -> Vec<Document> {
    let of = |kind: &'static str| objects.list(kind).iter().map(move |w| webhook(context, kind, w));
    ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"].into_iter().flat_map(of).collect()
}

fn webhook(context: &Context, kind: &str, configuration: &Value) -> Document {
    let hooks = list(configuration, "/webhooks");
    let facts = json!({
        "cluster": context.cluster,
        "kind": kind,
        "name": name(configuration),
        "fails_open": hooks.iter().any(|h| text(h, "/failurePolicy") == "Ignore"),
        "outside": hooks.iter().map(|h| text(h, "/clientConfig/url")).filter(|u| !u.is_empty()).collect::<Vec<_>>(),
        "sees_pods": hooks.iter().any(sees_pods),
        "sees_secrets": hooks.iter().any(|h| sees(h, "", "secrets")),
    });
    context.document(
        "kubernetes.webhook",
        &[kind, name(configuration)],
        facts,
        "kubernetes:list webhook configurations",
    )
}

fn sees_pods(hook: &Value) -> bool {
    sees(hook, "", "pods")
}

fn sees(hook: &Value, group: &str, resource: &str) -> bool {
    list(hook, "/rules").iter().any(|rule| {
        let any = |pointer: &str, wanted: &str| texts(rule, pointer).any(|t| t == "*" || t == wanted || t == "*/*");
        any("/apiGroups", group) && any("/resources", resource) && (any("/operations", "CREATE"))
    })
}

/// What in this cluster can refuse a pod, by name, for a namespace with these labels.
#[must_use]
pub fn refusers(objects: &Objects, labels: &Value) -> Vec<String> {
    let hooks = objects.list("ValidatingWebhookConfiguration").iter();
    let by_engine =
        hooks.filter(|c| list(c, "/webhooks").iter().any(|h| sees_pods(h) && covers(&h["namespaceSelector"], labels)));
    let engines = by_engine.filter_map(|c| engine(name(c)));
    let bindings = objects.list("ValidatingAdmissionPolicyBinding").iter();
    let denying = bindings.filter(|b| {
        texts(b, "/spec/validationActions").any(|a| a == "Deny")
            && covers(&b["spec"]["matchResources"]["namespaceSelector"], labels)
            && policy_sees_pods(objects, text(b, "/spec/policyName"))
    });
    let policies = denying.map(|b| format!("ValidatingAdmissionPolicy {}", text(b, "/spec/policyName")));
    let mut all: Vec<String> = engines.map(ToOwned::to_owned).chain(policies).collect();
    all.sort();
    all.dedup();
    all
}

fn policy_sees_pods(objects: &Objects, policy: &str) -> bool {
    let found = objects.list("ValidatingAdmissionPolicy").iter().find(|p| name(p) == policy);
    found.is_some_and(|p| {
        let rules = list(p, "/spec/matchConstraints/resourceRules");
        rules.iter().any(|r| texts(r, "/resources").any(|t| t == "*" || t.starts_with("pods")))
    })
}

fn engine(webhook: &str) -> Option<&'static str> {
    ENGINES.iter().find(|(start, _)| webhook.starts_with(start)).map(|(_, engine)| *engine)
}

/// Whether a selector takes a namespace with these labels. No selector takes every one.
#[must_use]
pub fn covers(selector: &Value, labels: &Value) -> bool {
    let value = |key: &str| labels.get(key).and_then(Value::as_str);
    let exact = selector.get("matchLabels").and_then(Value::as_object);
    let all_exact = exact.is_none_or(|m| m.iter().all(|(k, v)| value(k) == v.as_str()));
    let expressions = list(selector, "/matchExpressions").iter().all(|e| {
        let found = value(text(e, "/key"));
        let among = found.is_some_and(|f| texts(e, "/values").any(|v| v == f));
        match text(e, "/operator") {
            "In" => among,
            "NotIn" => !among,
            "Exists" => found.is_some(),
            "DoesNotExist" => found.is_none(),
            _ => false,
        }
    });
    all_exact && expressions
}

/// What verifies where images come from: webhooks and custom resources that are known for it, and
/// `ImagePolicyWebhook` where the API server's flags are seen.
#[must_use]
pub fn provenance(objects: &Objects, plugins: &str) -> Vec<String> {
    let known = |n: &str| PROVENANCE.iter().any(|p| n.to_lowercase().contains(p));
    let hooks = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];
    let configured = hooks.iter().flat_map(|k| objects.list(k)).flat_map(|c| {
        let own = std::iter::once(name(c));
        own.chain(list(c, "/webhooks").iter().map(|h| text(h, "/name"))).collect::<Vec<_>>()
    });
    let resources = objects.list("CustomResourceDefinition").iter().map(name);
    let mut all: Vec<String> = configured.chain(resources).filter(|n| known(n)).map(ToOwned::to_owned).collect();
    if plugins.split(',').any(|p| p == "ImagePolicyWebhook") {
        all.push("ImagePolicyWebhook".to_owned());
    }
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kyverno(selector: Value) -> Value {
        json!({"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "kyverno-resource-validating-webhook-cfg"},
            "webhooks": [{"name": "validate.kyverno.svc-fail", "namespaceSelector": selector,
                "rules": [{"apiGroups": [""], "resources": ["pods"], "operations": ["CREATE"]}]}]})
    }

    #[test]
    fn an_engine_counts_where_its_webhook_sees_pods() {
        let exempting = json!({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["mining"]}]});
        let objects = Objects::of([kyverno(exempting)]);
        assert_eq!(refusers(&objects, &json!({"team": "web"})), ["Kyverno"]);
        assert!(refusers(&objects, &json!({"team": "mining"})).is_empty());
    }

    #[test]
    fn a_policy_counts_if_its_binding_denies() {
        let policy = json!({"kind": "ValidatingAdmissionPolicy", "metadata": {"name": "no-root"},
            "spec": {"matchConstraints": {"resourceRules": [{"resources": ["pods"]}]}}});
        let binding = |action: &str| {
            json!({"kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "b"},
                "spec": {"policyName": "no-root", "validationActions": [action]}})
        };
        let found = |action: &str| refusers(&Objects::of([policy.clone(), binding(action)]), &json!({}));
        assert_eq!(found("Deny"), ["ValidatingAdmissionPolicy no-root"]);
        assert!(found("Audit").is_empty());
    }

    #[test]
    fn image_verification_is_known_by_webhook_resource_or_plugin() {
        assert!(provenance(&Objects::default(), "NodeRestriction").is_empty());
        assert_eq!(provenance(&Objects::default(), "NodeRestriction,ImagePolicyWebhook"), ["ImagePolicyWebhook"]);
        let hook = json!({"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "policy.sigstore.dev"}});
        assert_eq!(provenance(&Objects::of([hook]), ""), ["policy.sigstore.dev"]);
    }
}
