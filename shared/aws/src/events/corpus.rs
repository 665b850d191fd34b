//! Folders of recorded events, decoded and counted: what `picket replay` shows and what a test asserts.
//! Printing is left to the caller.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path};

use picket_model::{Decoded, Drop, TriggerKind};
use serde_json::{Value, json};

use super::{Malformed, decode, decode_all};

/// The list of a folder's files, one JSON object a line: `file`, and the `envelope` that it is in.
const MANIFEST: &str = "MANIFEST.jsonl";

/// Folders inside folders are followed this far.
const DEEPEST: usize = 8;

/// What became of the events of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Files read.
    pub files: usize,
    /// Events in them.
    pub events: usize,
    /// How many would wake us, by kind.
    pub triggers: BTreeMap<TriggerKind, usize>,
    /// How many would be dropped, by reason.
    pub drops: BTreeMap<Drop, usize>,
    /// What could not be read or decoded, in the order of the files.
    pub failures: Vec<Failure>,
}

/// An event that could not be decoded, or a file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The file, from the folder that was read, and the position in it if it holds several events.
    pub file: String,
    /// What is wrong.
    pub reason: String,
}

impl Tally {
    fn count(&mut self, file: &str, outcome: &Result<Decoded, Malformed>) {
        self.events += 1;
        match outcome {
            Ok(Decoded::Trigger(trigger)) => *self.triggers.entry(trigger.kind).or_default() += 1,
            Ok(Decoded::Drop(why)) => *self.drops.entry(*why).or_default() += 1,
            Err(malformed) => self.fail(file, malformed.to_string()),
        }
    }

    fn fail(&mut self, file: &str, reason: String) {
        self.failures.push(Failure { file: file.to_owned(), reason });
    }
}

/// Reads a folder, with the folders in it, or one file. A folder with a `MANIFEST.jsonl` is read by it: files in the
/// envelope `eventbridge` are complete events, `cloudtrail` and `finding` are bare and get their envelope here, others
/// are none of ours. In a folder without one, every `.json` and `.jsonl` file is read as `decode_all` does.
///
/// # Errors
/// If `path` itself cannot be read. A file in it that cannot be read is a failure in the tally.
pub fn read_folder(path: &Path) -> io::Result<Tally> {
    let mut tally = Tally::default();
    if path.is_dir() {
        read_into(&mut tally, path, "", DEEPEST)?;
    } else {
        read_plain(&mut tally, &path.to_string_lossy(), &fs::read_to_string(path)?);
    }
    Ok(tally)
}

fn read_into(tally: &mut Tally, folder: &Path, shown: &str, deeper: usize) -> io::Result<()> {
    let manifest = folder.join(MANIFEST);
    if manifest.is_file() {
        return read_listed(tally, folder, shown, &fs::read_to_string(manifest)?);
    }
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{shown}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() && deeper > 0 {
            if let Err(error) = read_into(tally, &entry.path(), &format!("{name}/"), deeper - 1) {
                tally.fail(&name, error.to_string());
            }
        } else if kind.is_file() && matches!(entry.path().extension(), Some(e) if e == "json" || e == "jsonl") {
            match fs::read_to_string(entry.path()) {
                Ok(text) => read_plain(tally, &name, &text),
                Err(error) => tally.fail(&name, error.to_string()),
            }
        }
    }
    Ok(())
}

fn read_plain(tally: &mut Tally, name: &str, text: &str) {
    tally.files += 1;
    let outcomes = decode_all(text);
    for (position, outcome) in &outcomes {
        let place = if outcomes.len() > 1 { format!("{name}:{position}") } else { name.to_owned() };
        tally.count(&place, outcome);
    }
}

fn read_listed(tally: &mut Tally, folder: &Path, shown: &str, manifest: &str) -> io::Result<()> {
    for line in manifest.lines().filter(|line| !line.trim().is_empty()) {
        let Ok(entry) = serde_json::from_str::<Value>(line) else {
            tally.fail(&format!("{shown}{MANIFEST}"), "a line is not JSON".to_owned());
            continue;
        };
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        if let (Some(file), Some(envelope @ ("cloudtrail" | "eventbridge" | "finding"))) =
            (text("file"), text("envelope"))
        {
            let name = format!("{shown}{file}");
            match read_inside(folder, file) {
                Ok(body) => {
                    tally.files += 1;
                    tally.count(&name, &decode(&enveloped(envelope, body)));
                }
                Err(error) => tally.fail(&name, error.to_string()),
            }
        }
    }
    Ok(())
}

/// A manifest may come from elsewhere, so it reaches no further than its own folder.
fn read_inside(folder: &Path, file: &str) -> io::Result<String> {
    if Path::new(file).components().any(|part| !matches!(part, Component::Normal(_))) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the manifest names a file outside of its folder"));
    }
    fs::read_to_string(folder.join(file))
}

/// What EventBridge would deliver for a bare record; text that is not JSON stays as it is.
fn enveloped(envelope: &str, body: String) -> String {
    let Ok(record) = serde_json::from_str::<Value>(&body) else { return body };
    let field = |keys: [&str; 2]| keys.iter().find_map(|key| record.get(*key)).cloned().unwrap_or(Value::Null);
    let (detail_type, source) = match envelope {
        "cloudtrail" => {
            let service = field(["eventSource", "eventSource"]);
            let service = service.as_str().unwrap_or_default().split('.').next().unwrap_or_default().to_owned();
            (super::API_CALL, format!("aws.{service}"))
        }
        "finding" => ("GuardDuty Finding", "aws.guardduty".to_owned()),
        _ => return body,
    };
    json!({
        "version": "0",
        "detail-type": detail_type,
        "source": source,
        "account": field(["recipientAccountId", "accountId"]),
        "region": field(["awsRegion", "region"]),
        "time": field(["eventTime", "updatedAt"]),
        "detail": record,
    })
    .to_string()
}
