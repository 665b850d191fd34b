//! `picket audit bundle`: everything that is known of a case, gathered.

use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use picket_aws::{Table, Vault};
use picket_model::{CaseId, Finding, Fix, Hold, Scope};
use picket_pipeline::ports::{Answer, FixStore as _, Holds as _};
use picket_pipeline::posture::Findings as _;
use picket_report::audit::bundle::{About, CHAIN, File, pack, text};
use picket_report::audit::{Segment, chain, verify};
use serde::Serialize;

use super::{archive, source};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{Aws, Session};
use crate::show::{Page, Paint, Reply, Tone};

/// What was packed.
#[derive(Debug, Serialize)]
struct Packed {
    file: String,
    bytes: usize,
    /// Of the archive itself.
    sha256: String,
    files: Vec<Listed>,
    remarks: Vec<String>,
    next: Option<String>,
}

#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    bytes: usize,
    what: String,
}

/// A bundle in the making.
struct Gathered {
    files: Vec<File>,
    remarks: Vec<String>,
    chain_ended: Option<(u64, String)>,
}

/// Gathers, packs and writes.
pub async fn run(case: &CaseId, out: Option<PathBuf>, session: &Session) -> Result<Exit, Failure> {
    let out = out.unwrap_or_else(|| PathBuf::from(format!("{case}.tar.gz")));
    archive::is_free(&out)?;
    let (aws, caller) = session.known().await?;
    let scope = aws.scope(&caller);
    let gathered = session.show.wait("gathering the evidence", gather(&aws, &scope, case)).await?;
    if gathered.files.is_empty() {
        let hint =
            format!("`{}` and `{}` list cases", session.command("holds --all"), session.command("fix list --all"));
        return Err(Failure::refused(format!("nothing is known of {case}")).hint(hint));
    }
    let about = About {
        case: case.clone(),
        scope,
        made_at: Timestamp::now(),
        made_by: format!("picket {}", env!("CARGO_PKG_VERSION")),
        made_for: caller.arn.to_string(),
        chain_ended: gathered.chain_ended,
        remarks: gathered.remarks,
    };
    let files = pack(&about, gathered.files);
    let (bytes, sha256) = archive::write(&out, case.as_str(), about.made_at, &files)?;
    let file = out.display().to_string();
    let next = Some(session.command(format!("audit verify --bundle {file}")));
    let list = |f: &File| Listed { name: f.name.clone(), bytes: f.body.len(), what: f.what.clone() };
    let files = files.iter().map(list).collect();
    session.show.answer(&Packed { file, bytes, sha256, files, remarks: about.remarks, next })?;
    Ok(Exit::Done)
}

async fn gather(aws: &Aws, scope: &Scope, case: &CaseId) -> Result<Gathered, Failure> {
    let mut found = Gathered { files: Vec::new(), remarks: Vec::new(), chain_ended: None };
    let table = aws.table();
    let journal = table.journal(case).await?;
    let lines = journal.iter().filter_map(|e| serde_json::to_string(e).ok()).map(|l| l + "\n").collect::<String>();
    found.add("journal.jsonl", lines, "the journal as the table has it: what was meant, done and verified");
    let subjects = held(&table, scope, case, &mut found).await?;
    findings(&table, scope, &subjects, &mut found).await;
    let vault = source::vault(aws, &scope.account).await;
    match vault {
        Ok(vault) => records(&vault, scope, case, &mut found).await,
        Err(error) => found.remarks.push(format!("the audit chain is not included: {error}")),
    }
    match aws.functions().variable("respond", "PICKET_EVIDENCE_BUCKET").await {
        Ok(bucket) => evidence(&Vault::new(&aws.clients, &bucket, &scope.account), scope, case, &mut found).await,
        Err(error) => found.remarks.push(format!("the evidence bucket is not included: {error}")),
    }
    Ok(found)
}

/// The holds and the fix of the case; says what they are about.
async fn held(table: &Table, scope: &Scope, case: &CaseId, found: &mut Gathered) -> Result<Vec<String>, Failure> {
    let mut holds: Vec<Hold> = table.holds(scope).await?;
    holds.retain(|h| h.case == *case || h.also.contains(case));
    let fix: Option<Fix> = table.fix(scope, case).await?;
    let mut subjects: Vec<String> = holds.iter().map(|h| h.instance.to_string()).collect();
    subjects.extend(fix.iter().flat_map(|f| f.steps.iter().map(|s| s.aim.target.to_string())));
    if !holds.is_empty() {
        found.add(
            "holds.json",
            pretty(&holds),
            "the holds, each with its capture: the state before, interface by interface",
        );
    }
    if let Some(fix) = &fix {
        found.add("fix.json", pretty(fix), "the fix, with what was there before each step");
    }
    Ok(subjects)
}

async fn findings(table: &Table, scope: &Scope, subjects: &[String], found: &mut Gathered) {
    match table.findings(&scope.account).await {
        Ok(mut all) => {
            all.retain(|f: &Finding| subjects.iter().any(|s| f.asset == *s || f.asset.ends_with(&format!("/{s}"))));
            if !all.is_empty() {
                found.add("findings.json", pretty(&all), "the findings about what the case is about, as of now");
            }
        }
        Err(error) => found.remarks.push(format!("the findings are not included: {error}")),
    }
}

/// The case's records, as they lie in the bucket, and whether the whole chain is intact.
async fn records(vault: &Vault, scope: &Scope, case: &CaseId, found: &mut Gathered) {
    let segments: Answer<Vec<Segment>> = source::segments(vault, &source::prefix(scope)).await;
    let chain = match segments {
        Ok(segments) => verify::chain(segments, None),
        Err(error) => return found.remarks.push(format!("the audit chain is not included: {error}")),
    };
    if !chain.problems.is_empty() {
        let count = chain.problems.len();
        found.remarks.push(format!("the audit chain had {count} problems; `picket audit verify` names them"));
    }
    found.chain_ended = chain.last().map(|r| (r.seq, r.hash.clone()));
    let mine: Vec<_> = chain.records.into_iter().map(|(_, r)| r).filter(|r| r.case() == case.as_str()).collect();
    found.add(CHAIN, chain::segment(&mine), "the records of the audit chain about this case");
}

/// What was kept of each instance when it was cut off.
async fn evidence(vault: &Vault, scope: &Scope, case: &CaseId, found: &mut Gathered) {
    let prefix = format!("{}/{}/{case}/", scope.account, scope.region);
    let keys = match vault.keys(&prefix, None).await {
        Ok(keys) => keys,
        Err(error) => return found.remarks.push(format!("the evidence bucket is not included: {error}")),
    };
    for key in keys {
        let rest = key.strip_prefix(&prefix).unwrap_or(&key);
        if !is_plain(rest) {
            found.remarks.push(format!("s3://{}/{key} is not included: its name would lead elsewhere", vault.name()));
            continue;
        }
        match vault.read(&key).await {
            Ok(body) => {
                let what = format!("s3://{}/{key}: what was known when it was cut off", vault.name());
                found.files.push(File { name: format!("evidence/{rest}"), body, what });
            }
            Err(error) => found.remarks.push(format!("s3://{}/{key} is not included: {error}", vault.name())),
        }
    }
}

/// Whether a name stays inside the folder that it is unpacked into, on any system.
fn is_plain(name: &str) -> bool {
    let inside = Path::new(name).components().all(|c| matches!(c, Component::Normal(_)));
    inside && !name.is_empty() && !name.ends_with('/') && !name.contains(['\\', ':', '\n'])
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

impl Gathered {
    /// Adds a file, unless it is empty.
    fn add(&mut self, name: &str, body: String, what: &str) {
        if !body.is_empty() {
            self.files.push(text(name, body, what));
        }
    }
}

impl Reply for Packed {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        page.line(Tone::Good, format!("{}, {} bytes, {} files", self.file, self.bytes, self.files.len()));
        page.line(Tone::Dim, format!("sha256 {}", self.sha256)).gap();
        let row = |f: &Listed| vec![f.name.clone().into(), f.bytes.to_string().into(), f.what.clone().into()];
        page.table(&["FILE", "BYTES", "WHAT"], &[1], self.files.iter().map(row).collect());
        for remark in &self.remarks {
            page.gap().line(Tone::Warn, remark);
        }
        page.next(self.next.as_deref()).done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_of_the_archive_are_left_out() {
        assert!(is_plain("i-12345678/evidence.json"));
        for name in ["../x", "/etc/passwd", "a/../../x", "", "a/", "c:\\x", "a\nb", "./../x"] {
            assert!(!is_plain(name), "{name:?}");
        }
    }
}
