//! The pod templates of all workload kinds, and which workload a pod belongs to.

use std::collections::BTreeMap;

use serde_json::Value;

use super::objects::{Objects, list, name, namespace, text};

/// The kinds that hold a pod template, and where.
const TEMPLATES: &[(&str, &str)] = &[
    ("CronJob", "/spec/jobTemplate/spec/template"),
    ("DaemonSet", "/spec/template"),
    ("Deployment", "/spec/template"),
    ("DeploymentConfig", "/spec/template"),
    ("Job", "/spec/template"),
    ("PodTemplate", "/template"),
    ("ReplicaSet", "/spec/template"),
    ("ReplicationController", "/spec/template"),
    ("StatefulSet", "/spec/template"),
];

/// The kinds that this knows, pods among them.
pub const KINDS: &[&str] =
    &["CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "ReplicationController", "StatefulSet"];

/// A thing that somebody made and that makes pods: namespace, kind, name.
pub type Owner = (String, String, String);

/// A workload: the object that was made on purpose, its template, and the pods that run for it.
#[derive(Debug)]
pub struct Workload<'a> {
    /// The object itself: a Deployment, a CronJob, a pod that nobody owns.
    pub object: &'a Value,
    /// The templates: its own, then those of its pods.
    pub templates: Vec<&'a Value>,
    /// How many pods run for it.
    pub pods: usize,
}

/// The template within a workload object; a pod is its own.
#[must_use]
pub fn template<'a>(kind: &str, object: &'a Value) -> Option<&'a Value> {
    if kind == "Pod" {
        return Some(object);
    }
    let (_, pointer) = TEMPLATES.iter().find(|(k, _)| *k == kind)?;
    object.pointer(pointer)
}

/// Every workload by who made it: a pod counts for the Deployment above its ReplicaSet, a Job for its CronJob.
#[must_use]
pub fn workloads(objects: &Objects) -> BTreeMap<Owner, Workload<'_>> {
    let parents = parents(objects);
    let mut found: BTreeMap<Owner, Workload<'_>> = BTreeMap::new();
    for (kind, object) in of_kinds(objects) {
        let own = key(kind, object);
        let Some(template) = template(kind, object) else { continue };
        let top = top_of(&own, &parents);
        let is_top = top == own;
        let entry = found.entry(top).or_insert_with(|| Workload { object, templates: Vec::new(), pods: 0 });
        if is_top {
            entry.object = object;
            entry.templates.insert(0, template);
        } else if kind == "Pod" {
            entry.templates.push(template);
        }
        entry.pods += usize::from(kind == "Pod");
    }
    found.retain(|_, w| !w.templates.is_empty());
    found
}

fn of_kinds(objects: &Objects) -> impl Iterator<Item = (&'static str, &Value)> {
    let kinds = KINDS.iter().chain(&["DeploymentConfig", "PodTemplate"]);
    kinds.flat_map(move |k| objects.list(k).iter().map(move |o| (*k, o)))
}

fn key(kind: &str, object: &Value) -> Owner {
    (namespace(object).to_owned(), kind.to_owned(), name(object).to_owned())
}

/// Who owns whom, as far as the owner is among the objects: an owner that is gone, or of a kind that we do not list,
/// leaves its pods standing for themselves.
fn parents(objects: &Objects) -> BTreeMap<Owner, Owner> {
    let known: BTreeMap<Owner, ()> = of_kinds(objects).map(|(k, o)| (key(k, o), ())).collect();
    let parent_of = |(kind, object): (&str, &Value)| {
        let owners = list(object, "/metadata/ownerReferences");
        let owner = owners.iter().find(|o| o.get("controller").and_then(Value::as_bool).unwrap_or(false))?;
        let up = (namespace(object).to_owned(), text(owner, "/kind").to_owned(), text(owner, "/name").to_owned());
        known.contains_key(&up).then(|| (key(kind, object), up))
    };
    of_kinds(objects).filter_map(parent_of).collect()
}

/// The top of a chain of owners; a ring, which only a forger makes, ends where it began.
fn top_of(own: &Owner, parents: &BTreeMap<Owner, Owner>) -> Owner {
    let mut at = own;
    for _ in 0..8 {
        match parents.get(at) {
            Some(up) => at = up,
            None => return at.clone(),
        }
    }
    own.clone()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owned(kind: &str, object: &str, by: (&str, &str)) -> Value {
        let owner = json!([{"kind": by.0, "name": by.1, "controller": true}]);
        json!({"kind": kind, "metadata": {"name": object, "namespace": "a", "ownerReferences": owner}, "spec": {}})
    }

    fn names(objects: &Objects) -> Vec<(String, usize)> {
        workloads(objects).into_iter().map(|((_, k, n), w)| (format!("{k}/{n}"), w.pods)).collect()
    }

    #[test]
    fn a_pod_counts_for_the_deployment_above_its_replica_set() {
        let template = json!({"spec": {"containers": []}});
        let mut set = owned("ReplicaSet", "web-1", ("Deployment", "web"));
        set["spec"] = json!({"template": template});
        let deployment = json!({"kind": "Deployment", "metadata": {"name": "web", "namespace": "a"},
            "spec": {"template": template}});
        let objects = Objects::of([owned("Pod", "web-1-x", ("ReplicaSet", "web-1")), set, deployment]);
        assert_eq!(names(&objects), [("Deployment/web".to_owned(), 1)]);
    }

    #[test]
    fn a_pod_whose_owner_is_gone_or_unknown_stands_for_itself() {
        let objects = Objects::of([
            owned("Pod", "kube-proxy-node1", ("Node", "node1")),
            owned("Pod", "orphan", ("ReplicaSet", "gone")),
        ]);
        assert_eq!(names(&objects), [("Pod/kube-proxy-node1".to_owned(), 1), ("Pod/orphan".to_owned(), 1)]);
    }

    #[test]
    fn a_ring_of_owners_ends() {
        let mut a = owned("ReplicaSet", "a", ("ReplicaSet", "b"));
        let mut b = owned("ReplicaSet", "b", ("ReplicaSet", "a"));
        a["spec"] = json!({"template": {}});
        b["spec"] = json!({"template": {}});
        assert_eq!(names(&Objects::of([a, b])).len(), 2);
    }

    #[test]
    fn every_kind_gives_its_template() {
        for (kind, pointer) in TEMPLATES {
            let mut object = json!({"hit": true});
            for step in pointer.trim_start_matches('/').rsplit('/') {
                object = json!({step: object});
            }
            assert_eq!(template(kind, &object).map(|t| t["hit"].clone()), Some(json!(true)), "{kind}");
        }
    }
}
