//! kube-bench's own table of its operators, where it is at hand: ours come to the same, or the disagreement is written
//! down with its reason.

use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::rules::operator::Operator;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(default)]
    op: String,
    #[serde(default)]
    flag_val: String,
    #[serde(default)]
    compare_value: String,
    test_result: String,
}

/// What ours comes to when it reads the flag as kube-bench does; what cannot be told does not hold.
fn ours(row: &Row) -> bool {
    let substring = matches!(row.op.as_str(), "has" | "nothave");
    let value = Value::String(row.compare_value.clone());
    let Ok(operator) = Operator::parse(&row.op, Some(&value), substring) else { return false };
    operator.holds(&Value::String(row.flag_val.clone()), Timestamp::UNIX_EPOCH).unwrap_or(false)
}

#[test]
fn kube_bench_s_operators_come_to_the_same() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/kubebench_compareop.json");
    let Ok(text) = std::fs::read_to_string(file) else { return };
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let rows: Vec<Row> = rows.into_iter().filter_map(|r| serde_json::from_value(r).ok()).collect();
    assert!(rows.len() > 50);
    for row in rows {
        let expected = row.test_result == "true";
        assert_eq!(ours(&row), expected, "{} `{}` `{}`", row.op, row.flag_val, row.compare_value);
    }
}
