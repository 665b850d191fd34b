//! `picket audit verify`: the chain against itself, against its bucket's versions, and against the table.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use picket_aws::state::JournalRow;
use picket_report::audit::compare::{Compared, Row, compare, tampering};
use picket_report::audit::verify::{self, Verified};
use picket_report::audit::{Head, Problem, Segment, Wrong, chain};
use serde::Serialize;
use serde_json::json;

use super::source;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone, millis};

/// What became of the look.
#[derive(Debug, Serialize)]
struct Answer {
    intact: bool,
    chains: Vec<Looked>,
    next: Option<String>,
}

/// One chain.
#[derive(Debug, Serialize)]
struct Looked {
    place: String,
    segments: usize,
    records: usize,
    cases: usize,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// The last record's hash, to be noted where nobody of this account can change it.
    last: Option<Last>,
    table: Option<Compared>,
    problems: Vec<Problem>,
}

#[derive(Debug, Serialize)]
struct Last {
    record: u64,
    hash: String,
}

/// Verifies the deployment's chain.
pub async fn bucket(noted: Option<&str>, session: &Session) -> Result<Exit, Failure> {
    let (aws, caller) = session.known().await?;
    let (scope, table) = (aws.scope(&caller), aws.table());
    let vault = source::vault(&aws, &caller.account).await?;
    let prefix = source::prefix(&scope);
    // In this order what is added meanwhile is young, never missing.
    let head: Option<Head> = table.audit_head(&scope).await?;
    let segments = session.show.wait("reading the audit chain", source::segments(&vault, &prefix)).await?;
    let rows = session.show.wait("reading the journal", table.whole_journal()).await?;
    let versions = session.show.wait("reading versions", source::overwritten(&vault, &prefix)).await;
    let rows: Vec<Row> = rows.into_iter().map(row).collect();
    let place = format!("account {}, {} (s3://{}/{prefix})", scope.account, scope.region, vault.name());
    let mut looked = look(place, segments, head.as_ref(), noted, Some(&rows));
    match versions {
        Ok(problems) => looked.problems.extend(problems),
        Err(error) => session.show.remark(&format!("whether objects were written over was not looked at: {error}")),
    }
    if head.is_none() && looked.records > 0 {
        let says = "the table does not remember where the chain ended, so a cut end would show only in the journal";
        looked.problems.push(Problem::new(Wrong::Missing, says));
    }
    let next = looked.next(session, Some(vault.name()), &prefix);
    say(vec![looked], next, session)
}

/// Verifies what was copied into a folder.
pub fn folder(folder: &Path, noted: Option<&str>, session: &Session) -> Result<Exit, Failure> {
    let chains = source::folder(folder)?;
    let look = |(place, segments): (String, Vec<Segment>)| look(place, segments, None, noted, None);
    let chains: Vec<Looked> = chains.into_iter().map(look).collect();
    session.show.remark("the table was not asked; whether the end was cut off shows only with `--noted`");
    let next = chains.iter().find_map(|c| c.next(session, None, ""));
    say(chains, next, session)
}

fn say(chains: Vec<Looked>, next: Option<String>, session: &Session) -> Result<Exit, Failure> {
    let intact = chains.iter().all(|c| c.problems.is_empty());
    session.show.answer(&Answer { intact, chains, next })?;
    Ok(if intact { Exit::Done } else { Exit::Found })
}

fn look(
    place: String,
    segments: Vec<Segment>,
    head: Option<&Head>,
    noted: Option<&str>,
    rows: Option<&[Row]>,
) -> Looked {
    let chain = verify::chain(segments, head);
    let table = rows.map(|rows| compare(&chain, rows, Timestamp::now()));
    let mut problems = chain.problems.clone();
    problems.extend(noted.and_then(|hash| not_there(&chain, hash)));
    problems.extend(table.as_ref().map_or_else(|| tampering(&chain), |t| t.problems.clone()));
    let records = || chain.records.iter().map(|(_, r)| r);
    Looked {
        place,
        segments: chain.segments,
        records: chain.records.len(),
        cases: records().map(|r| r.case()).collect::<BTreeSet<_>>().len(),
        from: records().map(|r| r.at).min(),
        to: records().map(|r| r.at).max(),
        last: chain.last().map(|r| Last { record: r.seq, hash: r.hash.clone() }),
        table,
        problems,
    }
}

fn not_there(chain: &Verified, hash: &str) -> Option<Problem> {
    let says = "no record has the hash that was noted: the chain was written anew, or its end was cut off";
    let there = chain.records.iter().any(|(_, r)| r.hash.eq_ignore_ascii_case(hash) && chain::hash_of(r) == r.hash);
    (!there).then(|| Problem::new(Wrong::Changed, says))
}

/// A body that is no JSON is compared as the text it is, as it was exported.
fn row(row: JournalRow) -> Row {
    let entries = serde_json::from_str(&row.body).unwrap_or_else(|_| json!(row.body));
    Row { pk: row.pk, sk: row.sk, entries }
}

impl Looked {
    fn next(&self, session: &Session, bucket: Option<&str>, prefix: &str) -> Option<String> {
        let wrong = self.problems.first()?;
        let case = self.problems.iter().find_map(|p| p.case.clone()).filter(|c| c.starts_with("case-"));
        match (bucket, case) {
            (Some(bucket), _)
                if matches!(wrong.is, Wrong::Changed | Wrong::Missing | Wrong::CutOff | Wrong::Foreign) =>
            {
                Some(format!("aws s3api list-object-versions --bucket {bucket} --prefix {prefix}"))
            }
            (Some(_), Some(case)) => Some(session.command(format!("audit bundle {case}"))),
            _ => None,
        }
    }

    fn page(&self, page: &mut Page) {
        match self.problems.len() {
            0 => page.line(Tone::Good, format!("the audit chain of {} is intact", self.place)),
            n => {
                let problems = counted(n, "problem");
                page.line(Tone::Bad, format!("THE AUDIT CHAIN OF {} IS NOT INTACT: {problems}", self.place))
            }
        };
        page.gap();
        let (segments, cases) = (counted(self.segments, "segment"), counted(self.cases, "case"));
        page.field("records", format!("{} in {segments}, of {cases}", self.records));
        if let (Some(from), Some(to)) = (self.from, self.to) {
            page.field("from", millis(from)).field("to", format!("{}, times in UTC", millis(to)));
        }
        if let Some(table) = &self.table {
            page.field("table", words(table));
        }
        if let Some(last) = &self.last {
            page.field("last", format!("record {}, {}", last.record, last.hash));
        }
        if self.last.is_some() && self.problems.is_empty() {
            page.field("", "note it where nobody of this account can change it: `--noted` asks for it later");
        }
        self.wrong(page);
    }

    fn wrong(&self, page: &mut Page) {
        if self.problems.is_empty() {
            return;
        }
        let row = |p: &Problem| -> Vec<Text> {
            let is =
                serde_json::to_value(p.is).ok().and_then(|v| v.as_str().map(ToOwned::to_owned)).unwrap_or_default();
            let name = p.segment.as_deref().map(|s| s.rsplit('/').next().unwrap_or(s).to_owned());
            vec![
                Text::toned(Tone::Bad, is.replace('_', " ")),
                name.unwrap_or_default().into(),
                p.line.map(|n| n.to_string()).unwrap_or_default().into(),
                p.case.clone().unwrap_or_default().into(),
                p.says.clone().into(),
            ]
        };
        page.gap().table(&["WHAT", "SEGMENT", "LINE", "CASE", "WHY"], &[2], self.problems.iter().map(row).collect());
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn words(table: &Compared) -> String {
    let mut text = format!("{} rows, {} as they were exported", table.rows, table.same);
    let more = [
        (table.on_the_way, "younger than a minute and on their way"),
        (table.before_the_chain, "older than the chain"),
        (table.expired, "expired, and only in the chain"),
        (table.told_twice, "told twice by the stream, which is harmless"),
    ];
    for (count, what) in more.iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!("; {count} {what}"));
    }
    text
}

impl Reply for Answer {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        for chain in &self.chains {
            chain.page(page.gap());
        }
        page.next(self.next.as_deref()).done()
    }
}
