//! `kubernetes.binding`: who is given which role, and whether that is everybody.

use picket_model::Document;
use serde_json::{Value, json};

use super::documents::Context;
use super::objects::{Objects, name, namespace, text};
use super::rbac::{Grant, Subject, grants, is_bootstrap, is_everything, subjects_of};

/// Subjects that stand for callers who have not said who they are, or for everybody who has.
const ANONYMOUS: &[&str] = &["system:anonymous", "system:unauthenticated"];
const EVERYBODY: &[&str] = &["system:authenticated", "system:serviceaccounts"];

/// One document a binding.
#[must_use]
pub fn documents(context: &Context, objects: &Objects) -> Vec<Document> {
    grants(objects).map(|grant| document(context, &grant)).collect()
}

fn document(context: &Context, grant: &Grant<'_>) -> Document {
    let binding = grant.binding;
    let subjects: Vec<Subject> = subjects_of(binding).collect();
    let named = |names: &[&str]| {
        subjects.iter().filter(|s| names.contains(&s.name.as_str())).map(|s| s.name.clone()).collect::<Vec<_>>()
    };
    let facts = json!({
        "cluster": context.cluster,
        "kind": grant.binding_kind,
        "namespace": namespace(binding),
        "name": name(binding),
        "platform": is_platform(context, binding),
        "role": format!("{}/{}", text(binding, "/roleRef/kind"), text(binding, "/roleRef/name")),
        "role_exists": grant.role.is_some(),
        "cluster_wide": grant.is_cluster_wide(),
        "gives_everything": text(binding, "/roleRef/name") == "cluster-admin" || grant.rules().iter().any(is_everything),
        "subjects": subjects.iter().map(|s| json!({"kind": s.kind, "namespace": s.namespace, "name": s.name})).collect::<Vec<_>>(),
        "anonymous": named(ANONYMOUS),
        "everybody": named(EVERYBODY),
        "masters": named(&["system:masters"]),
        "users": subjects.iter().filter(|s| s.kind == "User").map(|s| s.name.clone()).collect::<Vec<_>>(),
        "poses_as_platform": poses(context, binding),
        "default_accounts": subjects.iter().filter(|s| is_default(s)).map(|s| s.namespace.clone()).collect::<Vec<_>>(),
    });
    let parts = [grant.binding_kind, namespace(binding), name(binding)];
    context.document("kubernetes.binding", &parts, facts, "kubernetes:list role bindings")
}

fn is_platform(context: &Context, binding: &Value) -> bool {
    is_bootstrap(binding) || (context.is_eks() && name(binding).starts_with("eks:"))
}

/// Whether it has the name of a controller's binding and is none: campaigns hide theirs behind such names.
fn poses(context: &Context, binding: &Value) -> bool {
    name(binding).starts_with("system:controller:") && !is_platform(context, binding)
}

fn is_default(subject: &Subject) -> bool {
    subject.kind == "ServiceAccount" && subject.name == "default"
}

#[cfg(test)]
mod tests {
    use super::super::documents::tests::{context, facts_of};
    use super::*;

    #[test]
    fn a_binding_of_everybody_to_everything_is_seen_as_both() {
        let binding = json!({"kind": "ClusterRoleBinding", "metadata": {"name": "open"},
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "User", "name": "system:anonymous"}, {"kind": "ServiceAccount", "name": "default", "namespace": "web"}]});
        let facts = facts_of(&documents(&context(), &Objects::of([binding])).remove(0));
        assert_eq!(facts["gives_everything"], true);
        assert_eq!(facts["anonymous"], json!(["system:anonymous"]));
        assert_eq!(facts["default_accounts"], json!(["web"]));
        assert_eq!(facts["platform"], false);
    }
}
