//! `picket fix actions`: what can be fixed.

use picket_checks::fixes::{ALL, Known};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

/// One line of the list.
#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    target: &'static str,
    with: &'static [&'static str],
    undo: bool,
    says: &'static str,
}

#[derive(Debug, Serialize)]
struct Actions {
    actions: Vec<Line>,
}

/// Shows the list.
///
/// # Errors
/// If it cannot be written.
pub fn run(word: Option<&str>, session: &Session) -> Result<Exit, Failure> {
    let line = |k: &Known| Line { name: k.name, target: k.target, with: k.with, undo: !k.one_way, says: k.says };
    let actions: Vec<Line> = ALL.iter().filter(|k| word.is_none_or(|w| k.name.contains(w))).map(line).collect();
    if actions.is_empty() {
        return Err(Failure::usage("there is no fix whose name holds that").hint("`picket fix actions` lists them all"));
    }
    session.show.answer(&Actions { actions })?;
    Ok(Exit::Done)
}

impl Reply for Actions {
    fn text(&self, paint: Paint) -> String {
        let row = |l: &Line| -> Vec<Text> {
            let undo = if l.undo { Text::toned(Tone::Good, "yes") } else { Text::toned(Tone::Warn, "no") };
            vec![l.name.into(), l.target.into(), l.with.join(" ").into(), undo, l.says.into()]
        };
        let mut page = Page::new(paint);
        page.table(&["ACTION", "TARGET", "WITH", "UNDO", "WHAT IT DOES"], &[], self.actions.iter().map(row).collect());
        page.next(Some("picket fix plan ACTION TARGET")).done()
    }
}
