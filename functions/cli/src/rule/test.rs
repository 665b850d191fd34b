//! `picket rule test`: a user's folder, held to the same as ours.

use std::path::Path;

use jiff::Timestamp;
use picket_checks::rules::cases;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::posture::folder;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Tone};

#[derive(Debug, Serialize)]
struct Tested {
    version: String,
    rules: usize,
    cases: usize,
    waivers: usize,
    /// Cases that came out otherwise, rules that lack cases.
    failures: Vec<String>,
    /// What is not wrong and still wants a look.
    remarks: Vec<String>,
    next: Option<String>,
}

/// Tests.
///
/// # Errors
/// If a file cannot be read or used; says where.
pub(super) fn run(dir: &Path, session: &Session) -> Result<Exit, Failure> {
    let book = folder::book(dir)?;
    folder::settings(dir)?;
    let own: Vec<_> = book.own_rules().iter().filter_map(|name| book.rules().get(name)).collect();
    let mut failures: Vec<String> = own.iter().flat_map(|r| cases::run(r)).map(|f| f.to_string()).collect();
    for rule in &own {
        let lacking = cases::lacking(rule);
        if !lacking.is_empty() {
            failures.push(format!("{}: {}: no case for {}", rule.file, rule.name, lacking.join(" and ")));
        }
    }
    let ended = book.waivers.ended(Timestamp::now());
    let remarks = ended.map(|w| format!("waivers.yaml: the waiver of {} for {} ended {}", w.rule, w.asset, w.until));
    let tested = Tested {
        version: book.version.clone(),
        rules: own.len(),
        cases: own.iter().map(|r| r.cases.len()).sum(),
        waivers: book.waivers.iter().count(),
        remarks: remarks.collect(),
        next: failures.is_empty().then(|| session.command(format!("assess --rules {}", dir.display()))),
        failures,
    };
    session.show.answer(&tested)?;
    Ok(if tested.failures.is_empty() { Exit::Done } else { Exit::Found })
}

impl Reply for Tested {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        let counts =
            format!("{} rules, {} cases, {} waivers; version {}", self.rules, self.cases, self.waivers, self.version);
        match self.failures.len() {
            0 => page.line(Tone::Good, format!("all is well: {counts}")),
            n => page.line(Tone::Bad, format!("{n} wrong: {counts}")),
        };
        self.failures.iter().for_each(|f| {
            page.line(Tone::Plain, f);
        });
        self.remarks.iter().for_each(|r| {
            page.line(Tone::Warn, r);
        });
        page.next(self.next.as_deref()).done()
    }
}
