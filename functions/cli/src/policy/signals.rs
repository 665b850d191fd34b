//! `picket policy signals`: the published table of weights.

use picket_checks::signals;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text};

/// The table.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Published(Vec<Row>);

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    weight: u8,
    about: &'static str,
}

/// Prints the table.
///
/// # Errors
/// If it cannot be written.
pub(super) fn run(session: &Session) -> Result<Exit, Failure> {
    let row = |s: &signals::Signal| Row { name: s.name, weight: s.weight, about: s.about };
    session.show.answer(&Published(signals::ALL.iter().map(row).collect()))?;
    Ok(Exit::Done)
}

impl Reply for Published {
    fn text(&self, paint: Paint) -> String {
        let row = |r: &Row| -> Vec<Text> { vec![r.name.into(), r.weight.to_string().into(), r.about.into()] };
        let rows = self.0.iter().map(row).collect();
        Page::new(paint).table(&["SIGNAL", "WEIGHT", "ABOUT"], &[1], rows).done()
    }
}
