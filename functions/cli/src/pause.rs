//! `picket pause` and `picket resume`: the switch that stops all changes. Events are still judged, recorded and told.

use picket_model::Untrusted;
use picket_pipeline::ports::Policies as _;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{self, Session};
use crate::show::{Page, Paint, Reply, Text, Tone};

/// What `picket pause` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  picket pause --reason \"migration of the network until noon\"")]
pub struct PauseArgs {
    /// Why; it is shown with everything that is not done meanwhile
    #[arg(long, value_name = "TEXT", value_parser = session::reason)]
    pub reason: Untrusted,
}

/// What `picket resume` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  picket resume")]
pub struct ResumeArgs {}

/// How the switch stands now.
#[derive(Debug, Serialize)]
struct Switch {
    paused: bool,
    reason: Option<Untrusted>,
    by: Untrusted,
    next: Option<String>,
}

impl Reply for Switch {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        match &self.reason {
            Some(reason) => page
                .field("changes", Text::toned(Tone::Warn, "paused: nothing is quarantined, a release still works"))
                .field("because", reason.to_string()),
            None => page.field("changes", Text::toned(Tone::Good, "allowed again, within mode and policy")),
        };
        page.field("by", self.by.to_string()).next(self.next.as_deref()).done()
    }
}

/// Stops all changes.
///
/// # Errors
/// If AWS cannot be reached, or denies it.
pub async fn pause(args: PauseArgs, session: &Session) -> Result<Exit, Failure> {
    set(session, Some(args.reason), Some(session.command("resume"))).await
}

/// Lets them go on.
///
/// # Errors
/// If AWS cannot be reached, or denies it.
pub async fn resume(_: ResumeArgs, session: &Session) -> Result<Exit, Failure> {
    set(session, None, Some(session.command("holds"))).await
}

async fn set(session: &Session, reason: Option<Untrusted>, next: Option<String>) -> Result<Exit, Failure> {
    let (aws, caller) = session.known().await?;
    let table = aws.table();
    session.show.wait("setting the pause switch", table.set_paused(reason.as_ref(), &caller.arn)).await?;
    session.show.answer(&Switch { paused: reason.is_some(), reason, by: caller.arn, next })?;
    Ok(Exit::Done)
}
