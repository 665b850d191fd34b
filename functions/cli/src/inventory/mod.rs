//! What is known of clusters and instances: from the inventory of a deployment, or, where Picket is not deployed, from
//! the last scan of this account.

pub mod clusters;
pub mod diff;
pub mod one;

use jiff::Timestamp;
use picket_aws::{Caller, Table};
use picket_model::Scope;
use picket_pipeline::Kind;
use picket_pipeline::scan::{Kept, Looked};

use crate::failure::Failure;
use crate::scan::{self, Line};
use crate::session::{Aws, Session};

/// Where the answer comes from.
pub(super) enum Source {
    /// The deployment's inventory, and the places in it.
    Inventory(Table, Vec<Scope>),
    /// The last scan from this machine.
    Scan(scan::Spool),
}

/// Opens the inventory, or else the last scan.
pub(super) async fn open(session: &Session) -> Result<(Aws, Caller, Source), Failure> {
    let (aws, caller) = session.known().await?;
    let table = aws.table();
    let source = match session.show.wait("reading the inventory", table.places()).await {
        Ok(places) => Source::Inventory(table, known(places, &aws.scope(&caller))),
        Err(error) if !matches!(error.kind, Kind::NotFound | Kind::Other) => return Err(error.into()),
        _ => {
            let none = || {
                Failure::usage("nothing was ever scanned here").hint("`picket scan` looks now, and needs no deployment")
            };
            Source::Scan(scan::newest(&caller.account).ok_or_else(none)?)
        }
    };
    if let Source::Scan(spool) = &source {
        session.show.remark(&format!("not deployed here; this is what the scan of {} found", spool.head().at));
    }
    Ok((aws, caller, source))
}

/// The places that were looked at, and home: events tell of what is there before the first sweep does.
fn known(places: Vec<Looked>, home: &Scope) -> Vec<Scope> {
    let mut scopes: Vec<Scope> = places.into_iter().map(|place| place.scope).collect();
    if !scopes.contains(home) {
        scopes.push(home.clone());
    }
    scopes
}

impl Source {
    /// The places in it.
    pub(super) fn scopes(&self) -> Vec<Scope> {
        match self {
            Self::Inventory(_, places) => places.clone(),
            Self::Scan(_) => Vec::new(),
        }
    }

    /// All clusters.
    pub(super) async fn clusters(&self) -> Result<Vec<Kept>, Failure> {
        use picket_pipeline::scan::Atlas as _;
        match self {
            Self::Inventory(table, places) => {
                let reads = places.iter().map(|place| table.clusters(place));
                Ok(futures::future::try_join_all(reads).await?.into_iter().flatten().collect())
            }
            Self::Scan(spool) => {
                let mut all = Vec::new();
                for line in spool.lines()? {
                    let Line::Place(place) = line? else { continue };
                    let at = place.at;
                    all.extend(place.survey.clusters.into_iter().map(|found| kept(found, at)));
                }
                Ok(all)
            }
        }
    }
}

fn kept(found: picket_model::landscape::Found, at: Timestamp) -> Kept {
    Kept {
        found,
        first_seen: at,
        last_seen: at,
        found_by: "picket scan".to_owned(),
        gone_at: None,
        history: Vec::new(),
    }
}
