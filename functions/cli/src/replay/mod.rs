//! `picket replay`: what Picket makes of recorded events. Nothing is changed, sent or kept, in any mode.
//! Offline it knows what the event says and nothing else (`recorded`); `--live` reads AWS.

mod history;
mod judge;
mod recorded;
mod render;
mod tally;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use picket_aws::events::{self, Malformed};
use picket_aws::{Caller, Clients};
use picket_checks::Policy;
use picket_model::{Decoded, InstanceId, Mode, Scope, Score, Subject, Trigger, TriggerKind, Untrusted, Verdict};
use picket_pipeline::InForce;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::policy;
use crate::session::Session;

/// What `picket replay` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket replay event.json                      decode, judge and plan one event, or a file of them
  picket replay event.json --live               read the facts that the event does not hold
  picket replay event.json --policy p.yaml --mode enforce
  picket replay recorded/                       a folder: count triggers, drops and failures
  picket replay --since 30d --policy p.yaml     CloudTrail's history: what would have been done
  aws cloudtrail lookup-events ... | picket replay -

An event is one of EventBridge, a bare CloudTrail record, a CloudTrail log file, a GuardDuty finding; in one
document, in an array, or one a line.

It ends with 2 if nothing in the input is an event, with 1 if some of it is not, with 0 otherwise.")]
pub struct Args {
    /// A file, a folder, or `-` for standard input
    #[arg(value_name = "FILE|DIR|-", required_unless_present = "since")]
    pub input: Option<PathBuf>,
    /// Judge what CloudTrail remembers of this account and Region instead, such as 30d; at most 90d
    #[arg(long, value_name = "TIME", value_parser = history::length, conflicts_with_all = ["input", "live", "table"])]
    pub since: Option<jiff::SignedDuration>,
    /// Read AWS for what the event does not hold; reads only
    #[arg(long)]
    pub live: bool,
    /// Judge by this policy instead of the built-in one
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Judge as if stack and policy had this mode; nothing is changed either way
    #[arg(long, value_name = "MODE", default_value_t = Mode::Observe)]
    pub mode: Mode,
    /// Count what is in a file, as for a folder
    #[arg(long)]
    pub table: bool,
}

impl Args {
    /// Where events are read from.
    fn input(&self) -> &Path {
        self.input.as_deref().unwrap_or(Path::new("-"))
    }
}

/// What became of the events of one input.
#[derive(Debug, Serialize)]
pub struct Replayed {
    /// Event by event.
    pub events: Vec<Replay>,
    /// The command to run next.
    pub next: Option<String>,
}

/// What became of one event.
#[derive(Debug, Serialize)]
pub struct Replay {
    /// Its position in the input, from 1.
    pub position: usize,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of an event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// None of our business.
    Dropped {
        /// Why.
        reason: String,
    },
    /// Not an event.
    Malformed {
        /// Why not.
        reason: String,
    },
    /// Decoded and judged.
    Judged(Box<judge::Judged>),
}

/// Replays.
///
/// # Errors
/// If the input or the policy cannot be used, or AWS cannot be reached.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    if let Some(since) = args.since {
        return history::run(&args, since, session).await;
    }
    if args.table || args.input().is_dir() {
        return tally::run(args.input(), session).await;
    }
    let in_force = in_force(&args)?;
    let decoded = events::decode_all(&read(args.input())?);
    let live = if args.live { Some(session.known().await?) } else { None };
    let live = live.as_ref().map(|(aws, caller)| (&aws.clients, caller));
    let mut events = Vec::with_capacity(decoded.len());
    for (position, decoded) in decoded {
        let work = outcome(decoded, live, &in_force);
        events.push(Replay { position, outcome: session.show.wait("reading AWS", work).await? });
    }
    let replayed = Replayed { next: next(&args, &events, session), events };
    session.show.answer(&replayed)?;
    Ok(exit(&replayed.events))
}

/// What speaks against each of these instances, of those that people would be told about: what is going on in them.
///
/// # Errors
/// If AWS cannot be read.
pub async fn signs(
    clients: &Clients,
    scope: Scope,
    instances: Vec<InstanceId>,
) -> Result<Vec<(String, Score)>, Failure> {
    let policy = Policy { mode: Mode::Observe, ..Policy::default() };
    let in_force =
        InForce { policy, version: "default".to_owned(), ceiling: Mode::Observe, paused: None, trouble: None };
    let trigger = Trigger {
        kind: TriggerKind::Schedule,
        scope,
        at: jiff::Timestamp::now(),
        event: Untrusted::new("a person asks"),
        subject: Subject::Instances(instances),
        principal: None,
        signal: None,
        hint: Default::default(),
    };
    let judged = judge::judge(trigger, Some(clients), &in_force).await?;
    let told = judged.findings.into_iter().filter(|f| f.verdict > Verdict::Note);
    let each = |f: judge::Finding| f.assets.into_iter().map(move |asset| (asset, f.score.clone()));
    Ok(told.flat_map(each).collect())
}

/// The text of a file, or of standard input.
fn read(input: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match input.to_str() {
        Some("-") => std::io::stdin().lock().read_to_string(&mut text).map(drop),
        _ => std::fs::read_to_string(input).map(|read| text = read),
    };
    let failed = |e| {
        let what = format!("reading the events in `{}`", input.display());
        Failure::usage(what).because(e).hint("name a file, a folder, or `-` for standard input")
    };
    read.map_err(failed).map(|()| text)
}

/// The policy, with the mode that was asked for on both sides.
fn in_force(args: &Args) -> Result<InForce, Failure> {
    let (mut policy, version) = match &args.policy {
        Some(file) => (policy::of_file(file)?, file.display().to_string()),
        None => (Policy::default(), "default".to_owned()),
    };
    policy.mode = args.mode;
    Ok(InForce { policy, version, ceiling: args.mode, paused: None, trouble: None })
}

async fn outcome(
    decoded: Result<Decoded, Malformed>,
    live: Option<(&Clients, &Caller)>,
    in_force: &InForce,
) -> Result<Outcome, Failure> {
    Ok(match decoded {
        Err(malformed) => Outcome::Malformed { reason: malformed.to_string() },
        Ok(Decoded::Drop(reason)) => Outcome::Dropped { reason: reason.to_string() },
        Ok(Decoded::Trigger(trigger)) => Outcome::Judged(Box::new(judged(*trigger, live, in_force).await?)),
    })
}

/// Credentials of another account would show nothing and look as if it were gone, so they are not used.
async fn judged(
    trigger: Trigger,
    live: Option<(&Clients, &Caller)>,
    in_force: &InForce,
) -> Result<judge::Judged, Failure> {
    let (event, ours) = (trigger.scope.account.clone(), live.filter(|(_, c)| c.account == trigger.scope.account));
    let mut judged = judge::judge(trigger, ours.map(|(clients, _)| clients), in_force).await?;
    if let (Some((_, caller)), None) = (live, ours) {
        let why = format!("AWS was not read: the credentials are of account {}, not {event}", caller.account);
        judged.gaps.insert(0, why);
    }
    Ok(judged)
}

fn exit(events: &[Replay]) -> Exit {
    let malformed = events.iter().filter(|e| matches!(e.outcome, Outcome::Malformed { .. })).count();
    match malformed {
        0 => Exit::Done,
        n if n == events.len() => Exit::Usage,
        _ => Exit::Found,
    }
}

/// What is missing offline can be read; what was read live can be acted on.
fn next(args: &Args, events: &[Replay], session: &Session) -> Option<String> {
    let judged = || events.iter().filter_map(|e| if let Outcome::Judged(j) = &e.outcome { Some(j) } else { None });
    if args.live {
        let instance = judged().find_map(|j| j.suspects().next())?;
        return Some(session.command(format!("quarantine {instance} --reason \"...\"")));
    }
    let from_file = args.input().as_os_str() != "-";
    (from_file && judged().next().is_some())
        .then(|| session.command(format!("replay {} --live", args.input().display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_tells_a_broken_input_from_a_partly_broken_one() {
        let of = |outcomes: &[bool]| {
            let outcome = |good: &bool| match good {
                true => Outcome::Dropped { reason: String::new() },
                false => Outcome::Malformed { reason: String::new() },
            };
            exit(&outcomes.iter().map(|g| Replay { position: 1, outcome: outcome(g) }).collect::<Vec<_>>())
        };
        assert_eq!(of(&[true, true]), Exit::Done);
        assert_eq!(of(&[true, false]), Exit::Found);
        assert_eq!(of(&[false]), Exit::Usage);
    }
}
