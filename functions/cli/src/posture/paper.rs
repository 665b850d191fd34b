//! Evidence in a file: what was read once can be judged again, by other rules, without AWS.

use std::path::Path;

use jiff::Timestamp;
use picket_checks::rules::Evidence;
use picket_checks::rules::evidence::Saved;

use crate::failure::Failure;

/// Reads evidence, and when the latest of it was read.
///
/// # Errors
/// If the file cannot be read, or holds something else.
pub fn read(file: &Path) -> Result<(Evidence, Timestamp), Failure> {
    let failed = || Failure::usage(format!("reading the evidence in `{}`", file.display()));
    let text = std::fs::read_to_string(file).map_err(|e| failed().because(e))?;
    let hint = "`picket assess --save-evidence FILE` writes such a file";
    let saved: Saved = serde_json::from_str(&text).map_err(|e| failed().because(e).hint(hint))?;
    let at = saved.documents.iter().map(|d| d.read_at).max().unwrap_or(Timestamp::UNIX_EPOCH);
    Ok((Evidence::from(saved), at))
}

/// Writes evidence.
///
/// # Errors
/// If it cannot be written.
pub fn write(file: &Path, evidence: &Evidence) -> Result<(), Failure> {
    let failed = || Failure::usage(format!("writing the evidence to `{}`", file.display()));
    let text = serde_json::to_string(&evidence.saved()).map_err(|e| failed().because(e))?;
    std::fs::write(file, text).map_err(|e| failed().because(e))
}
