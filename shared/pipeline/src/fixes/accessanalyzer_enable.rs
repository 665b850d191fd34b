//! Make an IAM Access Analyzer of the account in a Region that has none.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "accessanalyzer_enable",
    &["access-analyzer:CreateAnalyzer", "access-analyzer:DeleteAnalyzer", "access-analyzer:ListAnalyzers"],
    plan,
)
.staying(&["what the analyzer had found"]);

/// One that somebody else made is enough, and is left alone.
fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    if Seen::flag(seen.facts, "other")? {
        return Err(Not::Already);
    }
    set(seen.now, &[("analyzer", json!("picket"))])
}
