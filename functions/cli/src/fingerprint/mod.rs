//! `picket fingerprint`: what Kubernetes is told by, and how well that works. Nothing here needs AWS.

mod evaluate;
mod list;

use std::path::PathBuf;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What `picket fingerprint` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket fingerprint list
  picket fingerprint show kops
  picket fingerprint evaluate fixtures/userdata --output json")]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub what: What,
}

/// What can be done with fingerprints.
#[derive(Debug, Subcommand)]
pub enum What {
    /// List the distributions that are known, and the decoys
    #[command(after_help = "Example:\n  picket fingerprint list")]
    List,
    /// Show what a distribution or a decoy is told by
    #[command(after_help = "Example:\n  picket fingerprint show kops")]
    Show {
        /// Its name, of `picket fingerprint list`
        name: String,
    },
    /// Judge labelled user data and landscapes; print precision and recall for each tool
    #[command(after_help = "Example:\n  picket fingerprint evaluate fixtures/userdata\n\n\
        The folder holds MANIFEST.jsonl, a line a file: {\"file\": ..., \"tool\": ..., \"is_kubernetes\": ..., \"note\": ...}.\n\
        A file of Kubernetes with a note is a fragment: its label is not sure, and it is counted apart.\n\
        A line with \"instances\": [\"i-...\"] or \"cluster\": \"name\" is about a landscape, a file that `picket scan --save` wrote:\n\
        these instances must come out as one cluster. \"distribution\": \"openshift-3\" says which, where the tool's name does not.\n\
        PRECISION is the part of what was called so that is so; RECALL the part of what is so that was called so.\n\
        Exit code 1 if a file with a sure label is judged wrongly.")]
    Evaluate {
        /// The folder
        dir: PathBuf,
    },
}

/// Does it.
///
/// # Errors
/// If the folder cannot be read, or the name is not known.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    match args.what {
        What::List => list::list(session),
        What::Show { name } => list::show(&name, session),
        What::Evaluate { dir } => evaluate::run(&dir, session),
    }
}
