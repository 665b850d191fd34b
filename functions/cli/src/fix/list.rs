//! `picket fix list`: what was fixed, proposed and put back.

use jiff::Timestamp;
use picket_model::Scope;
use picket_model::fix::{Fix, FixState};
use picket_pipeline::ports::FixStore as _;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone, age};

/// The list.
#[derive(Debug, Serialize)]
struct Board {
    scope: Scope,
    at: Timestamp,
    fixes: Vec<Fix>,
    /// How many more there are that are over and are not shown.
    over: usize,
    next: Option<String>,
}

/// Shows it.
///
/// # Errors
/// If AWS cannot be reached, or denies it.
pub async fn run(all: bool, session: &Session) -> Result<Exit, Failure> {
    let (aws, caller) = session.known().await?;
    let (scope, table) = (aws.scope(&caller), aws.table());
    let mut fixes = session.show.wait("reading the fixes", table.fixes(&scope)).await?;
    let count = fixes.len();
    fixes.retain(|f| all || !matches!(f.state, FixState::Undone | FixState::Denied | FixState::Failed));
    fixes.sort_by_key(|f| std::cmp::Reverse(f.at));
    let at = Timestamp::now();
    let asked = fixes.iter().find(|f| f.is_asked(at)).map(|f| session.command(format!("approve {}", f.id)));
    let made = fixes.iter().find(|f| f.state == FixState::Fixed);
    let next = asked.or_else(|| made.map(|f| session.command(format!("fix undo {} --reason \"...\"", f.id))));
    session.show.answer(&Board { scope, at, over: count - fixes.len(), fixes, next })?;
    Ok(Exit::Done)
}

impl Reply for Board {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        let place = format!("account {}, {}", self.scope.account, self.scope.region);
        if self.fixes.is_empty() {
            page.line(Tone::Good, format!("nothing is fixed or proposed in {place}"));
        } else {
            page.line(Tone::Strong, format!("fixes in {place}")).gap();
            page.table(&["FIX", "STATE", "SINCE", "WHAT"], &[], self.fixes.iter().map(|f| row(f, self.at)).collect());
        }
        if self.over > 0 {
            page.gap().line(Tone::Dim, format!("{} are over; `--all` shows them", self.over));
        }
        page.next(self.next.as_deref()).done()
    }
}

fn row(fix: &Fix, at: Timestamp) -> Vec<Text> {
    let tone = match fix.state {
        FixState::Fixed => Tone::Good,
        FixState::Proposed | FixState::Applying | FixState::Undoing => Tone::Warn,
        FixState::Failed => Tone::Bad,
        FixState::Denied | FixState::Undone => Tone::Dim,
    };
    vec![
        fix.id.as_str().into(),
        Text::toned(tone, fix.state.to_string()),
        format!("{} ago", age(at.duration_since(fix.at))).into(),
        fix.words().join("; ").into(),
    ]
}
