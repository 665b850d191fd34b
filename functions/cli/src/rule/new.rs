//! `picket rule new`: a first rule that already passes its cases, to be changed.

use std::path::Path;

use picket_checks::rules::{Kind, Type, catalogue};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Tone};

#[derive(Debug, Serialize)]
struct Made {
    rule: String,
    file: String,
    next: String,
}

/// Makes the file.
///
/// # Errors
/// If the name or the kind is none, or the file is there already.
pub(super) fn run(name: &str, kind: &str, folder: &Path, session: &Session) -> Result<Exit, Failure> {
    let (group, rest) = name.split_once('_').filter(|(g, r)| is_name(g) && is_name(r)).ok_or_else(|| {
        Failure::usage(format!("`{name}` is no name of a rule")).hint("a folder, `_` and a name: house_bucket_named")
    })?;
    let kinds = catalogue::kinds().map_err(|e| Failure::usage("reading the kinds that are built in").because(e))?;
    let known = || Failure::usage(format!("there is no kind `{kind}`")).hint("`picket rule kinds` lists them");
    let kind = kinds.get(kind).ok_or_else(known)?;
    let file = folder.join("rules").join(group).join(format!("{rest}.yaml"));
    let failed = || Failure::usage(format!("writing `{}`", file.display()));
    if file.exists() {
        return Err(failed().because("it is there already"));
    }
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).map_err(|e| failed().because(e))?;
    }
    std::fs::write(&file, text(kind)).map_err(|e| failed().because(e))?;
    let next = session.command(format!("rule test {}", folder.display()));
    session.show.answer(&Made { rule: name.to_owned(), file: file.display().to_string(), next })?;
    Ok(Exit::Done)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// A rule about the first plain field of the kind.
fn text(kind: &Kind) -> String {
    let field = match &kind.fields {
        Type::Object(fields) => fields.iter().find(|(_, of)| **of == Type::String).map(|(name, _)| name.as_str()),
        _ => None,
    };
    let (field, good, bad) = field.map_or(("name", "right", "wrong"), |f| (f, "right", "wrong"));
    format!(
        "title: The {field} is {good}          # what holds when the rule passes\n\
         wrong: The {field} is not {good}      # what a finding says\n\
         severity: medium                      # low medium high critical\n\
         layer: foundation                     # foundation network os runtime kubernetes workload\n\
         select: {kind}                        # `picket rule kinds {kind}` shows its fields\n\
         check: {{at: {field}, op: eq, value: {good}}}\n\
         why: Say what an attacker, or an accident, makes of it.\n\
         fix: {{how: Say what to do.}}\n\
         cases:\n  \
           - {{name: it is right, pass: {{{field}: {good}}}}}\n  \
           - {{name: it is wrong, fail: {{{field}: {bad}}}}}\n  \
           - {{name: it was not read, unknown: {{}}}}\n",
        kind = kind.name
    )
}

impl Reply for Made {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        page.line(Tone::Good, format!("{} is begun in {}", self.rule, self.file)).next(Some(&self.next)).done()
    }
}

#[cfg(test)]
mod tests {
    use picket_checks::Book;

    use super::*;

    #[test]
    fn what_is_begun_passes_its_own_cases() {
        for kind in ["eks.cluster", "aws.account"] {
            let kind = catalogue::kinds().unwrap().get(kind).unwrap();
            let book = Book::with(&[("rules/house/first.yaml".to_owned(), text(kind))]).unwrap();
            let rule = book.rules().get("house_first").unwrap();
            assert_eq!(picket_checks::rules::cases::run(rule), []);
            assert_eq!(picket_checks::rules::cases::lacking(rule), Vec::<&str>::new());
        }
    }
}
