//! `picket demo`: the main job as a story. To be written.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What `picket demo` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  picket demo")]
pub struct Args {}

/// Runs it.
///
/// # Errors
/// Always: it is not written yet.
pub async fn run(_args: Args, _session: &Session) -> Result<Exit, Failure> {
    Err(Failure::refused("`picket demo` is not written yet"))
}
