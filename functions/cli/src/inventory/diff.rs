//! `picket diff --since DATE`: what came, went and changed.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use picket_aws::state::Known;
use picket_pipeline::scan::Kept;
use picket_pipeline::scan::atlas::changed_since;
use serde::Serialize;

use super::one::brief;
use super::{Source, open};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

/// What `picket diff` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket diff --since 2026-11-01
  picket diff --since 7d
  picket diff --since 2026-11-01T09:00:00Z --output json

It ends with 1 if something came, went or changed, with 0 if nothing did.")]
pub struct Args {
    /// A date, a moment in RFC 3339, or so many hours (`12h`) or days (`7d`)
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub since: Timestamp,
}

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Difference {
    at: Timestamp,
    /// `new`, `gone` or `changed`.
    what: &'static str,
    thing: String,
    place: String,
    detail: String,
}

#[derive(Debug, Serialize)]
struct Differences {
    since: Timestamp,
    differences: Vec<Difference>,
    next: Option<String>,
}

/// Shows them.
///
/// # Errors
/// If AWS cannot be reached, or there is no inventory: a single scan has nothing to compare with.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (_, _, source) = open(session).await?;
    let Source::Inventory(table, _) = &source else {
        let why = Failure::usage("a single scan has no past to compare with");
        return Err(why.hint("deploy Picket (`sam deploy --guided`): its inventory remembers"));
    };
    let mut all = Vec::new();
    for cluster in session.show.wait("reading the clusters", source.clusters()).await? {
        all.extend(of_cluster(&cluster, args.since));
    }
    for scope in source.scopes() {
        for known in session.show.wait("reading the instances", table.inventory(&scope)).await? {
            all.extend(of_asset(&known, args.since));
        }
    }
    all.sort_by(|a, b| (a.at, &a.thing).cmp(&(b.at, &b.thing)));
    let next = all.last().map(|d| session.command(format!("show {}", crate::scan::word(&d.thing))));
    let exit = if all.is_empty() { Exit::Done } else { Exit::Found };
    session.show.answer(&Differences { since: args.since, differences: all, next })?;
    Ok(exit)
}

fn of_cluster(kept: &Kept, since: Timestamp) -> Vec<Difference> {
    let (thing, place) = (kept.found.id.clone(), kept.found.scope.to_string());
    let one = |at, what, detail| Difference { at, what, thing: thing.clone(), place: place.clone(), detail };
    let mut all = Vec::new();
    if kept.first_seen >= since {
        let nodes = kept.found.nodes.len();
        all.push(one(
            kept.first_seen,
            "new",
            format!("{}, {nodes} nodes, found by {}", kept.found.distribution, kept.found_by),
        ));
    }
    all.extend(kept.gone_at.filter(|at| *at >= since).map(|at| one(at, "gone", String::new())));
    all.extend(
        changed_since(&kept.history, since)
            .into_iter()
            .map(|c| one(c.at, "changed", format!("{}: {} -> {}", c.what, brief(&c.from), brief(&c.to)))),
    );
    all
}

fn of_asset(known: &Known, since: Timestamp) -> Vec<Difference> {
    let (thing, place) = (known.asset.id(), known.asset.scope().to_string());
    let one = |at, what, detail| Difference { at, what, thing: thing.clone(), place: place.clone(), detail };
    let moment = |text: &str| text.parse::<Timestamp>().ok().filter(|at| *at >= since);
    let mut all = Vec::new();
    if let Some(at) = moment(&known.first_seen) {
        let kind = known.asset.instance_type().map(ToString::to_string).unwrap_or_default();
        all.push(one(at, "new", format!("{kind} found by {}", known.found_by)));
    }
    all.extend(known.gone_at.as_deref().and_then(moment).map(|at| one(at, "gone", String::new())));
    all.extend(
        changed_since(&known.history, since)
            .into_iter()
            .map(|c| one(c.at, "changed", format!("{}: {} -> {}", c.what, brief(&c.from), brief(&c.to)))),
    );
    all
}

/// A moment as people write one.
fn moment(text: &str) -> Result<Timestamp, String> {
    let ago = |hours: i64| Timestamp::now().checked_sub(hours.hours()).map_err(|e| e.to_string());
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    match (number.parse::<i64>(), unit) {
        (Ok(n), "h") => return ago(n),
        (Ok(n), "d") => return ago(n.saturating_mul(24)),
        _ => {}
    }
    let day = || TimeZone::UTC.to_timestamp(text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight())).ok();
    let wrong = || format!("`{text}` is no moment; write `2026-11-01`, `2026-11-01T09:00:00Z`, `12h` or `7d`");
    text.parse().ok().or_else(day).ok_or_else(wrong)
}

impl Reply for Differences {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        if self.differences.is_empty() {
            return page.line(Tone::Good, format!("nothing came, went or changed since {}", self.since)).done();
        }
        page.line(Tone::Strong, format!("since {}", self.since)).gap();
        let row = |d: &Difference| -> Vec<Text> {
            let tone = match d.what {
                "new" => Tone::Warn,
                "gone" => Tone::Dim,
                _ => Tone::Plain,
            };
            let at = d.at.strftime("%Y-%m-%d %H:%M").to_string();
            vec![
                at.into(),
                Text::toned(tone, d.what),
                d.thing.clone().into(),
                d.detail.clone().into(),
                d.place.clone().into(),
            ]
        };
        page.table(&["WHEN", "WHAT", "THING", "DETAIL", "WHERE"], &[], self.differences.iter().map(row).collect());
        page.next(self.next.as_deref()).done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        assert_eq!(moment("2026-11-01").map(|t| t.to_string()), Ok("2026-11-01T00:00:00Z".to_owned()));
        assert_eq!(moment("2026-11-01T09:00:00Z").map(|t| t.to_string()), Ok("2026-11-01T09:00:00Z".to_owned()));
        assert!(moment("7d").is_ok_and(|t| t < Timestamp::now()));
        assert!(moment("yesterday").is_err() && moment("").is_err());
    }
}
