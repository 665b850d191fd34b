//! `picket scan`: every Kubernetes cluster and every instance of an account, or of an organization, by reads alone.
//! What is found goes to a file as it is found, Region by Region, so that a scan that was cut off is gone on with, and
//! what is shown is read from there bit by bit.

mod least;
mod rows;
mod save;
mod spool;
mod summary;
mod text;
mod walk;
mod web;

use std::path::PathBuf;

use jiff::Timestamp;
use picket_aws::organization::Entry;
use picket_model::Region;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::Format;

pub use spool::{Line, Spool, newest};
pub use summary::{Summary, word};
pub use text::last;

/// Where a scan begins when no Region is named anywhere: every account has it.
const FIRST_REGION: &str = "us-east-1";

/// What `picket scan` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket scan                                         all enabled Regions of this account
  picket scan --regions us-east-1,eu-west-1
  picket scan --org --external-id 4f1c...             all accounts, by the role of infra/member.yaml
  picket scan --output html > scan.html               a page to hand on; csv and json for machines
  picket scan --resume                                go on where a scan was cut off
  picket scan --print-policy > scan-policy.json       all that it needs, and nothing else
  picket scan --save DIR                              keep all that was read, for `picket fingerprint evaluate`

Nothing is changed, in AWS or in your clusters. It ends with 0 also where something could not be seen: that is said.")]
pub struct Args {
    /// Only these Regions, with commas between them
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    pub regions: Vec<Region>,
    /// All accounts of the organization
    #[arg(long, requires = "external_id")]
    pub org: bool,
    /// The role to take in the other accounts
    #[arg(long, value_name = "NAME", default_value = "PicketScan")]
    pub role_name: String,
    /// What that role's trust policy asks for
    #[arg(long, value_name = "ID", env = "PICKET_EXTERNAL_ID")]
    pub external_id: Option<String>,
    /// Go on with the last scan that was not finished
    #[arg(long)]
    pub resume: bool,
    /// List every instance, not only those that are worth a look
    #[arg(long)]
    pub all: bool,
    /// Print the IAM policy that a scan needs, and do nothing else
    #[arg(long)]
    pub print_policy: bool,
    /// Also keep all that was read in this folder, a file an account and Region. User data is in it, which may hold secrets
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// Keep what is found in this file instead of in your state folder
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Scans.
///
/// # Errors
/// If nobody can be asked who we are, or the file cannot be kept.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    if args.print_policy {
        session.show.json(&least::policy(args.org, &args.role_name))?;
        return Ok(Exit::Done);
    }
    let session = &named(session).await;
    let (aws, caller) = session.known().await?;
    let path = match &args.file {
        Some(file) => file.clone(),
        None => spool::usual(&caller.account)?,
    };
    let head = spool::Head {
        version: spool::VERSION,
        at: Timestamp::now(),
        account: caller.account.clone(),
        caller: caller.arn.clone(),
        organization: args.org,
        regions: args.regions.clone(),
    };
    let spool = if args.resume { Spool::resume(&path, head)? } else { Spool::begin(&path, head)? };
    let entry = args.external_id.clone().map(|external_id| Entry {
        role: args.role_name.clone(),
        external_id,
        partition: caller.arn.as_str().split(':').nth(1).unwrap_or("aws").to_owned(),
    });
    let save = args.save.as_deref().map(save::Folder::new).transpose()?;
    let way = walk::Way { entry: entry.filter(|_| args.org), regions: args.regions.clone(), save };
    let spool = walk::run(aws, &caller, way, spool, &session.show).await?;
    answer(&spool, &args, session)?;
    Ok(Exit::Done)
}

/// The session, with a Region to begin in.
async fn named(session: &Session) -> Session {
    let named = session.aws().await.is_ok();
    let region = if named { session.region.clone() } else { Some(FIRST_REGION.to_owned()) };
    Session { stack: session.stack.clone(), profile: session.profile.clone(), region, show: session.show }
}

fn answer(spool: &Spool, args: &Args, session: &Session) -> Result<(), Failure> {
    let summary = Summary::of(spool)?;
    let next = summary.next(session, args);
    match session.show.format() {
        Format::Text => session.show.print(&text::page(&summary, spool, args.all, &next, session.show.paint())?),
        Format::Json => rows::json(spool, &summary, &next, &mut std::io::stdout().lock()),
        Format::Csv => rows::csv(spool, &mut std::io::stdout().lock()),
        Format::Html => web::page(spool, &summary, &mut std::io::stdout().lock()),
        Format::Sarif | Format::Junit | Format::Ocsf | Format::Asff => Err(Failure::usage("a scan has no findings")
            .hint("`--output text`, json, csv or html; `picket assess` knows the others")),
    }
}
