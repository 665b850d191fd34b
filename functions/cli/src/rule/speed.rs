//! `picket rule speed`: how long judging takes on this machine, with evidence in memory and one thread.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use picket_checks::Book;
use picket_checks::rules::crowd::crowd;
use picket_checks::rules::{Rule, Verdict, judge_all};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Tone};

/// In how many Regions the made documents lie; what rules look at beside a document lies in its own.
const PLACES: usize = 50;
/// How often it is measured; the fastest counts, since anything else that runs only adds.
const TIMES: usize = 3;

#[derive(Debug, Serialize)]
struct Measured {
    /// Documents of each kind, such as clusters.
    documents: usize,
    /// Rules about what AWS's APIs tell.
    rules: usize,
    /// Milliseconds to read and compile all rules that are built in.
    compile_ms: f64,
    /// Outcomes.
    outcomes: usize,
    /// Milliseconds to judge them all.
    judge_ms: f64,
    /// Microseconds an outcome.
    outcome_us: f64,
    /// Failures that were put into words.
    messages: usize,
    /// Microseconds a message, judging once more included.
    message_us: f64,
    /// Microseconds that judging the same failures once more takes, each by itself.
    again_us: f64,
}

/// Measures.
///
/// # Errors
/// If the rules cannot be read.
pub(super) fn run(documents: usize, session: &Session) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let book = Book::built_in().map_err(|e| Failure::usage("reading the rules that are built in").because(e))?;
    let compile = begun.elapsed();
    let of_aws = |r: &&Rule| !r.select.starts_with("kubernetes.") && !r.select.starts_with("node");
    let rules: Vec<&Rule> = book.rules().iter().filter(of_aws).collect();
    let evidence = crowd(&rules, documents, PLACES, Timestamp::now());
    let mut fastest = Duration::MAX;
    let mut judged = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        judged = judge_all(rules.iter().copied(), &evidence);
        fastest = fastest.min(begun.elapsed());
    }
    let failing: Vec<_> = judged.iter().filter(|j| j.verdict == Verdict::Fail).collect();
    let begun = Instant::now();
    let messages = failing.iter().map(|j| j.evaluation()).filter(|e| !e.readings.is_empty()).count();
    let worded = begun.elapsed();
    let begun = Instant::now();
    let again = failing.iter().filter(|j| j.again() == Verdict::Fail).count();
    let alone = begun.elapsed();
    session.show.answer(&Measured {
        documents,
        rules: rules.len(),
        compile_ms: millis(compile),
        outcomes: judged.len(),
        judge_ms: millis(fastest),
        outcome_us: each(fastest, judged.len()),
        messages,
        message_us: each(worded, failing.len()),
        again_us: each(alone, again),
    })?;
    Ok(Exit::Done)
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 100.0
}

#[allow(clippy::cast_precision_loss, reason = "a count of outcomes is far below 2^52")]
fn each(time: Duration, of: usize) -> f64 {
    (time.as_secs_f64() * 1e8 / of.max(1) as f64).round() / 100.0
}

impl Reply for Measured {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        let head = format!("{} documents of each kind, {} rules about AWS, one thread", self.documents, self.rules);
        page.line(Tone::Strong, head);
        page.field("compile", format!("{} ms for all rules", self.compile_ms));
        page.field("judge", format!("{} outcomes in {} ms, {} µs each", self.outcomes, self.judge_ms, self.outcome_us));
        page.field(
            "message",
            format!(
                "{} failures in words, {} µs each, only where somebody reads them; to judge each alone takes {} µs of it",
                self.messages, self.message_us, self.again_us
            ),
        );
        page.done()
    }
}
