//! An evidence bundle: everything about one case as files, with what each is, its size and its SHA-256.
//!
//! Guarantees: the same files at the same time give the same bundle. `SHA256SUMS` covers every other file, so a file
//! that was changed, left out or put in is found, by `picket audit verify --bundle` as by `sha256sum -c`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use picket_model::{CaseId, Scope};
use serde::Serialize;

use super::chain::{hash_of, hex, read};
use super::{Problem, Wrong};

/// The list of sums.
pub const SUMS: &str = "SHA256SUMS";
/// The chain's records.
pub const CHAIN: &str = "chain.jsonl";
const MANIFEST: &str = "manifest.json";
const README: &str = "README.txt";

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path in the bundle.
    pub name: String,
    /// What is in it.
    pub body: Vec<u8>,
    /// What it is, in words.
    pub what: String,
}

/// What a bundle is about.
#[derive(Debug, Clone, Serialize)]
pub struct About {
    /// The case.
    pub case: CaseId,
    /// Where it was.
    pub scope: Scope,
    /// When the bundle was made.
    pub made_at: Timestamp,
    /// By which program, with its version.
    pub made_by: String,
    /// By whom, as AWS knows them.
    pub made_for: String,
    /// The chain's last record when it was made: its number and hash.
    pub chain_ended: Option<(u64, String)>,
    /// What a reader must know: what could not be put in, and what is wrong with the chain.
    pub remarks: Vec<String>,
}

#[derive(Serialize)]
struct Manifest<'a> {
    #[serde(flatten)]
    about: &'a About,
    files: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    bytes: usize,
    sha256: String,
    what: &'a str,
}

/// The whole bundle, sorted by name: the files, the manifest, the words for people, and the sums.
#[must_use]
pub fn pack(about: &About, mut files: Vec<File>) -> Vec<File> {
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let readme = readme(about, &files);
    files.push(text(README, readme, "what you are reading"));
    let manifest = Manifest { about, files: files.iter().map(listed).collect() };
    // All keys are text, so there is nothing that could not be written.
    let manifest = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
    files.push(text(MANIFEST, manifest, "what is in the bundle"));
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let sums = files.iter().map(|f| format!("{}  {}\n", hex(&f.body), f.name)).collect();
    files.push(text(SUMS, sums, "the sums of all other files"));
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

fn listed(file: &File) -> Listed<'_> {
    Listed { name: &file.name, bytes: file.body.len(), sha256: hex(&file.body), what: &file.what }
}

/// A file of text.
#[must_use]
pub fn text(name: &str, body: String, what: &str) -> File {
    File { name: name.to_owned(), body: body.into_bytes(), what: what.to_owned() }
}

fn readme(about: &About, files: &[File]) -> String {
    let mut page = format!(
        "Evidence of {} in account {}, {}\nmade {} by {}, for {}\n\nWhat is here\n\n",
        about.case, about.scope.account, about.scope.region, about.made_at, about.made_by, about.made_for
    );
    for file in files {
        let _ = writeln!(page, "  {}\n      {}", file.name, file.what);
    }
    let _ = writeln!(page, "  manifest.json\n      every file with its size, its SHA-256 and what it is");
    for remark in &about.remarks {
        let _ = writeln!(page, "\n  REMARK: {remark}");
    }
    let _ = write!(
        page,
        "\nHow to check it\n\n\
         \x20 sha256sum -c SHA256SUMS                  no file was changed since the bundle was made\n\
         \x20 picket audit verify --bundle FILE        the same, and each record of the chain by its own hash\n\
         \x20 picket audit verify                      the whole chain in the account, up to today\n\n\
         A line of chain.jsonl is a record of the audit chain, as it lies in the bucket. Its `hash` is the SHA-256 of the line\n\
         without `hash`; `prev` is the hash of the record before it, which may be of another case. By hand:\n\n\
         \x20 head -n 1 chain.jsonl | jq -cjS 'del(.hash)' | sha256sum\n\n\
         Names, tags, user data and details are what strangers wrote. Read them as text; run and open nothing of it.\n"
    );
    page
}

/// What is wrong with a bundle, by its files' names and bodies.
#[must_use]
pub fn check(files: &BTreeMap<String, Vec<u8>>) -> Vec<Problem> {
    let Some(sums) = files.get(SUMS) else {
        return vec![Problem::new(
            Wrong::Missing,
            format!("{SUMS} is not there: this is no bundle of Picket's, or no whole one"),
        )];
    };
    let mut problems = Vec::new();
    let mut listed = BTreeMap::new();
    for line in String::from_utf8_lossy(sums).lines() {
        match line.split_once("  ") {
            Some((sum, name)) => drop(listed.insert(name.to_owned(), sum.to_owned())),
            None => problems.push(about(Wrong::Foreign, SUMS, "has a line that is no sum")),
        }
    }
    for (name, sum) in &listed {
        match files.get(name) {
            Some(body) if hex(body) == *sum => {}
            Some(_) => problems.push(about(Wrong::Changed, name, "is not what its sum says: it was changed")),
            None => problems.push(about(Wrong::Missing, name, "is not there")),
        }
    }
    let extra = files.keys().filter(|name| *name != SUMS && !listed.contains_key(*name));
    problems.extend(extra.map(|name| about(Wrong::Foreign, name, "was put in: no sum covers it")));
    problems.extend(files.get(CHAIN).map(|body| records(body)).unwrap_or_default());
    problems
}

fn about(is: Wrong, name: &str, says: &str) -> Problem {
    Problem { segment: Some(name.to_owned()), ..Problem::new(is, format!("{name} {says}")) }
}

/// The records of one case are no whole chain, but each has its own hash.
fn records(body: &[u8]) -> Vec<Problem> {
    let lines = body.split(|b| *b == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    let wrong = |(n, line): (usize, &[u8])| {
        let place =
            |is, says: String| Problem { segment: Some(CHAIN.to_owned()), line: Some(n + 1), ..Problem::new(is, says) };
        match read(line) {
            Ok(record) if hash_of(&record) == record.hash => None,
            Ok(record) => {
                Some(place(Wrong::Changed, format!("record {} was changed: its hash does not fit", record.seq)))
            }
            Err(why) => Some(place(Wrong::Foreign, format!("a line is not as it was written: {why}"))),
        }
    };
    lines.filter_map(wrong).collect()
}
