//! `picket benchmark list`: how many controls of each benchmark are decided how.

use picket_checks::Book;
use picket_checks::benchmarks::Coverage;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Format, Page, Paint, Reply, Text};

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Listed(Vec<Coverage>);

/// Lists.
///
/// # Errors
/// If the list cannot be written.
pub(super) fn run(book: &Book, session: &Session) -> Result<Exit, Failure> {
    let rows: Vec<_> = book.benchmarks().iter().map(|b| b.coverage(|rule| book.decides(rule))).collect();
    let listed = Listed(rows);
    match session.show.format() {
        Format::Csv => session.show.print(&listed.csv())?,
        _ => session.show.answer(&listed)?,
    }
    Ok(Exit::Done)
}

impl Listed {
    fn csv(&self) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let row = |c: &Coverage| {
            let numbers = [c.total, c.evaluated, c.manual, c.not_applicable, c.pending].map(|n| n.to_string());
            format!("{},{},{},{}", quoted(&c.id), quoted(&c.name), quoted(&c.version), numbers.join(","))
        };
        let head = "id,name,version,total,evaluated,manual,not_applicable,pending".to_owned();
        std::iter::once(head).chain(self.0.iter().map(row)).collect::<Vec<_>>().join("\n")
    }
}

impl Reply for Listed {
    fn text(&self, paint: Paint) -> String {
        let row = |c: &Coverage| -> Vec<Text> {
            let numbers = [c.evaluated, c.manual, c.not_applicable, c.pending, c.total];
            let names = [c.id.as_str(), c.name.as_str(), c.version.as_str()].map(Text::from);
            names.into_iter().chain(numbers.map(|n| n.to_string().into())).collect()
        };
        let head = ["ID", "NAME", "VERSION", "EVALUATED", "MANUAL", "NOT APPLICABLE", "PENDING", "TOTAL"];
        Page::new(paint).table(&head, &[3, 4, 5, 6, 7], self.0.iter().map(row).collect()).done()
    }
}
