//! `picket keep`: a quarantine stays until it is released, whatever its deadline was.

use picket_model::{InstanceId, Untrusted};
use picket_pipeline::keep::{Answered, Order};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::release;
use crate::session::{self, Session};
use crate::show::{Page, Paint, Reply, Tone};
use crate::target::Target;

/// What `picket keep` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket keep case-0123456789ab --reason \"it mines\"
  picket keep i-0abc1234def567890 --reason \"still looking\"

A suspected quarantine may have a deadline, after which it is lifted (`picket holds` shows it).")]
pub struct Args {
    /// One case, or instances
    #[arg(required = true, value_name = "CASE|INSTANCE")]
    pub of: Vec<Target>,
    /// Why; it goes into the journal
    #[arg(long, value_name = "TEXT", value_parser = session::reason)]
    pub reason: Untrusted,
}

/// The order, as the release function takes it.
#[derive(Debug, Serialize)]
struct Asked {
    keep: Order,
}

/// What came of it, with the next command.
#[derive(Debug, Serialize)]
struct Said {
    #[serde(flatten)]
    outcome: Answered,
    next: Option<String>,
}

/// Says that it stays.
///
/// # Errors
/// If AWS cannot be reached or denies it.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (case, instances) = release::subject(&args.of)?;
    let (aws, caller) = session.known().await?;
    let order = Order { scope: aws.scope(&caller), case, instances, by: caller.arn, reason: args.reason };
    let functions = aws.functions();
    let outcome = session.show.wait("keeping it", functions.invoke("release", &Asked { keep: order })).await?;
    let exit = if matches!(outcome, Answered::Kept { .. }) { Exit::Done } else { Exit::Found };
    session.show.answer(&Said { outcome, next: Some(session.command("holds")) })?;
    Ok(exit)
}

impl Reply for Said {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        match &self.outcome {
            Answered::Kept { instances } => {
                let names: Vec<_> = instances.iter().map(InstanceId::as_str).collect();
                page.line(Tone::Good, format!("kept until released: {}", names.join(", ")));
            }
            Answered::NotHeld => {
                page.line(Tone::Warn, "there is no such hold in this account and Region");
            }
            Answered::Busy { instance } => {
                page.line(Tone::Warn, format!("another worker is at {instance}; try again"));
            }
        }
        page.next(self.next.as_deref()).done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_stays() {
        let outcome = Answered::Kept { instances: vec![InstanceId::parse("i-0aaaaaaaaaaaaaaaa").unwrap()] };
        let text = Said { outcome, next: Some("picket holds".to_owned()) }.text(Paint::default());
        assert_eq!(text, "kept until released: i-0aaaaaaaaaaaaaaaa\n\nnext: picket holds\n");
    }
}
