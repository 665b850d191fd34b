//! `kubernetes.role`: Roles and ClusterRoles, with their wildcards and powers, and who has them.

use picket_model::Document;
use serde_json::{Value, json};

use super::documents::Context;
use super::objects::{Objects, list, name, namespace};
use super::rbac::{POWERS, gives, grants, is_bootstrap, is_everything, subjects_of, wildcards};

/// One document a role.
#[must_use]
pub fn documents(context: &Context, objects: &Objects) -> Vec<Document> {
    let of = |kind: &'static str| objects.list(kind).iter().map(move |role| document(context, objects, kind, role));
    ["ClusterRole", "Role"].into_iter().flat_map(of).collect()
}

fn document(context: &Context, objects: &Objects, kind: &str, role: &Value) -> Document {
    let rules = list(role, "/rules");
    let mut stars: Vec<String> = rules.iter().flat_map(wildcards).collect();
    stars.sort();
    stars.dedup();
    let powers: Vec<_> = POWERS.iter().filter(|p| rules.iter().any(|r| gives(r, p))).map(|p| p.name).collect();
    let facts = json!({
        "cluster": context.cluster,
        "kind": kind,
        "namespace": namespace(role),
        "name": name(role),
        "platform": is_platform(context, role),
        "wildcards": stars,
        "everything": rules.iter().any(is_everything),
        "powers": powers,
        "bound_to": bound_to(objects, kind, role),
    });
    context.document("kubernetes.role", &[namespace(role), kind, name(role)], facts, "kubernetes:list roles")
}

/// Kubernetes' own roles by name and label; on EKS AWS's own by the prefix that it keeps for itself.
fn is_platform(context: &Context, role: &Value) -> bool {
    is_bootstrap(role) || (context.is_eks() && name(role).starts_with("eks:"))
}

fn bound_to(objects: &Objects, kind: &str, role: &Value) -> Vec<String> {
    let is_this = |found: Option<&Value>| found.is_some_and(|r| r["kind"] == kind && r["metadata"] == role["metadata"]);
    let bound = grants(objects).filter(|g| is_this(g.role));
    let said = |s: super::rbac::Subject| format!("{}/{}", s.kind, s.name);
    bound.flat_map(|g| subjects_of(g.binding).map(said).collect::<Vec<_>>()).collect()
}
