//! A namespace: its pod-security labels, and whether its default service account hands its token to every pod.

use picket_pipeline::Permit;
use picket_pipeline::ports::{Answer, Sight};
use serde_json::{Map, Value, json};

use super::word;
use crate::server::ApiServer;

const LABEL: &str = "pod-security.kubernetes.io/";
const MODES: [&str; 3] = ["audit", "enforce", "warn"];

/// The levels that are set, by mode.
pub(super) async fn read_labels(server: &ApiServer, space: &str) -> Answer<Sight> {
    let found = server.get("reading a namespace", &format!("/api/v1/namespaces/{space}")).await?;
    let level = |mode: &str| found["metadata"]["labels"][format!("{LABEL}{mode}")].as_str().map(ToOwned::to_owned);
    let set = MODES.iter().filter_map(|mode| Some(((*mode).to_owned(), json!(level(mode)?))));
    Ok(Sight { now: Value::Object(set.collect()), facts: json!({}) })
}

pub(super) async fn write_labels(
    permit: &Permit,
    server: &ApiServer,
    space: &str,
    from: &Value,
    to: &Value,
) -> Answer<()> {
    let mut labels = Map::new();
    for mode in MODES {
        // Only what differs is named: a mode that is not ours to change is not in the patch.
        if from.get(mode) != to.get(mode) {
            labels.insert(format!("{LABEL}{mode}"), to.get(mode).cloned().unwrap_or_default());
        }
    }
    let (doing, path) = ("labelling a namespace", format!("/api/v1/namespaces/{space}"));
    Ok(server.merge(permit, doing, &path, &json!({"metadata": {"labels": labels}})).await?)
}

/// What the default service account says of its token, and the pods that get it now.
pub(super) async fn read_account(server: &ApiServer, space: &str) -> Answer<Sight> {
    let account = server.get("reading a service account", &account(space)).await?;
    let at = format!("/api/v1/namespaces/{space}/pods");
    let users = server.list("listing the pods of a namespace", &at, |pod| uses_the_token(&pod).then_some(pod)).await?;
    let names: Vec<&str> = users.iter().map(|p| word(p, "/metadata/name")).collect();
    Ok(Sight { now: json!({"automount": account["automountServiceAccountToken"]}), facts: json!({"pods": names}) })
}

pub(super) async fn write_account(permit: &Permit, server: &ApiServer, space: &str, to: &Value) -> Answer<()> {
    let patch = json!({"automountServiceAccountToken": to["automount"]});
    Ok(server.merge(permit, "changing a service account", &account(space), &patch).await?)
}

fn account(space: &str) -> String {
    format!("/api/v1/namespaces/{space}/serviceaccounts/default")
}

/// A pod's own word beats its account's; one that says nothing gets the token.
fn uses_the_token(pod: &Value) -> bool {
    let account = word(pod, "/spec/serviceAccountName");
    (account.is_empty() || account == "default") && pod["spec"]["automountServiceAccountToken"].is_null()
}
