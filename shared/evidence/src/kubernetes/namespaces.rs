//! `kubernetes.namespace`: which pods it admits, which network policies hold in it, and what lives in it.

use std::collections::BTreeSet;

use picket_model::Document;
use serde_json::{Value, json};

use super::admission::refusers;
use super::documents::Context;
use super::identity::is_system;
use super::network_policies::Cover;
use super::objects::{Objects, mark, name, namespace};
use super::pods::workloads;
use super::service_accounts;

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
const AUDIT: &str = "pod-security.kubernetes.io/audit";
const WARN: &str = "pod-security.kubernetes.io/warn";

/// What Kubernetes itself puts into each namespace.
const OWN: &[(&str, &str)] = &[
    ("ConfigMap", "kube-root-ca.crt"),
    ("EndpointSlice", "kubernetes"),
    ("Endpoints", "kubernetes"),
    ("Service", "kubernetes"),
    ("ServiceAccount", "default"),
];

/// What is nothing that lives there: what Kubernetes makes of other objects, and what only guards the namespace.
const NOTHING: &[&str] = &["Event", "LimitRange", "NetworkPolicy", "ReplicaSet", "ResourceQuota"];

/// One document a namespace: those that are listed, and those that only objects name.
#[must_use]
pub fn documents(context: &Context, objects: &Objects) -> Vec<Document> {
    let listed = objects.list("Namespace").iter().map(|n| (name(n), Some(n)));
    let known: BTreeSet<&str> = objects.list("Namespace").iter().map(name).collect();
    let named: BTreeSet<&str> = objects.all().map(|(_, o)| namespace(o)).collect();
    let others = named.into_iter().filter(|n| !n.is_empty() && !known.contains(n)).map(|n| (n, None));
    listed.chain(others).map(|(own, object)| document(context, objects, own, object)).collect()
}

fn document(context: &Context, objects: &Objects, own: &str, object: Option<&Value>) -> Document {
    let cover = Cover::of(objects, own);
    let mut facts = json!({
        "cluster": context.cluster,
        "name": own,
        "system": is_system(own),
        "workloads": workloads(objects).keys().filter(|(space, _, _)| space == own).count(),
        "network_policies": cover.names,
        "denies_ingress": cover.denies_ingress,
        "denies_egress": cover.denies_egress,
        "objects": contents(objects, own),
    });
    if let (Some(account), Some(map)) = (default_account(context, objects, own), facts.as_object_mut()) {
        map.insert("default_account".to_owned(), account);
    }
    if let (Some(namespace), Some(map)) = (object, facts.as_object_mut()) {
        let level = |key: &str| mark(namespace, "labels", key).unwrap_or("").to_owned();
        map.insert("enforce".to_owned(), level(ENFORCE).into());
        map.insert("audit".to_owned(), level(AUDIT).into());
        map.insert("warn".to_owned(), level(WARN).into());
        map.insert("refused_by".to_owned(), refusers(objects, &namespace["metadata"]["labels"]).into());
    }
    context.document("kubernetes.namespace", &[own], facts, "kubernetes:list namespaces")
}

/// What the namespace's default service account may do, as far as its own document says it.
fn default_account(context: &Context, objects: &Objects, own: &str) -> Option<Value> {
    let account = objects.list("ServiceAccount").iter().find(|a| namespace(a) == own && name(a) == "default")?;
    let facts = service_accounts::facts(context, objects, account);
    Some(json!({"automount": facts["automount"], "bound_by": facts["bound_by"], "used_by": facts["used_by"],
        "role_arn": facts["role_arn"]}))
}

/// The objects in a namespace that somebody put there.
fn contents(objects: &Objects, own: &str) -> Vec<String> {
    const MOST: usize = 100;
    let there = objects
        .all()
        .filter(|(kind, o)| namespace(o) == own && !NOTHING.contains(kind) && !OWN.contains(&(*kind, name(o))));
    there.map(|(kind, o)| format!("{kind}/{}", name(o))).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::super::documents::tests::{context, facts_of};
    use super::*;

    fn facts(objects: Vec<Value>) -> Vec<Value> {
        documents(&context(), &Objects::of(objects)).iter().map(facts_of).collect()
    }

    #[test]
    fn a_namespace_says_what_it_enforces_and_an_unlabelled_one_enforces_nothing() {
        let labelled = json!({"kind": "Namespace", "metadata": {"name": "a", "labels": {ENFORCE: "restricted"}}});
        let bare = json!({"kind": "Namespace", "metadata": {"name": "b"}});
        let facts = facts(vec![labelled, bare]);
        assert_eq!((&facts[0]["enforce"], &facts[1]["enforce"]), (&json!("restricted"), &json!("")));
    }

    #[test]
    fn what_kubernetes_puts_into_a_namespace_is_not_somebodys() {
        let service = |name: &str| json!({"kind": "Service", "metadata": {"name": name, "namespace": "default"}});
        assert_eq!(facts(vec![service("kubernetes")])[0]["objects"], json!([]));
        assert_eq!(facts(vec![service("kubernetes-2")])[0]["objects"], json!(["Service/kubernetes-2"]));
        let guard = json!({"kind": "NetworkPolicy", "metadata": {"name": "deny", "namespace": "default"}});
        assert_eq!(facts(vec![guard])[0]["objects"], json!([]));
    }

    #[test]
    fn a_namespace_that_only_objects_name_says_nothing_of_labels() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "a"}, "spec": {}});
        let facts = facts(vec![pod]).remove(0);
        assert!(facts.get("enforce").is_none());
        assert_eq!(facts["workloads"], 1);
    }
}
