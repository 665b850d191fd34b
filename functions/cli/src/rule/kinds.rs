//! `picket rule kinds`: what rules may look at.

use picket_checks::rules::{Kind, Type, catalogue};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Listed(Vec<Row>);

#[derive(Debug, Serialize)]
struct Row {
    kind: String,
    source: String,
    says: String,
    fields: Vec<(String, String)>,
    #[serde(skip)]
    whole: bool,
}

/// Lists kinds, or the fields of one.
///
/// # Errors
/// If there is no such kind.
pub(super) fn run(kind: Option<&str>, session: &Session) -> Result<Exit, Failure> {
    let kinds = catalogue::kinds().map_err(|e| Failure::usage("reading the kinds that are built in").because(e))?;
    let rows: Vec<Row> =
        kinds.iter().filter(|k| kind.is_none_or(|n| k.name == n)).map(|k| row(k, kind.is_some())).collect();
    if rows.is_empty() {
        let what = kind.unwrap_or_default();
        return Err(Failure::usage(format!("there is no kind `{what}`")).hint("`picket rule kinds` lists them"));
    }
    session.show.answer(&Listed(rows))?;
    Ok(Exit::Done)
}

fn row(kind: &Kind, whole: bool) -> Row {
    let mut fields = Vec::new();
    walk("", &kind.fields, &mut fields);
    Row { kind: kind.name.clone(), source: kind.source.clone(), says: kind.says.clone(), fields, whole }
}

/// Paths as rules write them, with what is there.
fn walk(at: &str, of: &Type, out: &mut Vec<(String, String)>) {
    match of {
        Type::Object(fields) => {
            for (name, of) in fields {
                walk(&if at.is_empty() { name.clone() } else { format!("{at}.{name}") }, of, out);
            }
        }
        Type::List(of) if matches!(**of, Type::Object(_)) => walk(&format!("{at}[*]"), of, out),
        Type::List(of) => out.push((at.to_owned(), format!("a list of {of}"))),
        Type::Map(of) => out.push((format!("{at}[\"...\"]"), of.to_string())),
        other => out.push((at.to_owned(), other.to_string())),
    }
}

impl Reply for Listed {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        if let [one] = &self.0[..]
            && one.whole
        {
            page.line(Tone::Strong, format!("{}  {} ({})", one.kind, one.says, one.source)).gap();
            let row = |(at, of): &(String, String)| -> Vec<Text> { vec![at.clone().into(), of.clone().into()] };
            return page.table(&["PATH", "IS"], &[], one.fields.iter().map(row).collect()).done();
        }
        let row =
            |r: &Row| -> Vec<Text> { vec![r.kind.clone().into(), r.source.clone().into(), r.says.clone().into()] };
        page.table(&["KIND", "READ BY", "WHAT"], &[], self.0.iter().map(row).collect())
            .next(Some("picket rule kinds eks.cluster"))
            .done()
    }
}
