//! `picket benchmark show`: every control, and who decides it.

use picket_checks::Book;
use picket_checks::benchmarks::{Benchmark, By, Control};
use serde::Serialize;

use super::named;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

#[derive(Debug, Serialize)]
struct Shown<'a> {
    id: &'a str,
    name: &'a str,
    version: &'a str,
    controls: Vec<Row<'a>>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    id: &'a str,
    section: &'a str,
    level: u8,
    title: &'a str,
    decided_by: &'static str,
    rules: &'a [String],
    reason: Option<&'a str>,
}

/// Shows.
///
/// # Errors
/// If there is no such benchmark.
pub(super) fn run(id: &str, book: &Book, session: &Session) -> Result<Exit, Failure> {
    let benchmark = named(book, id)?;
    let controls = benchmark.controls.iter().map(|c| row(benchmark, c, book)).collect();
    let Benchmark { id, name, version, .. } = benchmark;
    session.show.answer(&Shown { id, name, version, controls })?;
    Ok(Exit::Done)
}

fn row<'a>(benchmark: &'a Benchmark, control: &'a Control, book: &Book) -> Row<'a> {
    let (decided_by, rules, reason): (_, &[String], _) = match &control.by {
        By::Rules(rules) if rules.iter().any(|r| book.decides(r)) => ("rules", rules, None),
        By::Rules(rules) => ("a person, with evidence", rules, None),
        By::Person(how) => ("a person", &[], Some(how.as_str())),
        By::NotApplicable(why) => ("not applicable", &[], Some(why.as_str())),
        By::Pending(what) => ("pending", &[], Some(what.as_str())),
    };
    let section = benchmark.section(&control.id);
    Row { id: &control.id, section, level: control.level, title: &control.title, decided_by, rules, reason }
}

impl Reply for Shown<'_> {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        page.line(Tone::Strong, format!("{} {}, {} controls", self.name, self.version, self.controls.len()));
        let mut rows: Vec<Vec<Text>> = Vec::new();
        let mut section = "";
        for control in &self.controls {
            if control.section != section {
                flush(&mut page, section, &mut rows);
                section = control.section;
            }
            let by = if control.rules.is_empty() { control.decided_by.to_owned() } else { control.rules.join(", ") };
            let by = control.reason.map_or(by.clone(), |reason| format!("{by}: {reason}"));
            let level = if control.level == 0 { String::new() } else { control.level.to_string() };
            rows.push(vec![control.id.into(), level.into(), control.title.into(), by.into()]);
        }
        flush(&mut page, section, &mut rows);
        page.done()
    }
}

fn flush(page: &mut Page, section: &str, rows: &mut Vec<Vec<Text>>) {
    if rows.is_empty() {
        return;
    }
    page.gap();
    if !section.is_empty() {
        page.line(Tone::Strong, section);
    }
    page.table(&["CONTROL", "LEVEL", "ASKS FOR", "DECIDED BY"], &[1], std::mem::take(rows));
}
