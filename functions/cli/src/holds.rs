//! `picket holds`: the quarantine board of this account and Region.

use jiff::Timestamp;
use picket_model::{AtDeadline, Hold, HoldState, Scope};
use picket_pipeline::ports::Holds as _;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone, age};

/// What `picket holds` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket holds
  picket holds --all --output json")]
pub struct Args {
    /// Also those that were released
    #[arg(long)]
    pub all: bool,
}

/// The board.
#[derive(Debug, Serialize)]
struct Board {
    scope: Scope,
    at: Timestamp,
    holds: Vec<Hold>,
    /// How many more there are that were released and are not shown.
    released: usize,
    next: Option<String>,
}

/// Shows the board.
///
/// # Errors
/// If AWS cannot be reached, or denies it.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (aws, caller) = session.known().await?;
    let (scope, table) = (aws.scope(&caller), aws.table());
    let mut holds = session.show.wait("reading the holds", table.holds(&scope)).await?;
    let all = holds.len();
    holds.retain(|h| args.all || h.state != HoldState::Released);
    holds.sort_by_key(|h| std::cmp::Reverse(h.since));
    let held = holds.iter().find(|h| h.state != HoldState::Released);
    let next = held.map(|h| session.command(format!("release {} --reason \"...\"", h.case)));
    let board = Board { scope, at: Timestamp::now(), released: all - holds.len(), holds, next };
    session.show.answer(&board)?;
    Ok(Exit::Done)
}

impl Reply for Board {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        let place = format!("account {}, {}", self.scope.account, self.scope.region);
        if self.holds.is_empty() {
            page.line(Tone::Good, format!("nothing is in quarantine in {place}"));
        } else {
            page.line(Tone::Strong, format!("quarantine in {place}")).gap();
            let head = ["INSTANCE", "STATE", "TIER", "SINCE", "CASE", "INTERFACES", "UNTIL", "RELEASED BY"];
            page.table(&head, &[5], self.holds.iter().map(|h| row(h, self.at)).collect());
        }
        if self.released > 0 {
            let more = format!("{} released before; `--all` shows them", self.released);
            page.gap().line(Tone::Dim, more);
        }
        page.next(self.next.as_deref()).done()
    }
}

fn row(hold: &Hold, at: Timestamp) -> Vec<Text> {
    let tone = match hold.state {
        HoldState::Contained => Tone::Good,
        HoldState::Containing | HoldState::Releasing => Tone::Warn,
        HoldState::Released => Tone::Dim,
    };
    let released = hold.released.as_ref();
    vec![
        hold.instance.as_str().into(),
        Text::toned(tone, hold.state.to_string()),
        hold.tier.to_string().into(),
        format!("{} ago", age(at.duration_since(hold.since))).into(),
        hold.case.as_str().into(),
        hold.captures.len().to_string().into(),
        until(hold, at),
        released.map(|r| format!("{}: {}", r.by, r.reason)).unwrap_or_default().into(),
    ]
}

/// When it is lifted or told again; nothing where it stays until it is released.
fn until(hold: &Hold, at: Timestamp) -> Text {
    let Some(deadline) = hold.deadline.as_ref().filter(|_| hold.state != HoldState::Released) else {
        return hold.kept.as_ref().map(|k| format!("kept by {}", k.by)).unwrap_or_default().into();
    };
    let then = match deadline.then {
        AtDeadline::Lift => "lifted",
        AtDeadline::Escalate => "told again",
    };
    let left = deadline.at.duration_since(at);
    let when = if left.is_positive() { format!("in {}", age(left)) } else { "with the next sweep".to_owned() };
    Text::toned(Tone::Warn, format!("{then} {when}"))
}

#[cfg(test)]
mod tests {
    use picket_model::{AccountId, Capture, CaseId, Deadline, InstanceId, Region, Tier};

    use super::*;

    fn board(states: &[HoldState]) -> Board {
        let scope =
            Scope { account: AccountId::parse("123456789012").unwrap(), region: Region::parse("us-east-1").unwrap() };
        let at: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let hold = |state: &HoldState| Hold {
            scope: scope.clone(),
            instance: InstanceId::parse("i-0aaaaaaaaaaaaaaaa").unwrap(),
            case: CaseId::try_from("case-0123456789ab".to_owned()).unwrap(),
            also: Vec::new(),
            lifted: Vec::new(),
            times: 0,
            state: *state,
            captures: Vec::<Capture>::new(),
            quarantine: Vec::new(),
            since: "2026-11-23T09:18:00Z".parse().unwrap(),
            lease_until: at,
            released: None,
            tier: Tier::Suspected,
            deadline: Some(Deadline { at: "2026-11-23T22:00:00Z".parse().unwrap(), then: AtDeadline::Lift }),
            kept: None,
            measures: Vec::new(),
            secured: true,
        };
        let holds = states.iter().map(hold).collect();
        Board { scope: scope.clone(), at, holds, released: 1, next: Some("picket release …".to_owned()) }
    }

    #[test]
    fn the_board_says_what_is_held_and_since_when() {
        let expected = "quarantine in account 123456789012, us-east-1\n\n\
            INSTANCE             STATE      TIER       SINCE       CASE               INTERFACES  UNTIL           RELEASED BY\n\
            i-0aaaaaaaaaaaaaaaa  contained  suspected  42 min ago  case-0123456789ab           0  lifted in 12 h\n\n\
            1 released before; `--all` shows them\n\n\
            next: picket release …\n";
        assert_eq!(board(&[HoldState::Contained]).text(Paint::default()), expected);
    }

    #[test]
    fn an_empty_board_says_so() {
        let text = board(&[]).text(Paint::default());
        assert!(text.starts_with("nothing is in quarantine in account 123456789012, us-east-1\n"), "{text}");
    }
}
