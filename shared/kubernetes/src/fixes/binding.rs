//! A binding of roles to subjects, whole enough to be made again: names, labels, annotations, the role, the subjects.

use picket_pipeline::Permit;
use picket_pipeline::ports::{Answer, Kind, PortError, Sight};
use serde_json::{Map, Value, json};

use crate::error::{ApiError, Failure};
use crate::server::ApiServer;

const API: &str = "/apis/rbac.authorization.k8s.io/v1";

/// Where a binding is.
struct Place<'p> {
    kind: &'p str,
    collection: String,
    name: &'p str,
}

impl<'p> Place<'p> {
    fn of(parts: &[&'p str]) -> Answer<Self> {
        let (kind, collection, name) = match *parts {
            ["ClusterRoleBinding", name] => ("ClusterRoleBinding", format!("{API}/clusterrolebindings"), name),
            ["RoleBinding", space, name] => ("RoleBinding", format!("{API}/namespaces/{space}/rolebindings"), name),
            _ => {
                let why = "it is CLUSTER/ClusterRoleBinding/NAME or CLUSTER/RoleBinding/NAMESPACE/NAME";
                return Err(PortError::new("reading the target", parts.join("/"), Kind::Other, why));
            }
        };
        Ok(Self { kind, collection, name })
    }

    fn path(&self) -> String {
        format!("{}/{}", self.collection, self.name)
    }
}

pub(super) async fn read(server: &ApiServer, parts: &[&str]) -> Answer<Sight> {
    let place = Place::of(parts)?;
    let binding = match server.get("reading a binding", &place.path()).await {
        Ok(found) => kept(&found),
        Err(ApiError { failure: Failure::NotFound, .. }) => Value::Null,
        Err(error) => return Err(error.into()),
    };
    Ok(Sight { now: json!({"binding": binding}), facts: json!({}) })
}

/// Nothing is left of it, or it comes back whole, or its subjects change: its role never can.
pub(super) async fn write(permit: &Permit, server: &ApiServer, parts: &[&str], to: &Value) -> Answer<()> {
    let place = Place::of(parts)?;
    let Some(binding) = to.get("binding").filter(|b| b.is_object()) else {
        return Ok(server.delete(permit, "deleting a binding", &place.path()).await?);
    };
    let patch = json!({"subjects": binding["subjects"]});
    match server.merge(permit, "changing a binding", &place.path(), &patch).await {
        Err(ApiError { failure: Failure::NotFound, .. }) => {
            let mut whole = binding.clone();
            whole["apiVersion"] = json!("rbac.authorization.k8s.io/v1");
            whole["kind"] = json!(place.kind);
            Ok(server.create(permit, "making a binding again", &place.collection, &whole).await?)
        }
        answer => Ok(answer?),
    }
}

/// Without what the server sets at each write, so that what comes back reads as what was there.
fn kept(found: &Value) -> Value {
    let meta = |name: &str| Some((name.to_owned(), found["metadata"].get(name)?.clone()));
    let metadata: Map<String, Value> =
        ["annotations", "labels", "name", "namespace"].iter().filter_map(|n| meta(n)).collect();
    let subjects = found.get("subjects").cloned().unwrap_or_else(|| json!([]));
    json!({"metadata": metadata, "roleRef": found["roleRef"], "subjects": subjects})
}
