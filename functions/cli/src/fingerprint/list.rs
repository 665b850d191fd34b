//! `picket fingerprint list` and `show`.

use picket_checks::fingerprints::catalogue::{Owner, catalogue};
use picket_checks::fingerprints::file;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text};

/// All of them.
#[derive(Debug, Serialize)]
struct Listed {
    fingerprints: Vec<Row>,
    next: String,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    kind: &'static str,
    marks: usize,
    about: String,
}

/// Lists the distributions and the decoys.
///
/// # Errors
/// If it cannot be written.
pub(super) fn list(session: &Session) -> Result<Exit, Failure> {
    let all = catalogue();
    let marks = |owner: Owner| all.marks.iter().filter(|m| m.owner == owner).count();
    let distributions = all.distributions.iter().enumerate().map(|(n, d)| Row {
        name: d.distribution.clone(),
        kind: "distribution",
        marks: marks(Owner::Distribution(n)),
        about: d.says.clone(),
    });
    let decoys = all.decoys.iter().enumerate().map(|(n, d)| Row {
        name: d.decoy.clone(),
        kind: "decoy",
        marks: marks(Owner::Decoy(n)),
        about: d.says.clone(),
    });
    let next = session.command("fingerprint show kops");
    session.show.answer(&Listed { fingerprints: distributions.chain(decoys).collect(), next })?;
    Ok(Exit::Done)
}

impl Reply for Listed {
    fn text(&self, paint: Paint) -> String {
        let row = |r: &Row| -> Vec<Text> {
            vec![r.name.as_str().into(), r.kind.into(), r.marks.to_string().into(), r.about.as_str().into()]
        };
        let rows = self.fingerprints.iter().map(row).collect();
        let mut page = Page::new(paint);
        page.table(&["NAME", "KIND", "MARKS", "ABOUT"], &[2], rows);
        page.next(Some(&self.next)).done()
    }
}

/// One of them, as it is written.
#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    file: &'static str,
}

/// Shows the file of a distribution or a decoy.
///
/// # Errors
/// If there is none of that name.
pub(super) fn show(name: &str, session: &Session) -> Result<Exit, Failure> {
    let Some(file) = file(name) else {
        let hint = format!("`{}` names them all", session.command("fingerprint list"));
        return Err(Failure::usage(format!("there is no fingerprint `{name}`")).hint(hint));
    };
    session.show.answer(&Shown { name: name.to_owned(), file })?;
    Ok(Exit::Done)
}

impl Reply for Shown {
    fn text(&self, _: Paint) -> String {
        self.file.to_owned()
    }
}
