//! Which network policies hold in which namespace: Kubernetes' own, and those of Cilium and Calico that span namespaces.

use serde_json::Value;

use super::objects::{Objects, list, name, namespace, texts};

/// Kinds that hold within their own namespace.
const IN_NAMESPACE: &[&str] = &["CiliumNetworkPolicy", "NetworkPolicy"];
/// Kinds that hold everywhere.
const EVERYWHERE: &[&str] = &["AdminNetworkPolicy", "CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy"];

/// What policies do for one namespace.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cover {
    /// The policies.
    pub names: Vec<String>,
    /// Whether every pod refuses what is not allowed from outside.
    pub denies_ingress: bool,
    /// Whether every pod may reach only what is allowed.
    pub denies_egress: bool,
}

impl Cover {
    /// The cover of one namespace.
    #[must_use]
    pub fn of(objects: &Objects, own: &str) -> Self {
        let mut cover = Self::default();
        for kind in IN_NAMESPACE {
            for policy in objects.list(kind).iter().filter(|p| namespace(p) == own) {
                cover.add(kind, policy);
            }
        }
        for kind in EVERYWHERE {
            for policy in objects.list(kind) {
                cover.names.push(format!("{kind}/{}", name(policy)));
            }
        }
        cover
    }

    fn add(&mut self, kind: &str, policy: &Value) {
        self.names.push(format!("{kind}/{}", name(policy)));
        let every_pod = kind == "NetworkPolicy" && is_empty_selector(&policy["spec"]["podSelector"]);
        if every_pod {
            let (ingress, egress) = directions(policy);
            self.denies_ingress |= ingress;
            self.denies_egress |= egress;
        }
    }
}

fn is_empty_selector(selector: &Value) -> bool {
    selector.as_object().is_none_or(|s| {
        s.values()
            .all(|v| v.as_object().is_none_or(serde_json::Map::is_empty) && v.as_array().is_none_or(Vec::is_empty))
    })
}

/// Which directions a policy holds in. Without `policyTypes` it holds for ingress, and for egress if it has rules for it.
/// A rule that allows everything (`{}`) makes a policy hold nothing back.
fn directions(policy: &Value) -> (bool, bool) {
    let types: Vec<&str> = texts(policy, "/spec/policyTypes").collect();
    let has_egress = !list(policy, "/spec/egress").is_empty();
    let (ingress, egress) =
        if types.is_empty() { (true, has_egress) } else { (types.contains(&"Ingress"), types.contains(&"Egress")) };
    let open =
        |pointer: &str| list(policy, pointer).iter().any(|r| r.as_object().is_some_and(serde_json::Map::is_empty));
    (ingress && !open("/spec/ingress"), egress && !open("/spec/egress"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cover(spec: Value) -> Cover {
        let policy = json!({"kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "a"}, "spec": spec});
        Cover::of(&Objects::of([policy]), "a")
    }

    #[test]
    fn an_empty_selector_with_no_rules_denies_by_default() {
        let both = cover(json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
        assert!(both.denies_ingress && both.denies_egress);
        let old = cover(json!({"podSelector": {}}));
        assert!(old.denies_ingress && !old.denies_egress);
    }

    #[test]
    fn a_policy_for_some_pods_or_with_an_open_rule_denies_nothing_by_default() {
        let some = cover(json!({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]}));
        assert!(!some.denies_ingress);
        assert_eq!(some.names, ["NetworkPolicy/p"]);
        assert!(!cover(json!({"podSelector": {}, "ingress": [{}]})).denies_ingress);
    }

    #[test]
    fn a_policy_of_another_namespace_does_not_count_and_one_of_the_cluster_does() {
        let other =
            json!({"kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "b"}, "spec": {"podSelector": {}}});
        assert_eq!(Cover::of(&Objects::of([other]), "a"), Cover::default());
        let wide = json!({"kind": "CiliumClusterwideNetworkPolicy", "metadata": {"name": "c"}});
        assert_eq!(Cover::of(&Objects::of([wide]), "a").names, ["CiliumClusterwideNetworkPolicy/c"]);
    }
}
