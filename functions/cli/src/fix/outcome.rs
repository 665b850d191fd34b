//! What the function answers, for people.

use picket_model::fix::Fix;
use picket_pipeline::fix::Outcome;
use serde::Serialize;

use crate::exit::Exit;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Tone};

/// What came of it, with the next command.
#[derive(Debug, Serialize)]
pub struct Said {
    #[serde(flatten)]
    outcome: Outcome,
    next: Option<String>,
}

impl Said {
    /// With the command that follows.
    pub fn new(outcome: Outcome, session: &Session) -> Self {
        let undo = |f: &Fix| session.command(format!("fix undo {} --reason \"...\"", f.id));
        let next = match &outcome {
            Outcome::Planned { fix, .. } | Outcome::Denied { fix } => {
                Some(session.command(format!("fix apply {} --reason \"...\"", aimed(fix))))
            }
            Outcome::Asked { fix } => Some(session.command(format!("approve {}", fix.id))),
            Outcome::Fixed { fix } => Some(undo(fix)),
            Outcome::Undone { fix, planned: true, .. } => Some(undo(fix)),
            Outcome::Failed { fix, .. } | Outcome::Undone { fix, .. } => {
                Some(session.command(format!("journal {}", fix.id)))
            }
            Outcome::Later { id, .. } => Some(session.command(format!("journal {id}"))),
            Outcome::Refused { .. } | Outcome::Unknown | Outcome::Changed { .. } => {
                Some(session.command("fix list --all"))
            }
            Outcome::Noted | Outcome::Already | Outcome::LookedAfter { .. } => None,
        };
        Self { outcome, next }
    }

    /// The same before anybody was asked.
    pub fn without_next(self) -> Self {
        Self { next: None, ..self }
    }

    /// With which code to end.
    pub fn exit(&self) -> Exit {
        match self.outcome {
            Outcome::Refused { .. } | Outcome::Failed { .. } | Outcome::Changed { .. } | Outcome::Unknown => {
                Exit::Found
            }
            _ => Exit::Done,
        }
    }
}

/// The fix as a person orders it again: by action and target where it is one without parameters.
fn aimed(fix: &Fix) -> String {
    match fix.steps.as_slice() {
        [one] if one.aim.with.is_empty() => format!("{} {}", one.aim.action, one.aim.target),
        _ => fix.id.to_string(),
    }
}

impl Reply for Said {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        match &self.outcome {
            Outcome::Planned { fix, asks, stays } => {
                steps(&mut page, "would change", fix);
                if let Some(asks) = asks {
                    page.line(Tone::Warn, format!("people are asked first: {asks}"));
                }
                list(&mut page, "does not come back with an undo", stays);
            }
            Outcome::Fixed { fix } => steps(&mut page, "fixed, and read back", fix),
            Outcome::Asked { fix } => asked(&mut page, fix),
            Outcome::Undone { fix, stays, planned } => {
                steps(&mut page, if *planned { "would put back" } else { "put back" }, fix);
                list(&mut page, "stays", stays);
            }
            Outcome::Failed { fix, why } => {
                page.line(Tone::Bad, format!("not fixed: {why}"));
                steps(&mut page, "put back as it was", fix);
            }
            Outcome::Denied { fix } => {
                page.line(Tone::Warn, format!("{} is not made", fix.id));
            }
            Outcome::Changed { differences } => {
                page.line(Tone::Bad, "not put back: somebody changed it since");
                list(&mut page, "-", differences);
                page.line(Tone::Plain, "look at it first; `--force` puts back all the same");
            }
            other => one_line(&mut page, other),
        }
        page.next(self.next.as_deref()).done()
    }
}

fn one_line(page: &mut Page, outcome: &Outcome) {
    match outcome {
        Outcome::Already => page.line(Tone::Good, "nothing to do: it is so already"),
        Outcome::Noted => page.line(Tone::Dim, "the policy only notes it"),
        Outcome::Refused { why } => page.line(Tone::Bad, format!("not done: {why}")),
        Outcome::Later { why, .. } => page.line(Tone::Warn, format!("not done yet, it goes on by itself: {why}")),
        Outcome::Unknown => page.line(Tone::Warn, "there is no such fix in this account and Region"),
        Outcome::LookedAfter { fixes } => page.line(Tone::Good, format!("fixes looked after: {fixes}")),
        _ => page,
    };
}

fn steps(page: &mut Page, head: &str, fix: &Fix) {
    page.line(Tone::Strong, format!("{head} ({}):", fix.id));
    for step in &fix.steps {
        page.line(Tone::Plain, format!("- {}", step.says));
    }
}

fn list(page: &mut Page, label: &str, lines: &[String]) {
    for line in lines {
        page.line(Tone::Dim, format!("{label}: {line}"));
    }
}

fn asked(page: &mut Page, fix: &Fix) {
    page.line(Tone::Warn, "people were asked; nothing is changed until one of them says yes");
    steps(page, "would change", fix);
    if let Some(approval) = &fix.approval {
        page.field("because", approval.because.clone()).field("until", approval.expires_at.to_string());
    }
}
