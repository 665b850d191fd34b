//! `kubernetes.subject`: what each user, group and service account may do, through which bindings.

use picket_model::Document;
use serde_json::{Map, Value, json};

use super::builtin;
use super::documents::Context;
use super::objects::{Objects, text};
use super::rbac::{Grant, POWERS, Subject, by_subject, gives, is_everything, wildcards};

/// One document a subject that is bound to anything.
#[must_use]
pub fn documents(context: &Context, objects: &Objects) -> Vec<Document> {
    by_subject(objects).iter().map(|(subject, grants)| document(context, subject, grants)).collect()
}

fn document(context: &Context, subject: &Subject, grants: &[Grant<'_>]) -> Document {
    let mut powers = Map::new();
    for power in POWERS {
        let through = via(grants, |g| g.rules().iter().any(|r| gives(r, power)));
        powers.insert(power.name.to_owned(), through.into());
    }
    let admin =
        |g: &Grant<'_>| text(g.binding, "/roleRef/name") == "cluster-admin" || g.rules().iter().any(is_everything);
    let mut facts = json!({
        "cluster": context.cluster,
        "kind": subject.kind,
        "namespace": subject.namespace,
        "name": subject.name,
        "admin": via(grants, admin),
        "wildcard": via(grants, |g| g.rules().iter().any(|r| !wildcards(r).is_empty())),
        "may": powers,
    });
    let why = builtin::why(subject, context.is_eks());
    if let (Some(why), Some(map)) = (why, facts.as_object_mut()) {
        map.insert("part_of_platform".to_owned(), why.into());
    }
    let parts = [subject.namespace.as_str(), &subject.kind, &subject.name];
    context.document("kubernetes.subject", &parts, facts, "kubernetes:list roles and role bindings")
}

fn via(grants: &[Grant<'_>], has: impl Fn(&Grant<'_>) -> bool) -> Vec<Value> {
    grants.iter().filter(|g| has(g)).map(|g| g.via().into()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::documents::tests::{context, facts_of};
    use super::*;

    #[test]
    fn a_subject_has_the_powers_of_all_its_roles_and_says_through_which() {
        let objects = Objects::of([
            json!({"kind": "ClusterRole", "metadata": {"name": "reader"},
                "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]}),
            json!({"kind": "RoleBinding", "metadata": {"name": "b", "namespace": "a"},
                "roleRef": {"kind": "ClusterRole", "name": "reader"}, "subjects": [{"kind": "User", "name": "jane"}]}),
            json!({"kind": "ClusterRoleBinding", "metadata": {"name": "c"},
                "roleRef": {"kind": "ClusterRole", "name": "gone"}, "subjects": [{"kind": "User", "name": "jane"}]}),
        ]);
        let facts = facts_of(&documents(&context(), &objects).remove(0));
        assert_eq!(facts["may"]["read_secrets"], json!(["RoleBinding/b to ClusterRole/reader in namespace a"]));
        assert_eq!(facts["may"]["create_pods"], json!([]));
        assert_eq!(facts["admin"], json!([]));
    }

    #[test]
    fn cluster_admin_is_known_by_name_and_by_what_it_allows() {
        let bound = |role: &str| {
            json!({"kind": "ClusterRoleBinding", "metadata": {"name": role}, "roleRef": {"kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "Group", "name": role}]})
        };
        let everything = json!({"kind": "ClusterRole", "metadata": {"name": "ops"},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]});
        for document in documents(&context(), &Objects::of([bound("cluster-admin"), bound("ops"), everything])) {
            assert_ne!(facts_of(&document)["admin"], json!([]), "{}", document.id);
        }
    }
}
