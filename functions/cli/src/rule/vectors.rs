//! `picket rule vectors`: other projects' test cases against our judgement, rule by rule.

use std::collections::BTreeMap;
use std::path::Path;

use picket_checks::Book;
use picket_checks::vectors::{Adjudicated, Suite, Tally, tally};
use picket_evidence::vectors::suites;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

#[derive(Debug, Serialize)]
struct Held {
    suites: BTreeMap<String, BTreeMap<String, Tally>>,
    total: Total,
    #[serde(skip)]
    notes: bool,
}

#[derive(Debug, Default, Serialize)]
struct Total {
    agreed: usize,
    adjudicated: usize,
    disagreed: usize,
    not_covered: usize,
}

/// Holds our rules against the files of a folder.
///
/// # Errors
/// If there is none that we know, or one cannot be read.
pub(super) fn run(folder: &Path, notes: bool, session: &Session) -> Result<Exit, Failure> {
    let book = Book::built_in().map_err(|e| Failure::usage("reading the rules that are built in").because(e))?;
    let adjudicated = Adjudicated::built_in().map_err(|e| Failure::usage("reading what is adjudicated").because(e))?;
    let mut judged = BTreeMap::new();
    for suite in suites() {
        if folder.join(suite.file).exists() {
            judged.insert(suite.file.to_owned(), one(folder, suite, &book, &adjudicated)?);
        }
    }
    if judged.is_empty() {
        let known: Vec<_> = suites().map(|s| s.file).collect();
        let what = format!("`{}` holds no vectors that are known", folder.display());
        return Err(Failure::usage(what).hint(format!("known are {}", known.join(", "))));
    }
    let mut total = Total::default();
    for tally in judged.values().flat_map(BTreeMap::values) {
        total.agreed += tally.agreed;
        total.adjudicated += tally.adjudicated;
        total.disagreed += tally.disagreed;
        total.not_covered += tally.not_covered;
    }
    let held = Held { suites: judged, total, notes };
    session.show.answer(&held)?;
    Ok(if held.total.disagreed == 0 { Exit::Done } else { Exit::Found })
}

fn one(
    folder: &Path,
    suite: &Suite,
    book: &Book,
    adjudicated: &Adjudicated,
) -> Result<BTreeMap<String, Tally>, Failure> {
    let file = folder.join(suite.file);
    let failed = || Failure::usage(format!("reading the vectors in `{}`", file.display()));
    let text = std::fs::read_to_string(&file).map_err(|e| failed().because(e))?;
    let vectors = (suite.judge)(&text, book.rules()).map_err(|e| failed().because(e))?;
    Ok(tally(suite.file, &vectors, adjudicated))
}

impl Reply for Held {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        for (suite, rules) in &self.suites {
            page.gap().line(Tone::Strong, suite);
            let row = |(rule, t): (&String, &Tally)| -> Vec<Text> {
                let disagreed =
                    Text::toned(if t.disagreed == 0 { Tone::Plain } else { Tone::Bad }, t.disagreed.to_string());
                let [agreed, adjudicated, not_covered] =
                    [t.agreed, t.adjudicated, t.not_covered].map(|n| Text::from(n.to_string()));
                vec![rule.clone().into(), agreed, adjudicated, disagreed, not_covered]
            };
            let head = ["RULE", "AGREED", "ADJUDICATED", "DISAGREED", "NOT COVERED"];
            page.table(&head, &[1, 2, 3, 4], rules.iter().map(row).collect());
            for (rule, tally) in rules.iter().filter(|(_, t)| self.notes || t.disagreed > 0) {
                tally.notes.iter().for_each(|note| {
                    page.line(Tone::Dim, format!("  {rule}: {note}"));
                });
            }
        }
        let t = &self.total;
        let total = format!(
            "{} agreed, {} adjudicated, {} disagreed, {} not covered",
            t.agreed, t.adjudicated, t.disagreed, t.not_covered
        );
        page.gap().line(if t.disagreed == 0 { Tone::Good } else { Tone::Bad }, total).done()
    }
}
