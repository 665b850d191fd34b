//! `picket replay --since`: what CloudTrail remembers, through the policy: what would have been done. Each record is judged
//! by what it says itself, since what was there at the time is gone.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use picket_aws::events;
use picket_model::{Decoded, Untrusted, Verdict};
use serde::Serialize;

use super::judge::{self, Judged};
use super::{Args, in_force};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

/// How many rows are shown as text; JSON has all.
const SHOWN: usize = 40;

#[derive(Debug, Serialize)]
struct Past {
    of: String,
    since: Timestamp,
    policy: String,
    /// How many records there were, and how many of them say nothing that concerns us.
    records: usize,
    dropped: usize,
    /// How many came to which verdict.
    verdicts: BTreeMap<String, usize>,
    /// What would have been told or cut off, the latest first.
    rows: Vec<Row>,
    /// Calls of which there were more than were read.
    cut: Vec<&'static str>,
    next: Option<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    at: Timestamp,
    event: Untrusted,
    what: String,
    who: Untrusted,
    assets: Vec<String>,
    verdict: Verdict,
    score: u8,
    because: String,
    permit: Option<String>,
}

/// Judges the past.
///
/// # Errors
/// If CloudTrail cannot be asked, or the policy cannot be used.
pub(super) async fn run(args: &Args, since: SignedDuration, session: &Session) -> Result<Exit, Failure> {
    let in_force = in_force(args)?;
    let (aws, caller) = session.known().await?;
    let scope = aws.scope(&caller);
    let since = Timestamp::now().checked_sub(since).map_err(|e| Failure::usage("reading `--since`").because(e))?;
    let history = session.show.wait("reading CloudTrail's history", aws.clients.history(&scope.region, since)).await?;
    let mut past = Past {
        of: format!("account {}, {}", scope.account, scope.region),
        since,
        policy: in_force.version.clone(),
        records: history.records.len(),
        dropped: 0,
        verdicts: BTreeMap::new(),
        rows: Vec::new(),
        cut: history.cut,
        next: None,
    };
    for record in &history.records {
        match events::decode(record) {
            Ok(Decoded::Trigger(trigger)) => past.add(judge::judge(*trigger, None, &in_force).await?),
            Ok(Decoded::Drop(_)) | Err(_) => past.dropped += 1,
        }
    }
    past.rows.reverse();
    past.next = past
        .rows
        .iter()
        .flat_map(|r| &r.assets)
        .find(|a| a.starts_with("i-"))
        .map(|a| session.command(format!("show {a}")));
    session.show.answer(&past)?;
    Ok(Exit::Done)
}

impl Past {
    fn add(&mut self, judged: Judged) {
        if judged.findings.is_empty() {
            *self.verdicts.entry("nothing to judge".to_owned()).or_insert(0) += 1;
        }
        for finding in judged.findings {
            *self.verdicts.entry(finding.verdict.to_string()).or_insert(0) += finding.assets.len();
            if finding.verdict == Verdict::Note {
                continue;
            }
            let who = judged.trigger.principal.as_ref().map(|p| p.arn.clone()).unwrap_or_default();
            self.rows.push(Row {
                at: judged.trigger.at,
                event: judged.trigger.event.clone(),
                what: judged.trigger.kind.to_string(),
                who,
                verdict: finding.verdict,
                score: finding.score.total,
                because: finding.score.reasons.first().map(|r| r.says.clone()).unwrap_or_default(),
                permit: judged.proposals.first().map(|p| p.permit.clone()),
                assets: finding.assets,
            });
        }
    }
}

/// A length of time, such as `30d` or `12h`.
///
/// # Errors
/// Says what would be right.
pub(super) fn length(text: &str) -> Result<SignedDuration, String> {
    let days = text.strip_suffix('d').and_then(|d| d.parse::<i64>().ok());
    let length = days.map_or_else(|| text.parse().ok(), |d| Some(SignedDuration::from_hours(d.saturating_mul(24))));
    let most = SignedDuration::from_hours(24 * 90);
    match length {
        Some(length) if length > SignedDuration::ZERO && length <= most => Ok(length),
        Some(_) => Err("CloudTrail remembers 90 days; use up to 90d".to_owned()),
        None => Err("is no length of time, such as 30d or 12h".to_owned()),
    }
}

impl Reply for Past {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        page.line(Tone::Strong, format!("{} since {}, by the policy {}", self.of, self.since, self.policy));
        let counts: Vec<_> = self.verdicts.iter().map(|(v, n)| format!("{n} {v}")).collect();
        let counts = if counts.is_empty() { "nothing that concerns us".to_owned() } else { counts.join(", ") };
        page.line(Tone::Plain, format!("{} records, {} of no concern: {counts}", self.records, self.dropped)).gap();
        let row = |r: &Row| -> Vec<Text> {
            let tone = if r.verdict == Verdict::Quarantine { Tone::Bad } else { Tone::Warn };
            let assets = match &r.assets[..] {
                [] => String::new(),
                [one] => one.clone(),
                [first, rest @ ..] => format!("{first} and {} more", rest.len()),
            };
            vec![
                r.at.strftime("%Y-%m-%d %H:%M").to_string().into(),
                Text::toned(tone, format!("{} {}", r.verdict, r.score)),
                r.what.clone().into(),
                assets.into(),
                r.who.as_str().rsplit('/').next().unwrap_or_default().to_owned().into(),
                r.because.clone().into(),
            ]
        };
        if !self.rows.is_empty() {
            page.table(
                &["AT", "WOULD", "EVENT", "ASSETS", "WHO", "BECAUSE"],
                &[],
                self.rows.iter().take(SHOWN).map(row).collect(),
            );
        }
        if let Some(more) = self.rows.len().checked_sub(SHOWN).filter(|n| *n > 0) {
            page.line(Tone::Dim, format!("and {more} earlier ones; `--output json` has all"));
        }
        if !self.cut.is_empty() {
            page.line(Tone::Warn, format!("of {} there is more than was read", self.cut.join(", ")));
        }
        page.next(self.next.as_deref()).done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_what_cloudtrail_remembers_at_most() {
        assert_eq!(length("30d"), Ok(SignedDuration::from_hours(720)));
        assert_eq!(length("12h"), Ok(SignedDuration::from_hours(12)));
        for bad in ["91d", "0d", "-3d", "soon", ""] {
            assert!(length(bad).is_err(), "{bad}");
        }
    }
}
