//! `picket clusters`: every cluster that is known, those that are gone marked as such.

use jiff::Timestamp;
use picket_pipeline::scan::Kept;
use serde::Serialize;

use super::open;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::scan::{last, word};
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone, age};

/// What `picket clusters` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket clusters
  picket clusters --all --output json      those that are gone too

From the inventory of the deployment; without one, from the last `picket scan`.")]
pub struct Args {
    /// Also those that are gone
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Serialize)]
struct List {
    at: Timestamp,
    clusters: Vec<Kept>,
    /// How many more there are that are gone and are not shown.
    gone: usize,
    next: Option<String>,
}

/// Shows them.
///
/// # Errors
/// If AWS cannot be reached, or nothing was ever scanned.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (_, _, source) = open(session).await?;
    let mut clusters = session.show.wait("reading the clusters", source.clusters()).await?;
    let all = clusters.len();
    clusters.retain(|c| args.all || c.gone_at.is_none());
    clusters.sort_by_key(|c| (c.gone_at.is_some(), std::cmp::Reverse(c.first_seen), c.found.id.clone()));
    let next = clusters.first().map(|c| session.command(format!("show {}", word(&c.found.id))));
    session.show.answer(&List { at: Timestamp::now(), gone: all - clusters.len(), clusters, next })?;
    Ok(Exit::Done)
}

impl Reply for List {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        if self.clusters.is_empty() {
            page.line(Tone::Good, "no cluster is known");
        } else {
            let head = ["CLUSTER", "KIND", "VERSION", "NODES", "SINCE", "FOUND BY", "OWNER", "WHERE"];
            page.table(&head, &[3], self.clusters.iter().map(|c| row(c, self.at)).collect());
        }
        if self.gone > 0 {
            page.gap().line(Tone::Dim, format!("{} more are gone; `--all` shows them", self.gone));
        }
        page.next(self.next.as_deref()).done()
    }
}

fn row(kept: &Kept, now: Timestamp) -> Vec<Text> {
    let found = &kept.found;
    let text = |value: &Option<picket_model::Untrusted>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    let since = match kept.gone_at {
        Some(gone) => Text::toned(Tone::Dim, format!("gone {} ago", age(now.duration_since(gone)))),
        None => age(now.duration_since(kept.first_seen)).into(),
    };
    vec![
        Text::toned(Tone::Strong, found.id.clone()),
        found.distribution.clone().into(),
        text(&found.version).into(),
        found.nodes.len().to_string().into(),
        since,
        kept.found_by.clone().into(),
        last(&text(&found.owner)).into(),
        found.scope.to_string().into(),
    ]
}
