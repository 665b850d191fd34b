//! `picket policy check`: as a linter does it, one line with place and reason; or what the policy means.

use std::path::Path;

use picket_checks::{Policy, PolicyError};
use serde::Serialize;

use super::explain;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Tone};

/// What came of the check.
#[derive(Debug, Serialize)]
struct Checked {
    file: String,
    policy: Option<Policy>,
    error: Option<Place>,
    next: Option<String>,
}

/// Where it is wrong, and why.
#[derive(Debug, Serialize)]
struct Place {
    line: u64,
    column: u64,
    reason: String,
}

/// Checks a file.
///
/// # Errors
/// If it cannot be read.
pub(super) fn run(file: &Path, session: &Session) -> Result<Exit, Failure> {
    let text = super::text_of(file)?;
    let name = file.display().to_string();
    let checked = match Policy::parse(&text, &name) {
        Ok(policy) => {
            let next = session.command(format!("policy apply {name}"));
            Checked { file: name, policy: Some(policy), error: None, next: Some(next) }
        }
        Err(PolicyError { line, column, reason, .. }) => {
            Checked { file: name, policy: None, error: Some(Place { line, column, reason }), next: None }
        }
    };
    session.show.answer(&checked)?;
    Ok(if checked.error.is_some() { Exit::Usage } else { Exit::Done })
}

impl Reply for Checked {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        if let Some(Place { line, column, reason }) = &self.error {
            page.line(Tone::Bad, format!("{}:{line}:{column}: {reason}", self.file));
        }
        if let Some(policy) = &self.policy {
            page.line(Tone::Good, format!("{} is a good policy. It means:", self.file)).gap();
            explain::write(&mut page, policy, jiff::Timestamp::now());
        }
        page.next(self.next.as_deref()).done()
    }
}
