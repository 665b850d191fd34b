//! `picket demo`: the main job as a story, in a local cloud, through the AWS API itself. It launches things, so it
//! refuses every endpoint but loopback; `make demo` starts a cloud, deploys Picket into it and comes here.

mod stage;
mod story;

use picket_aws::rehearsal::Rehearsal;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use stage::Stage;

/// What `picket demo` takes: nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  make demo      set everything up on this machine and run it\n  \
                        picket demo    run it against the local cloud that AWS_ENDPOINT_URL names")]
pub struct Args {}

/// Plays the story.
///
/// Flow: open an account -> let Picket look -> attack -> wait for containment -> show who did what, the alert, what was
/// left alone -> release -> journal. Each step is checked; the first that is not as it should be ends it.
///
/// # Errors
/// If the endpoint is not loopback, Picket is not deployed there, or a step does not come true in time.
pub async fn run(_: Args, session: &Session) -> Result<Exit, Failure> {
    let (aws, caller) = session.known().await?;
    let rehearsal = Rehearsal::begin(&aws.clients, caller.account.clone(), &session.stack)
        .map_err(|e| Failure::from(e).hint("run `make demo`: it starts a local cloud and deploys Picket into it"))?;
    let stage = Stage::new(session);
    let summary = story::play(&stage, session, &aws, &rehearsal).await?;
    if session.show.is_json() {
        session.show.json(&summary)?;
    }
    Ok(Exit::Done)
}
