//! A rule, explained.

use picket_checks::Book;
use picket_checks::rules::rule::{Case, Condition};
use picket_checks::rules::{Rule, words};
use serde::Serialize;

use crate::assess::tone;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

#[derive(Debug, Serialize)]
struct Explained {
    rule: String,
    title: String,
    severity: picket_model::Severity,
    layer: picket_checks::rules::Layer,
    looks_at: String,
    beside: Vec<String>,
    applies_when: Vec<String>,
    otherwise: Option<String>,
    holds_when: Vec<String>,
    why: String,
    fix: String,
    action: Option<String>,
    approval: Option<String>,
    guard: Option<String>,
    controls: Vec<String>,
    file: String,
    cases: Vec<Told>,
    next: String,
}

#[derive(Debug, Serialize)]
struct Told {
    name: String,
    expect: &'static str,
}

/// Explains a rule.
///
/// # Errors
/// If it cannot be written.
pub(super) fn run(book: &Book, rule: &Rule, session: &Session) -> Result<Exit, Failure> {
    let (applies_when, otherwise) = match &rule.when {
        Some((when, because)) => (lines(when), Some(because.clone())),
        None => (Vec::new(), None),
    };
    let told = |c: &Case| Told { name: c.name.clone(), expect: c.expect };
    session.show.answer(&Explained {
        rule: rule.name.clone(),
        title: rule.title.clone(),
        severity: rule.severity,
        layer: rule.layer,
        looks_at: rule.select.clone(),
        beside: rule.joins.iter().map(|j| j.kind.clone()).collect(),
        applies_when,
        otherwise,
        holds_when: lines(&rule.check),
        why: rule.why.clone(),
        fix: rule.fix.how.clone(),
        action: rule.fix.action.clone(),
        approval: rule.fix.approval.clone(),
        guard: rule.fix.guard.clone(),
        controls: book.benchmarks().controls_of(&rule.name).to_vec(),
        file: format!("rules/{}", rule.file.trim_start_matches("rules/")),
        cases: rule.cases.iter().map(told).collect(),
        next: session.command("assess"),
    })?;
    Ok(Exit::Done)
}

fn lines(condition: &Condition) -> Vec<String> {
    words::condition(condition)
}

impl Reply for Explained {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        page.line(Tone::Strong, format!("{}  {}", self.rule, self.title)).gap();
        page.field("severity", Text::toned(tone(self.severity), self.severity.to_string()));
        page.field("layer", self.layer.to_string());
        let beside =
            if self.beside.is_empty() { String::new() } else { format!(", beside {}", self.beside.join(", ")) };
        page.field("looks at", format!("{}{beside}", self.looks_at));
        many(&mut page, "only when", &self.applies_when);
        if let Some(otherwise) = &self.otherwise {
            page.field("else", format!("not applicable: {otherwise}"));
        }
        many(&mut page, "holds", &self.holds_when);
        page.field("why", self.why.clone()).field("fix", self.fix.clone());
        if let Some(action) = &self.action {
            let approval = self.approval.as_ref().map(|a| format!(", approval: {a}")).unwrap_or_default();
            page.field("action", format!("{action}{approval}"));
        }
        if let Some(guard) = &self.guard {
            page.field("guard", guard.clone());
        }
        many(&mut page, "asked by", &self.controls);
        page.field("file", self.file.clone()).gap();
        let row = |c: &Told| -> Vec<Text> { vec![c.expect.into(), c.name.clone().into()] };
        page.table(&["CASE", "SHOWS"], &[], self.cases.iter().map(row).collect());
        page.next(Some(&self.next)).done()
    }
}

fn many(page: &mut Page, label: &str, lines: &[String]) {
    for (n, line) in lines.iter().enumerate() {
        page.field(if n == 0 { label } else { "" }, line.clone());
    }
}
