//! What `assess`, `benchmark`, `explain` and `rule` share: the book that is judged by, and the evidence that is judged.

pub mod cluster;
pub mod folder;
pub mod going;
pub mod node;
pub mod paper;
pub mod render;

use std::path::PathBuf;

use jiff::Timestamp;
use picket_aws::{Caller, Clients};
use picket_checks::Book;
use picket_checks::rules::Evidence;
use picket_evidence::account::Wanted;
use picket_evidence::aws::settings::Settings;
use picket_model::{AccountId, Region};

use crate::failure::Failure;
use crate::session::{Aws, Session};

/// Where rules and evidence come from.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Sources {
    /// A folder with your own rules, waivers, benchmarks and settings
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// Read these Regions, with commas between them, instead of the one of your profile
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    pub regions: Vec<Region>,
    /// Read every Region that the account has switched on
    #[arg(long, conflicts_with = "regions")]
    pub all_regions: bool,
    /// Read the Kubernetes cluster of this kubeconfig alone; AWS is not read
    #[arg(long, value_name = "FILE", conflicts_with_all = ["regions", "all_regions", "evidence"])]
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context, instead of its current one
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    pub context: Option<String>,
    /// Judge one node by the report of its collector in this file (`infra/node`); AWS is not read
    #[arg(long, value_name = "FILE", conflicts_with_all = ["regions", "all_regions", "evidence", "kubeconfig"])]
    pub node: Option<PathBuf>,
    /// Judge what was saved in this file; AWS is not read
    #[arg(long, value_name = "FILE", conflicts_with_all = ["regions", "all_regions", "save_evidence"])]
    pub evidence: Option<PathBuf>,
    /// Keep what was read in this file, to judge it again later
    #[arg(long, value_name = "FILE")]
    pub save_evidence: Option<PathBuf>,
}

/// What there is to judge, and by what.
#[derive(Debug)]
pub struct Case {
    /// The rules and what goes with them.
    pub book: Book,
    /// The evidence.
    pub evidence: Evidence,
    /// Of what, such as `account 123456789012, us-east-1`.
    pub of: String,
    /// When it was read.
    pub at: Timestamp,
    /// AWS, where it was read and not a file.
    pub live: Option<(Aws, Caller)>,
}

impl Sources {
    /// The book.
    ///
    /// # Errors
    /// If the folder cannot be read, or a file in it cannot be used.
    pub fn book(&self) -> Result<Book, Failure> {
        match &self.rules {
            Some(folder) => folder::book(folder),
            None => Book::built_in().map_err(|e| Failure::usage("reading the rules that are built in").because(e)),
        }
    }

    /// The book and the evidence.
    ///
    /// # Errors
    /// As `book`, or if AWS or the file cannot be read.
    pub async fn case(&self, session: &Session) -> Result<Case, Failure> {
        let book = self.book()?;
        if let Some(file) = &self.evidence {
            let (evidence, at) = paper::read(file)?;
            let of = format!("what was saved in {}", file.display());
            return Ok(Case { book, evidence, of, at, live: None });
        }
        if let Some(report) = &self.node {
            let (evidence, at) = node::read(report)?;
            if let Some(file) = &self.save_evidence {
                paper::write(file, &evidence)?;
            }
            return Ok(Case { book, evidence, of: format!("the node of {}", report.display()), at, live: None });
        }
        if let Some(kubeconfig) = &self.kubeconfig {
            let at = Timestamp::now();
            let (evidence, name) = cluster::read(kubeconfig, self.context.as_deref(), session, at).await?;
            if let Some(file) = &self.save_evidence {
                paper::write(file, &evidence)?;
            }
            return Ok(Case { book, evidence, of: format!("cluster {name}"), at, live: None });
        }
        let (aws, caller) = session.known().await?;
        let regions = self.regions(&aws, session).await?;
        let settings = self.rules.as_deref().map(folder::settings).transpose()?.unwrap_or_default();
        let at = Timestamp::now();
        let reading = read(&aws.clients, &aws.region, &caller, &regions, &settings, at);
        let evidence = session.show.wait("reading the account", reading).await;
        if let Some(file) = &self.save_evidence {
            paper::write(file, &evidence)?;
        }
        Ok(Case { book, evidence, of: place(&caller.account, &regions), at, live: Some((aws, caller)) })
    }

    async fn regions(&self, aws: &Aws, session: &Session) -> Result<Vec<Region>, Failure> {
        match (self.all_regions, self.regions.is_empty()) {
            (true, _) => Ok(session.show.wait("listing the Regions", aws.clients.regions(&aws.region)).await?),
            (false, false) => Ok(self.regions.clone()),
            (false, true) => Ok(vec![aws.region.clone()]),
        }
    }
}

fn place(account: &AccountId, regions: &[Region]) -> String {
    match regions {
        [one] => format!("account {account}, {one}"),
        many => format!("account {account}, {} Regions", many.len()),
    }
}

/// Reads an account with every collector that reads AWS.
async fn read(
    clients: &Clients,
    home: &Region,
    caller: &Caller,
    regions: &[Region],
    settings: &Settings,
    at: Timestamp,
) -> Evidence {
    let wanted = Wanted { account: &caller.account, regions, kinds: None, settings, at };
    picket_evidence::reader::evidence(&wanted, |region| clients.in_region(region.unwrap_or(home))).await
}
