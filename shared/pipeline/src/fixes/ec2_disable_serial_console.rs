//! No serial console of any instance can be opened in a Region: it passes by every security group.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "ec2_disable_serial_console",
    &["ec2:DisableSerialConsoleAccess", "ec2:EnableSerialConsoleAccess", "ec2:GetSerialConsoleAccessStatus"],
    plan,
);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("on", json!(false))])
}
