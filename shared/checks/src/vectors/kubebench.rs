//! kube-bench's table of its comparison operators. Its `has` and `nothave` are substrings, as an import would say with
//! `compat: substring`; what cannot be compared does not hold.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Ours, Says, Vector};
use crate::rules::Catalogue;
use crate::rules::operator::Operator;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(default)]
    label: String,
    op: Option<String>,
    #[serde(default)]
    flag_val: String,
    #[serde(default)]
    compare_value: String,
    #[serde(default)]
    test_result: String,
}

pub(super) fn judge(text: &str, _: &Catalogue) -> Result<Vec<Vector>, String> {
    let rows: Vec<Value> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let rows = rows.into_iter().map(|r| serde_json::from_value::<Row>(r).map_err(|e| e.to_string()));
    rows.enumerate().map(|(n, row)| row.map(|row| vector(n, &row))).collect()
}

fn vector(n: usize, row: &Row) -> Vector {
    let ours = match &row.op {
        Some(op) => Ours::Says(says(holds(op, &row.flag_val, &row.compare_value))),
        None => Ours::NotCovered("the row is not about an operator".to_owned()),
    };
    Vector {
        rule: row.op.clone().unwrap_or_default(),
        case: if row.label.is_empty() { format!("row {}", n + 1) } else { row.label.clone() },
        theirs: says(row.test_result == "true"),
        ours,
        facts: Vec::new(),
    }
}

fn holds(op: &str, flag: &str, expected: &str) -> bool {
    let substring = matches!(op, "has" | "nothave");
    let expected = Value::String(expected.to_owned());
    let Ok(operator) = Operator::parse(op, Some(&expected), substring) else { return false };
    operator.holds(&Value::String(flag.to_owned()), Timestamp::UNIX_EPOCH).unwrap_or(false)
}

fn says(holds: bool) -> Says {
    if holds { Says::Pass } else { Says::Fail }
}
