//! A report of the collector as a `node` document: unpacked, its configuration files read, its signs of mining named.
//! The schema of a report is `infra/node/node.schema.json`. How a report is had is `run_command`'s.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{derived, mining};

/// The schema that is read here.
const SCHEMA: i64 = 1;
/// What ends a packed report: one without it was cut off.
const END: &str = "end";
/// The most that a report may hold when it is unpacked, in bytes.
const MOST: u64 = 16 * 1024 * 1024;

/// A report that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Its end is missing.
    #[error("the node's report was cut off; ask for fewer parts at once")]
    CutOff,
    /// It is something else.
    #[error("this is no report of a node: {0}")]
    Malformed(String),
    /// A newer collector made it.
    #[error(
        "the node's report has the schema {0}, and {SCHEMA} is known here; update Picket, or its document for nodes"
    )]
    Unknown(i64),
}

/// A report as the collector wrote it: JSON, or packed by gzip and base64 with `end` behind it.
///
/// # Errors
/// If it was cut off, or is something else.
pub fn read(text: &str) -> Result<Value, ReportError> {
    let text = text.trim();
    let json = if text.starts_with('{') { text.to_owned() } else { unpacked(text)? };
    let report: Value = serde_json::from_str(&json).map_err(|e| ReportError::Malformed(e.to_string()))?;
    match report.get("schema").and_then(Value::as_i64) {
        Some(SCHEMA) => Ok(report),
        Some(other) => Err(ReportError::Unknown(other)),
        None => Err(ReportError::Malformed("it has no `schema`".to_owned())),
    }
}

fn unpacked(text: &str) -> Result<String, ReportError> {
    let mut words = text.split_whitespace();
    let (packed, end) = (words.next().unwrap_or_default(), words.next());
    if end != Some(END) {
        return Err(ReportError::CutOff);
    }
    let bytes = STANDARD.decode(packed).map_err(|e| ReportError::Malformed(e.to_string()))?;
    let mut json = String::new();
    let unpacking = flate2::read::GzDecoder::new(bytes.as_slice()).take(MOST).read_to_string(&mut json);
    unpacking.map_err(|e| ReportError::Malformed(e.to_string()))?;
    Ok(json)
}

/// Two reports about different parts of one node as one.
#[must_use]
pub fn joined(first: Value, second: Value) -> Value {
    let (Value::Object(mut first), Value::Object(second)) = (first, second) else { return Value::Null };
    for (name, value) in second {
        match (first.get_mut(&name), value) {
            (Some(Value::Object(had)), Value::Object(more)) => had.extend(more),
            (_, value) => drop(first.insert(name, value)),
        }
    }
    Value::Object(first)
}

/// The facts of a `node` document.
#[must_use]
pub fn facts(report: &Value, instance: &str, cluster: &str) -> Value {
    let mut facts = report.as_object().cloned().unwrap_or_default();
    facts.remove("schema");
    facts.remove("at");
    facts.insert("instance".to_owned(), instance.into());
    facts.insert("cluster".to_owned(), cluster.into());
    facts.insert("kubelet".to_owned(), kubelet(&report["kubelet"]));
    facts.insert("kubernetes".to_owned(), files(&report["kubernetes"]));
    for part in ["containerd", "docker"] {
        if report.get(part).is_some_and(Value::is_object) {
            facts.insert(part.to_owned(), files(&report[part]));
        }
    }
    if report.get("processes").is_none_or(|p| p.as_object().is_none_or(Map::is_empty)) {
        facts.insert("processes".to_owned(), planned(report));
    }
    derived::add(&mut facts, day_of(report));
    if report.get("mining").is_some() {
        facts.insert("mining".to_owned(), mining::signs(report));
    }
    Value::Object(facts)
}

/// The day on which it was made, in days since 1970.
fn day_of(report: &Value) -> i64 {
    let at = report.get("at").and_then(Value::as_str).and_then(|t| t.parse::<jiff::Timestamp>().ok());
    at.map_or(i64::MAX, |t| t.as_second() / (24 * 3600))
}

/// The kubelet's file with its drop-ins over it, in their order.
fn kubelet(kubelet: &Value) -> Value {
    let Some(file) = kubelet.pointer("/config/text").and_then(Value::as_str) else { return json!({}) };
    let drop_ins = kubelet.get("drop_ins").and_then(Value::as_array).into_iter().flatten();
    let config = drop_ins.filter_map(Value::as_str).fold(parsed(file), |under, text| over(under, parsed(text)));
    json!({"config": config})
}

/// Members that are files, `{path, text}`, as what they say; the rest as it is.
fn files(part: &Value) -> Value {
    let members = part.as_object().into_iter().flatten();
    let read = |v: &Value| v.get("text").and_then(Value::as_str).map_or_else(|| v.clone(), parsed);
    members.map(|(name, v)| (name.clone(), read(v))).collect::<Map<_, _>>().into()
}

/// YAML or JSON; null if it is neither, so that it counts as not read.
fn parsed(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or(Value::Null)
}

/// A file laid over another: objects are joined, all else is replaced.
fn over(under: Value, above: Value) -> Value {
    match (under, above) {
        (Value::Object(mut under), Value::Object(above)) => {
            for (name, value) in above {
                let before = under.remove(&name).unwrap_or(Value::Null);
                under.insert(name, over(before, value));
            }
            Value::Object(under)
        }
        (under, Value::Null) => under,
        (_, above) => above,
    }
}

/// Where no processes were to be seen, as in the files of a stopped machine: what its static pods would run.
fn planned(report: &Value) -> Value {
    let pods = report.pointer("/kubernetes/static_pods").and_then(Value::as_object).into_iter().flatten();
    pods.map(|(path, pod)| (path.clone(), json!({"argv": pod.get("argv")}))).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(report: &Value, end: &str) -> String {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(report.to_string().as_bytes()).unwrap();
        format!("{}{end}\n", STANDARD.encode(gzip.finish().unwrap()))
    }

    #[test]
    fn a_report_is_read_plain_and_packed_and_never_half() {
        let report = json!({"schema": 1, "unread": {}});
        assert_eq!(read(&report.to_string()), Ok(report.clone()));
        assert_eq!(read(&packed(&report, " end")), Ok(report.clone()));
        assert_eq!(read(&packed(&report, "")), Err(ReportError::CutOff));
        assert_eq!(read(&json!({"schema": 2}).to_string()), Err(ReportError::Unknown(2)));
        assert!(matches!(read("{}"), Err(ReportError::Malformed(_))));
    }

    #[test]
    fn the_kubelets_drop_ins_lie_over_its_file() {
        let report = json!({"kubelet": {
            "config": {"path": "/k", "text": "readOnlyPort: 10255\nauthentication:\n  anonymous:\n    enabled: false\n"},
            "drop_ins": ["readOnlyPort: 0\n"],
        }});
        let config = &facts(&report, "i-1", "prod")["kubelet"]["config"];
        assert_eq!(config["readOnlyPort"], 0);
        assert_eq!(config["authentication"]["anonymous"]["enabled"], false);
    }

    #[test]
    fn a_file_that_cannot_be_parsed_counts_as_not_read() {
        let report = json!({"kubelet": {"config": {"path": "/k", "text": "a: [unfinished"}}});
        assert_eq!(facts(&report, "i-1", "")["kubelet"]["config"], Value::Null);
    }

    #[test]
    fn the_static_pods_of_a_stopped_machine_stand_for_its_processes() {
        let pods = json!({"static_pods": {"/etc/kubernetes/manifests/a.yaml": {"argv": ["kube-apiserver"]}}});
        let made = facts(&json!({"kubernetes": pods}), "i-1", "");
        assert_eq!(made["processes"]["/etc/kubernetes/manifests/a.yaml"]["argv"], json!(["kube-apiserver"]));
    }

    #[test]
    fn parts_that_were_told_apart_are_one_report() {
        let one =
            joined(json!({"schema": 1, "unread": {"a": "x"}, "files": {}}), json!({"unread": {"b": "y"}, "sshd": {}}));
        assert_eq!(one, json!({"schema": 1, "unread": {"a": "x", "b": "y"}, "files": {}, "sshd": {}}));
    }
}
