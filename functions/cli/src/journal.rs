//! `picket journal`: a case as a timeline, checked for its order. What may follow what is `picket_model::journal`'s.

use picket_aws::{Caller, Table};
use picket_model::{CaseId, Entry, Event, journal};
use picket_pipeline::ports::Holds as _;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{Aws, Session};
use crate::show::{Page, Paint, Reply, Text, Tone, millis};
use crate::target::Target;

/// What `picket journal` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket journal case-0123456789ab
  picket journal i-0abc1234def567890    the case that holds this instance")]
pub struct Args {
    /// A case, or an instance that is or was held
    #[arg(value_name = "CASE|INSTANCE")]
    pub of: Target,
}

/// A case's journal.
#[derive(Debug, Serialize)]
struct Timeline {
    case: CaseId,
    entries: Vec<Entry>,
    /// What is wrong with their order.
    broken: Option<String>,
    next: Option<String>,
}

/// Shows the timeline.
///
/// # Errors
/// If AWS cannot be reached or denies it, or there is no such case.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (aws, caller) = session.known().await?;
    let table = aws.table();
    let case = match args.of {
        Target::Case(case) => case,
        Target::Instance(_) => session.show.wait("reading the hold", case_of(&args.of, &aws, &caller, &table)).await?,
    };
    let entries = session.show.wait("reading the journal", table.journal(&case)).await?;
    if entries.is_empty() {
        let hint = format!("`{}` lists the cases that hold something", session.command("holds"));
        return Err(Failure::refused(format!("the journal has nothing about {case}")).hint(hint));
    }
    let broken = journal::check(&entries).err().map(|e| e.to_string());
    let timeline = Timeline { next: next(&case, &entries, session), case, entries, broken };
    session.show.answer(&timeline)?;
    Ok(if timeline.broken.is_some() { Exit::Found } else { Exit::Done })
}

async fn case_of(target: &Target, aws: &Aws, caller: &Caller, table: &Table) -> Result<CaseId, Failure> {
    let Target::Instance(instance) = target else { return Err(Failure::usage("expected an instance")) };
    let scope = aws.scope(caller);
    let hold = table.hold(&scope, instance).await?;
    let none = || {
        let what = format!("{instance} was never held in account {}, {}", scope.account, scope.region);
        Failure::refused(what).hint("name its case, or another Region with `--region`")
    };
    hold.map(|h| h.case).ok_or_else(none)
}

/// What is contained can be released; what was only planned has nothing to lift.
fn next(case: &CaseId, entries: &[Entry], session: &Session) -> Option<String> {
    let held = entries.iter().rev().find_map(|e| match e.event {
        Event::ReleaseDone => Some(false),
        Event::Verified | Event::ContainDone => Some(true),
        _ => None,
    });
    (held == Some(true)).then(|| session.command(format!("release {case} --reason \"...\"")))
}

impl Reply for Timeline {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        page.line(Tone::Strong, format!("{}, times in UTC", self.case)).gap();
        let start = self.entries.first().map(|e| e.at).unwrap_or_default();
        let row = |e: &Entry| -> Vec<Text> {
            vec![
                millis(e.at).into(),
                format!("+{} ms", e.at.duration_since(start).as_millis()).into(),
                e.subject.as_str().into(),
                Text::toned(tone(e.event), name(e.event)),
                e.by.as_str().into(),
                e.details.as_str().into(),
            ]
        };
        let head = ["TIME", "SINCE START", "SUBJECT", "EVENT", "BY", "DETAILS"];
        page.table(&head, &[1], self.entries.iter().map(row).collect());
        if let Some(broken) = &self.broken {
            page.gap()
                .line(Tone::Bad, format!("THE JOURNAL IS BROKEN: {broken}"))
                .line(Tone::Plain, "something was done without its intent, or entries are missing: do not trust it");
        }
        page.next(self.next.as_deref()).done()
    }
}

/// The event as it is written in JSON.
fn name(event: Event) -> String {
    serde_json::to_value(event).ok().and_then(|v| v.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

fn tone(event: Event) -> Tone {
    match event {
        Event::Verified
        | Event::ContainDone
        | Event::ReleaseDone
        | Event::MeasureDone
        | Event::UndoDone
        | Event::Approved => Tone::Good,
        Event::ContainFailed | Event::ReleaseFailed | Event::MeasureFailed | Event::UndoFailed => Tone::Bad,
        Event::Refused | Event::Denied | Event::ApprovalAsked => Tone::Warn,
        Event::Planned
        | Event::ContainIntended
        | Event::ReleaseIntended
        | Event::MeasureIntended
        | Event::UndoIntended => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(events: &[(&str, Event)]) -> Timeline {
        let case = CaseId::try_from("case-0123456789ab".to_owned()).unwrap();
        let entry = |(at, event): &(&str, Event)| Entry {
            case: case.clone(),
            at: format!("2026-11-23T10:00:{at}Z").parse().unwrap(),
            subject: "eni-12345678".to_owned(),
            event: *event,
            by: "respond".into(),
            details: "sg-1 -> sg-2".into(),
        };
        let entries: Vec<Entry> = events.iter().map(entry).collect();
        let broken = journal::check(&entries).err().map(|e| e.to_string());
        Timeline { case: case.clone(), entries, broken, next: None }
    }

    #[test]
    fn a_timeline_counts_milliseconds_since_its_start() {
        let text =
            timeline(&[("00.100", Event::ContainIntended), ("00.350", Event::ContainDone)]).text(Paint::default());
        let expected = "case-0123456789ab, times in UTC\n\n\
            TIME                     SINCE START  SUBJECT       EVENT             BY       DETAILS\n\
            2026-11-23 10:00:00.100        +0 ms  eni-12345678  contain_intended  respond  sg-1 -> sg-2\n\
            2026-11-23 10:00:00.350      +250 ms  eni-12345678  contain_done      respond  sg-1 -> sg-2\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_change_without_its_intent_is_said_loudly() {
        let text = timeline(&[("00.100", Event::ContainDone)]).text(Paint::default());
        assert!(text.contains("THE JOURNAL IS BROKEN: the journal of eni-12345678"), "{text}");
    }
}
