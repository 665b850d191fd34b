//! `picket policy`: check it, apply it, show it. What a policy may say is `picket_checks::policy`'s.

mod apply;
mod check;
mod explain;
mod signals;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use picket_checks::Policy;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What `picket policy` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket policy check policy.yaml && picket policy apply policy.yaml
  picket policy show > policy.yaml
  picket policy schema > policy.schema.json")]
pub struct Args {
    /// What to do with it
    #[command(subcommand)]
    pub what: What,
}

/// What can be done with a policy.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Read a policy file and say what it means; nothing is changed
    #[command(after_help = "Example:\n  picket policy check policy.yaml")]
    Check {
        /// The policy file
        file: PathBuf,
    },
    /// Check a policy file and put it in force
    #[command(after_help = "Example:\n  picket policy apply policy.yaml --stack picket")]
    Apply {
        /// The policy file
        file: PathBuf,
    },
    /// Show the policy that was applied, as it was written
    #[command(after_help = "Example:\n  picket policy show > policy.yaml")]
    Show,
    /// Print the JSON Schema of policy files, for editors
    #[command(after_help = "Example:\n  picket policy schema > policy.schema.json")]
    Schema,
    /// Print the published table of risk signals and their weights
    #[command(after_help = "Example:\n  picket policy signals")]
    Signals,
}

/// Does it.
///
/// # Errors
/// If a file cannot be used, or AWS cannot be reached or denies it.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    match args.what {
        What::Check { file } => check::run(&file, session),
        What::Apply { file } => apply::apply(&file, session).await,
        What::Show => apply::show(session).await,
        What::Schema => {
            session.show.json(&Policy::schema())?;
            Ok(Exit::Done)
        }
        What::Signals => signals::run(session),
    }
}

/// The text of a policy file.
///
/// # Errors
/// If it cannot be read.
fn text_of(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|e| Failure::usage(format!("reading the policy `{}`", file.display())).because(e))
}

/// A policy from a file.
///
/// # Errors
/// If it cannot be read, or is not a policy.
pub fn of_file(file: &Path) -> Result<Policy, Failure> {
    let text = text_of(file)?;
    Policy::parse(&text, &file.display().to_string()).map_err(|error| {
        Failure::usage("checking the policy").because(error).hint("`picket policy schema` says what a policy may hold")
    })
}
