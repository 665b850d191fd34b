//! Counts and times, in CloudWatch's embedded metric format: a log line that CloudWatch turns into a metric.
//! Source: CloudWatch user guide, "Embedded metric format specification".

use serde_json::json;

/// Where all metrics live.
const NAMESPACE: &str = "Picket";

/// How long something took, in milliseconds.
pub fn took(name: &str, dimension: &str, of: &str, ms: i64) {
    write(name, dimension, of, "Milliseconds", ms.max(0));
}

/// Counts `value` of `name` for one value of one dimension, such as `TriggersDropped` by `Reason`.
pub fn count(name: &str, dimension: &str, of: &str, value: usize) {
    write(name, dimension, of, "Count", value);
}

fn write(name: &str, dimension: &str, of: &str, unit: &str, value: impl serde::Serialize) {
    let line = json!({
        "_aws": {
            "Timestamp": now_ms(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [[dimension]],
                "Metrics": [{ "Name": name, "Unit": unit }],
            }],
        },
        dimension: of,
        name: value,
    });
    println!("{line}");
}

fn now_ms() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_millis())
}
