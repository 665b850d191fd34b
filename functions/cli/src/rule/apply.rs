//! `picket rule apply`: a folder of your own rules, put in force in a deployment.

use std::path::Path;

use picket_checks::rules::cases;
use picket_pipeline::posture::Findings as _;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::posture::folder;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Tone};

#[derive(Debug, Serialize)]
struct Applied {
    version: String,
    rules: usize,
    files: usize,
    next: String,
}

/// Tests the folder and puts it in force.
///
/// # Errors
/// If something in it is wrong, or AWS denies it; then nothing is put.
pub(super) async fn run(dir: &Path, session: &Session) -> Result<Exit, Failure> {
    let book = folder::book(dir)?;
    let own: Vec<_> = book.own_rules().iter().filter_map(|name| book.rules().get(name)).collect();
    let wrong =
        own.iter().flat_map(|r| cases::run(r)).count() + own.iter().filter(|r| !cases::lacking(r).is_empty()).count();
    if wrong > 0 {
        let hint = session.command(format!("rule test {}", dir.display()));
        return Err(Failure::refused(format!("{wrong} cases are wrong or missing; nothing is put in force")).hint(hint));
    }
    let files = folder::files(dir)?;
    let (aws, _) = session.known().await?;
    session.show.wait("applying the rules", aws.table().put_rule_files(&files)).await?;
    let next = session.command(format!("assess --rules {}", dir.display()));
    session.show.answer(&Applied { version: book.version.clone(), rules: own.len(), files: files.len(), next })?;
    Ok(Exit::Done)
}

impl Reply for Applied {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        let says = format!(
            "{} rules in {} files are in force from the next assessment on; version {}",
            self.rules, self.files, self.version
        );
        page.line(Tone::Good, says).next(Some(&self.next)).done()
    }
}
