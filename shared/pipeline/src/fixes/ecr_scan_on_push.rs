//! Scan the images of a repository when they are pushed.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action =
    Action::new("ecr_scan_on_push", &["ecr:DescribeRepositories", "ecr:PutImageScanningConfiguration"], plan);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    set(seen.now, &[("on", json!(true))])
}
