//! The way through accounts and Regions: some at once, each by itself. What fails is written down and costs no other.

use std::sync::Arc;

use futures::{StreamExt as _, stream};
use indicatif::ProgressBar;
use jiff::Timestamp;
use picket_aws::organization::{Entry, Member};
use picket_aws::{Caller, Watch};
use picket_model::{Region, Scope, Untrusted};
use picket_pipeline::scan;

use super::save::{Folder, Kept};
use super::spool::{Line, Spool};
use crate::failure::Failure;
use crate::session::Aws;
use crate::show::{Show, bar};

/// How many accounts are entered at once.
const ACCOUNTS_AT_ONCE: usize = 4;
/// How many Regions are looked at once, of all accounts together. Each has throttles of its own.
const PLACES_AT_ONCE: usize = 8;

/// Which accounts and Regions.
pub(super) struct Way {
    /// How to enter the other accounts of the organization; none for this account alone.
    pub entry: Option<Entry>,
    /// Only these Regions.
    pub regions: Vec<Region>,
    /// Where all that was read is kept.
    pub save: Option<Folder>,
}

/// Looks everywhere, and writes down what it finds.
pub(super) async fn run(aws: Aws, caller: &Caller, way: Way, spool: Spool, show: &Show) -> Result<Spool, Failure> {
    let members = match &way.entry {
        Some(_) => show.wait("listing the accounts", aws.clients.members()).await?,
        None => vec![Member { account: caller.account.clone(), name: Untrusted::default() }],
    };
    let home = aws.region.clone();
    let mut watches = Vec::new();
    for member in members {
        let watch = match &way.entry {
            Some(entry) if member.account != caller.account => {
                Watch::new(&aws.clients.entering(&member.account, entry).await)
            }
            _ => Watch::new(&aws.clients),
        };
        watches.push((member, Arc::new(watch)));
    }
    let places = show.wait("listing the Regions", places(&watches, &way, &home, &spool)).await?;
    let places: Vec<_> = places.into_iter().filter(|(scope, _)| !spool.has(scope)).collect();
    let progress = bar(places.len() as u64, "Regions");
    let looks = stream::iter(places).map(|(scope, watch)| look(scope, watch, way.save.as_ref(), &progress, &spool));
    let done: Vec<Result<(), Failure>> = looks.buffer_unordered(PLACES_AT_ONCE).collect().await;
    progress.finish_and_clear();
    done.into_iter().collect::<Result<(), _>>()?;
    spool.put(&Line::Done { at: Timestamp::now() })?;
    Ok(spool)
}

type Watched = (Member, Arc<Watch>);

/// Every place to look at. An account that cannot be entered is written down.
async fn places(
    watches: &[Watched],
    way: &Way,
    home: &Region,
    spool: &Spool,
) -> Result<Vec<(Scope, Arc<Watch>)>, Failure> {
    let ask = |(member, watch): &Watched| {
        let (member, watch) = (member.clone(), Arc::clone(watch));
        async move {
            let regions = match way.regions.as_slice() {
                [] => watch.regions(home).await,
                named => Ok(named.to_vec()),
            };
            (member, watch, regions)
        }
    };
    let asked: Vec<_> = stream::iter(watches.iter().map(ask)).buffered(ACCOUNTS_AT_ONCE).collect().await;
    let mut places = Vec::new();
    for (member, watch, regions) in asked {
        let account = member.account;
        match regions {
            Ok(regions) => places.extend(
                regions.into_iter().map(|region| (Scope { account: account.clone(), region }, Arc::clone(&watch))),
            ),
            Err(error) => spool.put(&Line::Failed { account, region: None, reason: scan::reason(&error) })?,
        }
    }
    Ok(places)
}

async fn look(
    scope: Scope,
    watch: Arc<Watch>,
    save: Option<&Folder>,
    progress: &ProgressBar,
    spool: &Spool,
) -> Result<(), Failure> {
    let kept = Kept::of(save, &scope);
    let with = scan::With { beside: &|sight| kept.take(sight), ..scan::With::default() };
    let found = scan::run_with(&*watch, &scope, Timestamp::now(), &with).await;
    kept.put()?;
    let (clusters, instances) = (found.survey.clusters.len(), found.instances.len());
    progress.set_message(format!("Regions; {scope}: {clusters} clusters, {instances} instances"));
    progress.inc(1);
    spool.put(&Line::Place(Box::new(found)))
}
