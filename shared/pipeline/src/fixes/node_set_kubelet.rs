//! Change one setting of a node's kubelet, through Systems Manager: a backup, the change, a restart, a look at its health, and
//! the backup again where it is not healthy. One node at a time.
//! Guard: settings that are known here, and a node whose kubelet is healthy before.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "node_set_kubelet",
    &["ec2:DescribeInstances", "ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation", "ssm:SendCommand"],
    plan,
)
.asking("it restarts the kubelet of a node");

/// What may be set, and to what.
const SETTINGS: [(&str, &[&str]); 9] = [
    ("authentication.anonymous.enabled", &["false"]),
    ("authorization.mode", &["Webhook"]),
    ("readOnlyPort", &["0"]),
    ("streamingConnectionIdleTimeout", &["4h0m0s", "5m0s"]),
    ("makeIPTablesUtilChains", &["true"]),
    ("eventRecordQPS", &["0", "5", "50"]),
    ("rotateCertificates", &["true"]),
    ("protectKernelDefaults", &["true"]),
    ("seccompDefault", &["true"]),
];

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let field = seen.text("field")?;
    let wanted =
        seen.with.get("value").map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).unwrap_or_default();
    let Some((_, values)) = SETTINGS.iter().find(|(name, _)| *name == field) else {
        let names: Vec<_> = SETTINGS.iter().map(|(name, _)| *name).collect();
        return Err(Not::Wrong(format!("`{field}` is not set here; there are {}", names.join(", "))));
    };
    if !values.contains(&wanted.as_str()) {
        return Err(Not::Wrong(format!("{field} is set to {} only", values.join(" or "))));
    }
    if !Seen::flag(seen.facts, "healthy")? {
        return Err(Not::Guarded("its kubelet is not healthy; mend that first".to_owned()));
    }
    // Numbers and switches are what the file holds, not texts.
    let value = serde_json::from_str::<Value>(&wanted).unwrap_or_else(|_| json!(wanted));
    set(seen.now, &[("value", value)])
}
