//! A folder of recorded events, counted: how many would wake us, how many would be dropped, what cannot be read.

use std::path::Path;

use picket_aws::events::corpus::{self, Failure as Unread, Tally};
use picket_aws::events::decode_all;
use picket_model::{Decoded, Untrusted};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

/// The counts, for people and machines.
#[derive(Debug, Serialize)]
struct Counted {
    files: usize,
    events: usize,
    triggers: Vec<(String, usize)>,
    drops: Vec<(String, usize)>,
    failures: Vec<Problem>,
}

/// An event that could not be decoded.
#[derive(Debug, Serialize)]
struct Problem {
    file: Untrusted,
    reason: Untrusted,
}

/// Counts and prints.
///
/// # Errors
/// If the folder cannot be read, or holds no event.
pub(super) async fn run(input: &Path, session: &Session) -> Result<Exit, Failure> {
    let tally = if input.as_os_str() == "-" { count(&super::read(input)?) } else { read(input, session).await? };
    if tally.events == 0 && tally.failures.is_empty() {
        let what = format!("there is no event in `{}`", input.display());
        return Err(Failure::usage(what).hint("events are files that end in .json or .jsonl"));
    }
    let counted = counted(tally);
    session.show.answer(&counted)?;
    Ok(if counted.failures.is_empty() { Exit::Done } else { Exit::Found })
}

async fn read(input: &Path, session: &Session) -> Result<Tally, Failure> {
    let failed = || Failure::usage(format!("reading the events in `{}`", input.display()));
    let folder = input.to_owned();
    let work = tokio::task::spawn_blocking(move || corpus::read_folder(&folder));
    let read = session.show.wait("reading the events", work).await;
    read.map_err(|e| failed().because(e))?.map_err(|e| failed().because(e))
}

/// As `corpus::read_folder`, for standard input.
fn count(text: &str) -> Tally {
    let mut tally = Tally { files: 1, ..Tally::default() };
    for (position, outcome) in decode_all(text) {
        tally.events += 1;
        match outcome {
            Ok(Decoded::Trigger(trigger)) => *tally.triggers.entry(trigger.kind).or_default() += 1,
            Ok(Decoded::Drop(why)) => *tally.drops.entry(why).or_default() += 1,
            Err(error) => tally.failures.push(Unread { file: format!("-:{position}"), reason: error.to_string() }),
        }
    }
    tally
}

fn counted(tally: Tally) -> Counted {
    let problem = |f: Unread| Problem { file: Untrusted::new(&f.file), reason: Untrusted::new(&f.reason) };
    Counted {
        files: tally.files,
        events: tally.events,
        triggers: tally.triggers.iter().map(|(kind, n)| (kind.to_string(), *n)).collect(),
        drops: tally.drops.iter().map(|(why, n)| (why.to_string(), *n)).collect(),
        failures: tally.failures.into_iter().map(problem).collect(),
    }
}

impl Reply for Counted {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        let sum = |rows: &[(String, usize)]| rows.iter().map(|(_, n)| n).sum::<usize>().to_string();
        let failed = if self.failures.is_empty() { Tone::Good } else { Tone::Bad };
        page.field("files", self.files.to_string())
            .field("events", self.events.to_string())
            .field("triggers", sum(&self.triggers))
            .field("dropped", sum(&self.drops))
            .field("failures", Text::toned(failed, self.failures.len().to_string()));
        numbers(&mut page, "TRIGGERS", &self.triggers);
        numbers(&mut page, "DROPPED BECAUSE", &self.drops);
        if !self.failures.is_empty() {
            let row = |p: &Problem| -> Vec<Text> { vec![p.file.as_str().into(), p.reason.as_str().into()] };
            page.gap().table(&["FAILED", "WHY"], &[], self.failures.iter().map(row).collect());
        }
        page.done()
    }
}

fn numbers(page: &mut Page, head: &str, rows: &[(String, usize)]) {
    if rows.is_empty() {
        return;
    }
    let row = |(name, n): &(String, usize)| -> Vec<Text> { vec![n.to_string().into(), name.as_str().into()] };
    page.gap().table(&["EVENTS", head], &[0], rows.iter().map(row).collect());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_standard_input_are_counted_as_a_folder_is() {
        let dropped = r#"{"eventSource": "s3.amazonaws.com", "eventName": "GetObject"}"#;
        let text = counted(count(&format!("{dropped}\n{dropped}\n{{}}\n"))).text(Paint::default());
        assert!(text.starts_with("files     1\nevents    3\ntriggers  0\ndropped   2\nfailures  1\n"), "{text}");
        assert!(text.contains("     2  not watched\n") && text.contains("-:3"), "{text}");
    }
}
