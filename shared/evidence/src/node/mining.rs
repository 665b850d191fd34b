//! Signs that a node mines: processes with a miner's marks, what is preloaded, what cron runs, connections to pools.
//! The node tells of what looks like it; here the marks decide.

use picket_checks::miners;
use serde_json::{Value, json};

use crate::kubernetes::objects::{list, text, texts};

/// The signs in a report, a list a kind of sign; each is empty where there is none.
#[must_use]
pub fn signs(report: &Value) -> Value {
    let found = &report["mining"];
    let lines = |at: &str| texts(found, at).map(ToOwned::to_owned).collect::<Vec<String>>();
    json!({
        "processes": processes(report),
        "preloaded": lines("/preload"),
        "cron": lines("/cron"),
        "programs_in_temporary_folders": lines("/programs"),
        "connections_to_pools": connections(report),
    })
}

/// Command lines with a mark of a miner, with the mark.
fn processes(report: &Value) -> Vec<String> {
    let all = report.get("processes").and_then(Value::as_object).into_iter().flatten();
    let marked = all.filter_map(|(pid, process)| {
        let line = texts(process, "/argv").collect::<Vec<_>>().join(" ");
        let marks = miners::find(&line);
        let first = marks.first()?;
        Some(format!("{} ({}), process {pid}", first.found, first.name))
    });
    marked.collect()
}

/// Connections to ports of pools, each with what runs at this end.
fn connections(report: &Value) -> Vec<String> {
    let sockets = list(report, "/sockets/to_pools").iter();
    let tell = |s: &Value| {
        let pid = text(s, "/pid");
        let of = report.pointer(&format!("/processes/{pid}/argv/0")).and_then(Value::as_str).unwrap_or("unknown");
        format!("{}:{} by {of}", text(s, "/address"), s["port"])
    };
    sockets.map(tell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miner_is_told_with_its_mark_and_a_database_is_not() {
        let report = json!({
            "processes": {
                "1": {"argv": ["/usr/bin/postgres", "-D"]},
                "2": {"argv": ["/tmp/x", "-o", "stratum+tcp://pool.supportxmr.com:3333"]},
            },
            "sockets": {"to_pools": [{"address": "10.0.0.2", "port": 3333, "pid": "2"}]},
            "mining": {"preload": ["/usr/local/lib/hide.so"], "cron": [], "programs": []},
        });
        let signs = signs(&report);
        assert_eq!(signs["processes"].as_array().map(Vec::len), Some(1));
        assert!(signs["processes"][0].as_str().is_some_and(|s| s.ends_with("process 2")), "{signs}");
        assert_eq!(signs["connections_to_pools"], json!(["10.0.0.2:3333 by /tmp/x"]));
        assert_eq!(signs["preloaded"], json!(["/usr/local/lib/hide.so"]));
    }

    #[test]
    fn a_clean_node_has_no_sign() {
        let clean = signs(&json!({"processes": {"1": {"argv": ["/sbin/init"]}}, "mining": {"preload": []}}));
        assert!(clean.as_object().is_some_and(|s| s.values().all(|v| *v == json!([]))), "{clean}");
    }
}
