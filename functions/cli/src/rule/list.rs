//! `picket rule list`.

use std::path::PathBuf;

use picket_model::Severity;
use serde::Serialize;

use crate::assess::tone;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::posture::Sources;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Listed(Vec<Row>);

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    severity: Severity,
    select: String,
    title: String,
    action: Option<String>,
    controls: Vec<String>,
    own: bool,
}

/// Lists.
///
/// # Errors
/// If the user's folder cannot be used.
pub(super) fn run(kind: Option<&str>, rules: Option<PathBuf>, session: &Session) -> Result<Exit, Failure> {
    let book = Sources { rules, ..Sources::default() }.book()?;
    let row = |r: &picket_checks::rules::Rule| Row {
        name: r.name.clone(),
        severity: r.severity,
        select: r.select.clone(),
        title: r.title.clone(),
        action: r.fix.action.clone(),
        controls: book.benchmarks().controls_of(&r.name).to_vec(),
        own: book.own_rules().contains(&r.name),
    };
    let rules = book.rules().iter().filter(|r| kind.is_none_or(|k| r.select == k));
    session.show.answer(&Listed(rules.map(row).collect()))?;
    Ok(Exit::Done)
}

impl Reply for Listed {
    fn text(&self, paint: Paint) -> String {
        let row = |r: &Row| -> Vec<Text> {
            vec![
                r.name.clone().into(),
                Text::toned(tone(r.severity), r.severity.to_string()),
                r.select.clone().into(),
                r.title.clone().into(),
            ]
        };
        let mut page = Page::new(paint);
        page.table(&["RULE", "SEVERITY", "LOOKS AT", "HOLDS WHEN"], &[], self.0.iter().map(row).collect());
        page.gap()
            .line(Tone::Dim, format!("{} rules", self.0.len()))
            .next(self.0.first().map(|r| format!("picket explain {}", r.name)).as_deref())
            .done()
    }
}
