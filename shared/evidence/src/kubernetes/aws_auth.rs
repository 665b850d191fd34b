//! The `aws-auth` config map of EKS: which IAM identities it lets in beside the access entries.

use serde_json::{Value, json};

use super::objects::{Objects, list, name, namespace, text, texts};

/// Who is let in; `exists` is false where there is no such map.
#[must_use]
pub fn facts(objects: &Objects) -> Value {
    let maps = objects.list("ConfigMap").iter();
    let Some(map) = maps.clone().find(|m| name(m) == "aws-auth" && namespace(m) == "kube-system") else {
        return json!({"exists": false, "roles": [], "users": [], "masters": []});
    };
    let roles = entries(map, "/data/mapRoles");
    let users = entries(map, "/data/mapUsers");
    let arns = |of: &[Value], key: &str| of.iter().map(|e| text(e, key).to_owned()).collect::<Vec<_>>();
    let is_master = |e: &&Value| texts(e, "/groups").any(|g| g == "system:masters");
    let both = roles.iter().chain(&users).filter(is_master);
    let masters: Vec<_> = both.map(|e| [text(e, "/rolearn"), text(e, "/userarn")].concat()).collect();
    json!({
        "exists": true,
        "roles": arns(&roles, "/rolearn"),
        "users": arns(&users, "/userarn"),
        "masters": masters,
    })
}

/// The entries are YAML within a string of the map.
fn entries(map: &Value, pointer: &str) -> Vec<Value> {
    let parsed: Value = serde_saphyr::from_str(text(map, pointer)).unwrap_or(Value::Null);
    list(&parsed, "").to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_users_and_masters_are_read_from_the_yaml_within() {
        let roles = "- rolearn: arn:aws:iam::111122223333:role/nodes\n  groups: [system:nodes]\n\
            - rolearn: arn:aws:iam::111122223333:role/ops\n  groups:\n  - system:masters\n";
        let map = json!({"kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"},
            "data": {"mapRoles": roles, "mapUsers": "not: [yaml"}});
        let facts = facts(&Objects::of([map]));
        assert_eq!(facts["masters"], json!(["arn:aws:iam::111122223333:role/ops"]));
        assert_eq!(facts["roles"].as_array().map(Vec::len), Some(2));
        assert_eq!(facts["users"], json!([]));
    }

    #[test]
    fn a_cluster_without_the_map_says_so() {
        assert_eq!(facts(&Objects::default())["exists"], false);
    }
}
