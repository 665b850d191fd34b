//! `picket benchmark`: which benchmarks there are, what they ask for, and what an account comes to.

mod list;
mod run;
mod show;

use clap::Subcommand;
use picket_checks::Book;
use picket_checks::benchmarks::Benchmark;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::posture::Sources;
use crate::session::Session;

/// What `picket benchmark` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket benchmark list
  picket benchmark show cis-eks-1.8.0
  picket benchmark run cis-eks-1.8.0 --all-regions --output junit > cis.xml")]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub what: What,
}

/// What can be done with benchmarks.
#[derive(Debug, Subcommand)]
pub enum What {
    /// List the benchmarks, and how many of their controls are decided how
    #[command(after_help = "Example:\n  picket benchmark list --output json")]
    List {
        /// A folder with your own rules and benchmarks
        #[arg(long, value_name = "DIR")]
        rules: Option<std::path::PathBuf>,
    },
    /// Show every control of a benchmark, with the rules that decide it or the reason why none does
    #[command(after_help = "Example:\n  picket benchmark show cis-eks-1.8.0")]
    Show {
        /// The benchmark
        id: String,
        /// A folder with your own rules and benchmarks
        #[arg(long, value_name = "DIR")]
        rules: Option<std::path::PathBuf>,
    },
    /// Assess an account and say what every control comes to
    #[command(after_help = "Examples:
  picket benchmark run cis-eks-1.8.0
  picket benchmark run cis-aws-foundations-7.0.0 --all-regions --failed
  picket benchmark run cis-eks-1.8.0 --evidence e.json --output json")]
    Run(run::Args),
}

/// Does it.
///
/// # Errors
/// If rules or evidence cannot be read, or there is no such benchmark.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let book = |rules| Sources { rules, ..Sources::default() }.book();
    match args.what {
        What::List { rules } => list::run(&book(rules)?, session),
        What::Show { id, rules } => show::run(&id, &book(rules)?, session),
        What::Run(args) => run::run(args, session).await,
    }
}

/// The benchmark of this id.
///
/// # Errors
/// If there is none; names those that there are.
fn named<'a>(book: &'a Book, id: &str) -> Result<&'a Benchmark, Failure> {
    book.benchmarks().get(id).ok_or_else(|| {
        let known: Vec<_> = book.benchmarks().iter().map(|b| b.id.as_str()).collect();
        Failure::usage(format!("there is no benchmark `{id}`")).hint(format!("there are {}", known.join(", ")))
    })
}
