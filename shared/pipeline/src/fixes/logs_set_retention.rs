//! Keep the logs of a group for so many days at least. Logs that never expire, or are kept longer, stay so: shortening
//! would delete them.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "logs_set_retention",
    &["logs:DeleteRetentionPolicy", "logs:DescribeLogGroups", "logs:PutRetentionPolicy"],
    plan,
);

/// CloudWatch Logs takes these only.
const DAYS: [i64; 23] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653, 10000];

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let wanted = seen.number("days", 365, 1, 3653)?;
    let Some(days) = DAYS.iter().find(|d| **d >= wanted) else {
        return Err(Not::Wrong(format!("logs cannot be kept for {wanted} days")));
    };
    match seen.now.get("days").and_then(Value::as_i64) {
        None => Err(Not::Already),
        Some(there) if there >= *days => Err(Not::Already),
        Some(_) => set(seen.now, &[("days", json!(days))]),
    }
}
