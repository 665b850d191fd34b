//! `picket rule`: your own rules as code: begin one, test them, see what they may look at, and hold ours against others.

mod apply;
mod kinds;
mod list;
mod new;
mod speed;
mod test;
mod vectors;

use std::path::PathBuf;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What `picket rule` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket rule new house_bucket_named --rules policies/
  picket rule test policies/
  picket rule kinds eks.cluster")]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub what: What,
}

/// What can be done with rules.
#[derive(Debug, Subcommand)]
pub enum What {
    /// List the rules
    #[command(after_help = "Example:\n  picket rule list --kind eks.cluster")]
    List {
        /// Only those about this kind
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
        /// A folder with your own rules
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
    },
    /// Show which kinds of evidence there are, and their fields
    #[command(after_help = "Example:\n  picket rule kinds eks.cluster")]
    Kinds {
        /// One kind, with its fields
        kind: Option<String>,
    },
    /// Begin a rule of your own, with cases
    #[command(after_help = "Example:\n  picket rule new house_bucket_named --kind s3.bucket --rules policies/")]
    New {
        /// Its name: a folder and a name, such as house_bucket_named
        name: String,
        /// The kind that it is about
        #[arg(long, value_name = "KIND", default_value = "eks.cluster")]
        kind: String,
        /// The folder with your own rules
        #[arg(long, value_name = "DIR", default_value = ".")]
        rules: PathBuf,
    },
    /// Check a folder of your own rules, benchmarks and waivers, and run every case
    #[command(after_help = "Example:\n  picket rule test policies/")]
    Test {
        /// The folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Test a folder of your own rules and waivers, and put it in force in the deployment
    #[command(after_help = "Example:\n  picket rule apply policies/")]
    Apply {
        /// The folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Measure how long judging takes here, with evidence in memory
    #[command(after_help = "Example:\n  picket rule speed --clusters 1000")]
    Speed {
        /// How many clusters, and how many of every other kind
        #[arg(long, value_name = "N", default_value_t = 1000)]
        clusters: usize,
    },
    /// Hold our judgement against other projects' test cases
    #[command(after_help = "Example:\n  picket rule vectors vectors/ --output json")]
    Vectors {
        /// A folder with their files, such as kubebench_compareop.json, kubescape.jsonl, checkov_k8s.jsonl
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Also every case that is not agreed
        #[arg(long)]
        notes: bool,
    },
}

/// Does it.
///
/// # Errors
/// If a file cannot be read or used.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    match args.what {
        What::List { kind, rules } => list::run(kind.as_deref(), rules, session),
        What::Kinds { kind } => kinds::run(kind.as_deref(), session),
        What::New { name, kind, rules } => new::run(&name, &kind, &rules, session),
        What::Test { folder } => test::run(&folder, session),
        What::Apply { folder } => apply::run(&folder, session).await,
        What::Speed { clusters } => speed::run(clusters, session),
        What::Vectors { folder, notes } => vectors::run(&folder, notes, session),
    }
}
