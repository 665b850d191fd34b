//! One node by the report of its collector, without AWS: `sh collector.sh plain > report.json` on the node makes one.

use std::path::Path;

use jiff::Timestamp;
use picket_checks::rules::Evidence;
use picket_evidence::kubernetes::from_node;
use picket_evidence::node::report;
use picket_model::{AccountId, Document, Fact};

use crate::failure::Failure;

/// A report names no account.
const NO_ACCOUNT: &str = "000000000000";
/// The name of a node whose file has none.
const UNNAMED: &str = "node";

/// The evidence of a node, which is named as its file, and when it was read.
///
/// # Errors
/// If the file cannot be read, or holds something else.
pub fn read(file: &Path) -> Result<(Evidence, Timestamp), Failure> {
    let failed = || Failure::usage(format!("reading the node's report in `{}`", file.display()));
    let text = std::fs::read_to_string(file).map_err(|e| failed().because(e))?;
    let hint = "`python infra/node/build.py --script` prints the collector; run it on the node as root with `plain`";
    let report = report::read(&text).map_err(|e| failed().because(e).hint(hint))?;
    let account = AccountId::parse(NO_ACCOUNT).map_err(|e| failed().because(e.to_string()))?;
    let at = report.get("at").and_then(|a| a.as_str()).and_then(|a| a.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    let name = file.file_stem().and_then(|s| s.to_str()).unwrap_or(UNNAMED).to_owned();
    let facts = Fact::known(report::facts(&report, &name, ""), file.display().to_string());
    let node = Document { kind: "node".to_owned(), account, region: None, id: name, read_at: at, facts };
    let mut evidence = Evidence::default();
    evidence.add(from_node::documents(&node));
    evidence.add([node]);
    Ok((evidence, at))
}
