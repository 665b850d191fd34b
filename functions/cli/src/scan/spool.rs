//! The file of a scan: its head, then a line for each account and Region as it is done. It is what a cut-off scan goes on
//! from, and what the answer is made of, so that a large organization need not fit into memory. Only its owner reads it.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use picket_model::{AccountId, Region, Scope, Untrusted};
use picket_pipeline::scan::Scanned;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Of the file's form.
pub(super) const VERSION: u32 = 1;

/// What a scan is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Of the form.
    pub version: u32,
    /// When it began.
    pub at: Timestamp,
    /// The caller's account.
    pub account: AccountId,
    /// The caller.
    pub caller: Untrusted,
    /// Whether all accounts of the organization are meant.
    pub organization: bool,
    /// Only these Regions; none for all.
    pub regions: Vec<Region>,
}

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "line")]
pub enum Line {
    /// The first.
    Head(Head),
    /// An account and Region.
    Place(Box<Scanned>),
    /// An account, or one Region of it, that could not be looked at.
    Failed {
        /// The account.
        account: AccountId,
        /// The Region; none for all of the account.
        region: Option<Region>,
        /// Why.
        reason: String,
    },
    /// The last: how long it took.
    Done {
        /// When.
        at: Timestamp,
    },
}

/// The file of one scan.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    head: Head,
    file: Mutex<File>,
    done: BTreeSet<(AccountId, Region)>,
}

/// Where the scans of an account are kept.
pub(super) fn usual(account: &AccountId) -> Result<PathBuf, Failure> {
    let folder = folder().ok_or_else(|| Failure::usage("there is no home folder").hint("name a file with `--file`"))?;
    std::fs::create_dir_all(&folder).map_err(|e| failed("making", &folder, e))?;
    Ok(folder.join(format!("scan-{account}.jsonl")))
}

fn folder() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|v| !v.is_empty()).map(PathBuf::from);
    let home =
        || std::env::var_os("HOME").filter(|v| !v.is_empty()).map(|home| PathBuf::from(home).join(".local/state"));
    Some(state.or_else(home)?.join("picket"))
}

/// The last scan of an account, if there is one.
pub fn newest(account: &AccountId) -> Option<Spool> {
    let path = folder()?.join(format!("scan-{account}.jsonl"));
    Spool::open(&path).ok()
}

impl Spool {
    /// A new file, in the place of an older one.
    pub(super) fn begin(path: &Path, head: Head) -> Result<Self, Failure> {
        let file = create(path)?;
        let spool = Self { path: path.to_owned(), head: head.clone(), file: Mutex::new(file), done: BTreeSet::new() };
        spool.put(&Line::Head(head))?;
        Ok(spool)
    }

    /// The file of a scan that was not finished, if it is about the same; else a new one.
    pub(super) fn resume(path: &Path, head: Head) -> Result<Self, Failure> {
        if !path.exists() {
            return Self::begin(path, head);
        }
        let mut spool = Self::open(path)?;
        let same = |h: &Head| (h.account.clone(), h.organization, h.regions.clone());
        if same(&spool.head) != same(&head) {
            let what = format!("the scan in `{}` is about other accounts or Regions", path.display());
            return Err(Failure::usage(what).hint("scan without `--resume`, or with the options of that scan"));
        }
        // What failed is tried again, and a line that a crash cut off goes: only whole places are taken over.
        let beside = path.with_extension("next");
        let next = Self::begin(&beside, spool.head.clone())?;
        for line in spool.lines()? {
            match line? {
                Line::Place(place) => {
                    next.put(&Line::Place(place.clone()))?;
                    let Scope { account, region } = place.survey.scope;
                    spool.done.insert((account, region));
                }
                Line::Done { .. } => return Self::begin(path, head),
                Line::Head(_) | Line::Failed { .. } => {}
            }
        }
        std::fs::rename(&beside, path).map_err(|e| failed("renaming", &beside, e))?;
        spool.file = next.file;
        Ok(spool)
    }

    fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|e| failed("opening", path, e))?;
        let mut first = String::new();
        BufReader::new(&file).read_line(&mut first).map_err(|e| failed("reading", path, e))?;
        match serde_json::from_str(&first) {
            Ok(Line::Head(head)) if head.version == VERSION => {
                Ok(Self { path: path.to_owned(), head, file: Mutex::new(file), done: BTreeSet::new() })
            }
            _ => {
                let what = format!("`{}` is not the file of a scan of this version", path.display());
                Err(Failure::usage(what).hint("scan without `--resume`"))
            }
        }
    }

    /// What the scan is about.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this place was done before.
    pub(super) fn has(&self, scope: &Scope) -> bool {
        self.done.contains(&(scope.account.clone(), scope.region.clone()))
    }

    /// Adds a line, whole or not at all.
    pub(super) fn put(&self, line: &Line) -> Result<(), Failure> {
        let mut text = serde_json::to_string(line).map_err(|e| failed("writing", &self.path, e))?;
        text.push('\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(text.as_bytes()).map_err(|e| failed("writing", &self.path, e))
    }

    /// The lines, one by one. A last line that was cut off by a crash is left out.
    pub fn lines(&self) -> Result<impl Iterator<Item = Result<Line, Failure>> + use<>, Failure> {
        let file = File::open(&self.path).map_err(|e| failed("opening", &self.path, e))?;
        let path = self.path.clone();
        let lines = BufReader::new(file).lines();
        let mut lines = lines.peekable();
        Ok(std::iter::from_fn(move || {
            let text = match lines.next()? {
                Ok(text) => text,
                Err(error) => return Some(Err(failed("reading", &path, error))),
            };
            match serde_json::from_str(&text) {
                Ok(line) => Some(Ok(line)),
                Err(_) if lines.peek().is_none() => None,
                Err(error) => Some(Err(failed("reading", &path, error))),
            }
        }))
    }
}

fn create(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|e| failed("making", path, e))
}

fn failed(doing: &str, path: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::usage(format!("{doing} `{}`", path.display())).because(error)
}
