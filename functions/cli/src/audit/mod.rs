//! `picket audit`: whether the journal is what was written, and everything about one case in one archive.

mod archive;
mod bundle;
mod source;
mod verify;

use std::path::PathBuf;

use clap::Subcommand;
use picket_model::CaseId;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What `picket audit` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket audit verify
  picket audit bundle case-0123456789ab")]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub what: What,
}

/// What an auditor asks.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Find every changed, missing or moved entry of the journal; ends with 1 if there is one
    #[command(after_help = "Examples:
  picket audit verify
  picket audit verify --noted 5d41402abc4b2a76b9719d911017c592ae2b1b1c2d4b6b0d7f3e1a2b3c4d5e6f
  aws s3 sync s3://BUCKET/audit audit && picket audit verify --from audit    without access to the table
  picket audit verify --bundle case-0123456789ab.tar.gz")]
    Verify {
        /// A folder with the chain, instead of the bucket; the table is not asked
        #[arg(long, value_name = "DIR", conflicts_with = "bundle")]
        from: Option<PathBuf>,
        /// A hash that was noted before; the chain must still hold it
        #[arg(long, value_name = "HASH", conflicts_with = "bundle")]
        noted: Option<String>,
        /// An archive of `picket audit bundle`, instead of the chain
        #[arg(long, value_name = "FILE")]
        bundle: Option<PathBuf>,
    },
    /// Put everything about a case into one archive: journal, chain, hold with its capture, evidence, findings, sums
    #[command(after_help = "Examples:
  picket audit bundle case-0123456789ab
  picket audit bundle case-0123456789ab -o evidence.tar.gz")]
    Bundle {
        /// The case
        #[arg(value_name = "CASE")]
        case: CaseId,
        /// The archive, instead of CASE.tar.gz
        #[arg(long = "out", short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Does it.
///
/// # Errors
/// If AWS cannot be reached or denies it, or a file cannot be read or written.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    match args.what {
        What::Verify { bundle: Some(file), .. } => archive::verify(&file, session),
        What::Verify { from: Some(folder), noted, .. } => verify::folder(&folder, noted.as_deref(), session),
        What::Verify { noted, .. } => verify::bucket(noted.as_deref(), session).await,
        What::Bundle { case, out } => bundle::run(&case, out, session).await,
    }
}
