//! Effective RBAC: which rules each subject has, through which binding and role, and what they allow.

use std::collections::BTreeMap;

use serde_json::Value;

use super::objects::{Objects, list, mark, name, namespace, text, texts};

/// A subject: kind, namespace (of service accounts), name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// `User`, `Group` or `ServiceAccount`.
    pub kind: String,
    /// Where a service account lives; empty for others.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A role bound to somebody.
#[derive(Debug, Clone)]
pub struct Grant<'a> {
    /// The binding.
    pub binding: &'a Value,
    /// `ClusterRoleBinding` or `RoleBinding`.
    pub binding_kind: &'static str,
    /// The role, if it exists.
    pub role: Option<&'a Value>,
}

impl Grant<'_> {
    /// The binding and the role in one line.
    #[must_use]
    pub fn via(&self) -> String {
        let role = format!("{}/{}", text(self.binding, "/roleRef/kind"), text(self.binding, "/roleRef/name"));
        match namespace(self.binding) {
            "" => format!("{}/{} to {role}", self.binding_kind, name(self.binding)),
            space => format!("{}/{} to {role} in namespace {space}", self.binding_kind, name(self.binding)),
        }
    }

    /// The role's rules.
    #[must_use]
    pub fn rules(&self) -> &[Value] {
        self.role.map(|r| list(r, "/rules")).unwrap_or_default()
    }

    /// Whether it is for the whole cluster.
    #[must_use]
    pub fn is_cluster_wide(&self) -> bool {
        self.binding_kind == "ClusterRoleBinding"
    }
}

/// Every binding with its role.
pub fn grants(objects: &Objects) -> impl Iterator<Item = Grant<'_>> {
    let of = move |kind: &'static str| {
        objects.list(kind).iter().map(move |binding| Grant {
            binding,
            binding_kind: kind,
            role: role_of(objects, binding),
        })
    };
    ["ClusterRoleBinding", "RoleBinding"].into_iter().flat_map(of)
}

fn role_of<'a>(objects: &'a Objects, binding: &Value) -> Option<&'a Value> {
    let kind = text(binding, "/roleRef/kind");
    let wanted = text(binding, "/roleRef/name");
    let same_place = |role: &Value| kind == "ClusterRole" || namespace(role) == namespace(binding);
    objects.list(kind).iter().find(|r| name(r) == wanted && same_place(r))
}

/// The subjects of a binding. A service account without namespace is one of the binding's namespace.
pub fn subjects_of(binding: &Value) -> impl Iterator<Item = Subject> {
    list(binding, "/subjects").iter().map(|s| {
        let kind = text(s, "/kind").to_owned();
        let own = text(s, "/namespace");
        let space = if kind != "ServiceAccount" {
            ""
        } else if own.is_empty() {
            namespace(binding)
        } else {
            own
        };
        Subject { kind, namespace: space.to_owned(), name: text(s, "/name").to_owned() }
    })
}

/// What each subject is granted.
#[must_use]
pub fn by_subject(objects: &Objects) -> BTreeMap<Subject, Vec<Grant<'_>>> {
    let mut found: BTreeMap<Subject, Vec<Grant<'_>>> = BTreeMap::new();
    for grant in grants(objects) {
        for subject in subjects_of(grant.binding) {
            found.entry(subject).or_default().push(grant.clone());
        }
    }
    found
}

/// One thing that a rule may allow.
#[derive(Debug)]
pub struct Power {
    /// Its name in documents.
    pub name: &'static str,
    /// API group, resources, verbs: one of the resources with one of the verbs is the power.
    pub when: &'static [(&'static str, &'static [&'static str], &'static [&'static str])],
}

const WRITE: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];

/// The powers that controls ask about, alphabetical.
pub const POWERS: &[Power] = &[
    Power {
        name: "approve_certificates",
        when: &[("certificates.k8s.io", &["certificatesigningrequests/approval"], &["update", "patch"])],
    },
    Power { name: "approve_signers", when: &[("certificates.k8s.io", &["signers"], &["approve"])] },
    Power {
        name: "bind",
        when: &[(
            "rbac.authorization.k8s.io",
            &["clusterrolebindings", "clusterroles", "rolebindings", "roles"],
            &["bind"],
        )],
    },
    Power {
        name: "bind_or_escalate",
        when: &[("rbac.authorization.k8s.io", &["roles", "clusterroles"], &["bind", "escalate"])],
    },
    Power {
        name: "change_webhooks",
        when: &[(
            "admissionregistration.k8s.io",
            &["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
            WRITE,
        )],
    },
    Power {
        name: "create_pods",
        when: &[
            ("", &["pods", "replicationcontrollers"], &["create"]),
            ("apps", &["daemonsets", "deployments", "replicasets", "statefulsets"], &["create"]),
            ("batch", &["cronjobs", "jobs"], &["create"]),
        ],
    },
    Power { name: "create_tokens", when: &[("", &["serviceaccounts/token"], &["create"])] },
    Power { name: "create_volumes", when: &[("", &["persistentvolumes"], &["create"])] },
    Power { name: "escalate", when: &[("rbac.authorization.k8s.io", &["clusterroles", "roles"], &["escalate"])] },
    Power { name: "exec_in_pods", when: &[("", &["pods/exec", "pods/attach"], &["create", "get"])] },
    Power {
        name: "impersonate",
        when: &[
            ("", &["users", "groups", "serviceaccounts"], &["impersonate"]),
            ("authentication.k8s.io", &["uids", "userextras"], &["impersonate"]),
        ],
    },
    Power {
        name: "proxy_nodes",
        when: &[("", &["nodes/proxy"], &["get", "list", "watch", "create", "update", "patch", "delete"])],
    },
    Power { name: "read_secrets", when: &[("", &["secrets"], &["get", "list", "watch"])] },
];

/// Whether a rule gives a power over everything of its kind; a rule for named objects gives it over those alone, but
/// signers are always named.
#[must_use]
pub fn gives(rule: &Value, power: &Power) -> bool {
    let named = !list(rule, "/resourceNames").is_empty();
    let counts = !named || power.name == "approve_signers";
    counts
        && power.when.iter().any(|(group, resources, verbs)| {
            holds(rule, "/apiGroups", &[group])
                && resources.iter().any(|r| covers(rule, r))
                && holds(rule, "/verbs", verbs)
        })
}

fn holds(rule: &Value, pointer: &str, wanted: &[&str]) -> bool {
    texts(rule, pointer).any(|t| t == "*" || wanted.contains(&t))
}

/// `*` covers everything, `*/proxy` every subresource of that name.
fn covers(rule: &Value, resource: &str) -> bool {
    let sub = resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
    texts(rule, "/resources").any(|r| r == "*" || r == resource || sub.as_deref() == Some(r))
}

/// Where a rule says `*`, in words.
#[must_use]
pub fn wildcards(rule: &Value) -> Vec<String> {
    let all =
        [("apiGroups", "/apiGroups"), ("resources", "/resources"), ("verbs", "/verbs"), ("URLs", "/nonResourceURLs")];
    let starred = all.into_iter().filter(|(_, pointer)| texts(rule, pointer).any(|t| t == "*"));
    starred.map(|(words, _)| format!("{words}: *")).collect()
}

/// Whether a rule allows everything.
#[must_use]
pub fn is_everything(rule: &Value) -> bool {
    ["/apiGroups", "/resources", "/verbs"].iter().all(|p| texts(rule, p).any(|t| t == "*"))
}

/// Whether Kubernetes made this role or binding at its start and keeps it so: by label and by name, since both can be
/// written by whoever may write roles. Campaigns have made bindings such as `system:controller:kube-controller`.
#[must_use]
pub fn is_bootstrap(object: &Value) -> bool {
    mark(object, "labels", "kubernetes.io/bootstrapping") == Some("rbac-defaults") && is_bootstrap_name(name(object))
}

fn is_bootstrap_name(name: &str) -> bool {
    if let Some(controller) = name.strip_prefix("system:controller:") {
        return super::builtin::CONTROLLERS.contains(&controller);
    }
    super::builtin::ROLES.contains(&name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn power(name: &str) -> &'static Power {
        POWERS.iter().find(|p| p.name == name).unwrap_or(&POWERS[0])
    }

    fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> Value {
        json!({"apiGroups": groups, "resources": resources, "verbs": verbs})
    }

    #[test]
    fn powers_are_found_by_name_and_by_star() {
        for (rule, name, expected) in [
            (rule(&[""], &["secrets"], &["list"]), "read_secrets", true),
            (rule(&["*"], &["*"], &["*"]), "read_secrets", true),
            (rule(&[""], &["secrets"], &["create"]), "read_secrets", false),
            (rule(&["apps"], &["secrets"], &["get"]), "read_secrets", false),
            (rule(&[""], &["*/proxy"], &["get"]), "proxy_nodes", true),
            (rule(&[""], &["nodes"], &["get"]), "proxy_nodes", false),
            (rule(&["apps"], &["deployments"], &["create"]), "create_pods", true),
            (rule(&["rbac.authorization.k8s.io"], &["clusterroles"], &["escalate"]), "bind_or_escalate", true),
        ] {
            assert_eq!(gives(&rule, power(name)), expected, "{name}: {rule}");
        }
    }

    #[test]
    fn a_rule_for_named_objects_gives_power_over_those_alone() {
        let mut named = rule(&[""], &["secrets"], &["get"]);
        named["resourceNames"] = json!(["one"]);
        assert!(!gives(&named, power("read_secrets")));
    }

    #[test]
    fn a_role_binding_finds_a_role_in_its_own_namespace_only() {
        let role = |space: &str| json!({"kind": "Role", "metadata": {"name": "r", "namespace": space}, "rules": []});
        let binding = json!({"kind": "RoleBinding", "metadata": {"name": "b", "namespace": "a"},
            "roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "ServiceAccount", "name": "default"}]});
        let objects = Objects::of([role("b"), binding.clone()]);
        assert!(grants(&objects).all(|g| g.role.is_none()));
        let objects = Objects::of([role("a"), binding]);
        assert!(grants(&objects).all(|g| g.role.is_some()));
        let subjects: Vec<_> = by_subject(&objects).into_keys().collect();
        assert_eq!(subjects[0].namespace, "a");
    }

    #[test]
    fn a_binding_that_only_looks_built_in_is_not() {
        let binding = |name: &str| json!({"metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}});
        assert!(is_bootstrap(&binding("system:controller:job-controller")));
        assert!(!is_bootstrap(&binding("system:controller:kube-controller")));
        assert!(!is_bootstrap(&json!({"metadata": {"name": "cluster-admin"}})));
    }
}
