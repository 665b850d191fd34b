//! `kubernetes.service_account`: whether its token is mounted by itself, who uses it, and what it is bound to.

use picket_model::Document;
use serde_json::{Value, json};

use super::builtin;
use super::documents::Context;
use super::identity::is_system;
use super::objects::{Objects, mark, name, namespace, text};
use super::pods::workloads;
use super::rbac::{Grant, Subject, grants, is_bootstrap, subjects_of};

/// One document a service account.
#[must_use]
pub fn documents(context: &Context, objects: &Objects) -> Vec<Document> {
    objects.list("ServiceAccount").iter().map(|account| document(context, objects, account)).collect()
}

fn document(context: &Context, objects: &Objects, account: &Value) -> Document {
    let parts = [namespace(account), name(account)];
    let facts = facts(context, objects, account);
    context.document("kubernetes.service_account", &parts, facts, "kubernetes:list service accounts")
}

/// What an account is and may do.
#[must_use]
pub fn facts(context: &Context, objects: &Objects, account: &Value) -> Value {
    let (space, own) = (namespace(account), name(account));
    let subject = Subject { kind: "ServiceAccount".to_owned(), namespace: space.to_owned(), name: own.to_owned() };
    let mut facts = json!({
        "cluster": context.cluster,
        "namespace": space,
        "name": own,
        "system": is_system(space),
        "default": own == "default",
        "automount": account.get("automountServiceAccountToken").and_then(Value::as_bool).unwrap_or(true),
        "role_arn": mark(account, "annotations", "eks.amazonaws.com/role-arn").unwrap_or(""),
        "bound_by": bound_by(objects, &subject),
        "used_by": used_by(objects, space, own),
    });
    if let (Some(why), Some(map)) = (builtin::why(&subject, context.is_eks()), facts.as_object_mut()) {
        map.insert("part_of_platform".to_owned(), why.into());
    }
    facts
}

/// The bindings that name this account itself; those of all accounts are found as bindings of everybody.
fn bound_by(objects: &Objects, subject: &Subject) -> Vec<String> {
    let names_it = |g: &Grant<'_>| !is_bootstrap(g.binding) && subjects_of(g.binding).any(|s| s == *subject);
    grants(objects).filter(names_it).map(|g| g.via()).collect()
}

fn used_by(objects: &Objects, space: &str, account: &str) -> Vec<String> {
    let uses = |template: &&Value| {
        let named = [text(template, "/spec/serviceAccountName"), text(template, "/spec/serviceAccount")];
        named.into_iter().find(|n| !n.is_empty()).unwrap_or("default") == account
    };
    let of = workloads(objects);
    let using = of.iter().filter(|((s, _, _), w)| s == space && w.templates.first().is_some_and(&uses));
    using.map(|((_, kind, name), _)| format!("{kind}/{name}")).collect()
}
