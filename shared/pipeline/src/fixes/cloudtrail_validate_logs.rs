//! Let CloudTrail sign its log files, so that a changed or missing one is found.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("cloudtrail_validate_logs", &["cloudtrail:DescribeTrails", "cloudtrail:UpdateTrail"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("on", json!(true))])
}
