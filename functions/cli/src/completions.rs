//! `picket completions`: what a shell needs to complete our commands.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What `picket completions` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket completions bash > ~/.local/share/bash-completion/completions/picket
  picket completions zsh > ~/.zfunc/_picket")]
pub struct Args {
    /// The shell
    pub shell: Shell,
}

/// Prints the completions.
///
/// # Errors
/// If they cannot be written.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "picket", &mut script);
    session.show.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
