//! Tighten the mode of one file of a node, through Systems Manager: the mode and owner of before are kept there and here.
//! Guard: only files of Kubernetes, its runtime and etcd; a mode is only ever tightened.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "node_set_file_mode",
    &["ec2:DescribeInstances", "ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation", "ssm:SendCommand"],
    plan,
);

/// Where files of a node may be changed.
const BELOW: [&str; 7] = [
    "/etc/kubernetes/",
    "/etc/cni/",
    "/etc/containerd/",
    "/etc/docker/",
    "/var/lib/kubelet/",
    "/var/lib/etcd",
    "/etc/eks/",
];

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let (path, wanted) = (seen.text("path")?, seen.text("mode")?);
    if path.contains("..") || !BELOW.iter().any(|b| path.starts_with(b)) {
        return Err(Not::Guarded(format!("only files below {} are changed", BELOW.join(", "))));
    }
    let octal = |text: &str| u32::from_str_radix(text, 8).ok().filter(|m| *m <= 0o777);
    let there = seen.now.get("mode").and_then(Value::as_str).and_then(octal);
    match (there, octal(wanted)) {
        (None, _) => Err(Not::Wrong(format!("the mode of {path} was not read"))),
        (_, None) => Err(Not::Wrong("`mode` is octal, such as 600".to_owned())),
        (Some(now), Some(to)) if now & to == now => Err(Not::Already),
        (Some(now), Some(to)) => set(seen.now, &[("mode", json!(format!("{:o}", now & to)))]),
    }
}
