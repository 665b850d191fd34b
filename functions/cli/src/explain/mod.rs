//! `picket explain`: how something came to be: a rule, a finding, the risk of an asset, or the table of weights.

mod asset;
mod rule;

use picket_checks::risk::WEIGHTS;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::posture::Sources;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

/// What `picket explain` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket explain eks_endpoint_closed           a rule: what it looks at, why, how to fix it, who asks for it
  picket explain finding-0123456789ab          a finding: what was read, where, and what was expected
  picket explain prod                          an asset: its risk, and each reason in order
  picket explain risk                          the table of weights that risk is made of")]
pub struct Args {
    /// A rule, a finding, an asset, or `risk`
    #[arg(value_name = "RULE|FINDING|ASSET")]
    pub what: String,
    /// Where rules and evidence come from
    #[command(flatten)]
    pub sources: Sources,
}

/// Explains.
///
/// # Errors
/// If there is nothing of that name, or evidence is needed and cannot be read.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    if args.what == "risk" {
        session.show.answer(&Table(WEIGHTS.iter().map(Row::of).collect()))?;
        return Ok(Exit::Done);
    }
    let book = args.sources.book()?;
    if let Some(found) = book.rules().get(&args.what) {
        return rule::run(&book, found, session);
    }
    asset::run(&args, session).await
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Table(Vec<Row>);

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    points: u8,
    about: &'static str,
}

impl Row {
    fn of(weight: &picket_checks::risk::Weight) -> Self {
        Self { name: weight.name, points: weight.points, about: weight.about }
    }
}

impl Reply for Table {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        page.line(Tone::Strong, "the risk of an asset is the sum of these, at most 100").gap();
        let row = |r: &Row| -> Vec<Text> { vec![r.name.into(), r.points.to_string().into(), r.about.into()] };
        page.table(&["NAME", "POINTS", "WHEN"], &[1], self.0.iter().map(row).collect()).gap();
        page.line(
            Tone::Dim,
            "a further finding of the same severity adds a quarter of its row, up to twice the row in all; of live signs each \
             rule counts by itself",
        );
        page.done()
    }
}
