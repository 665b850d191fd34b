//! What a scan comes to, in numbers and in what could not be seen. Clusters are kept; instances are only counted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use picket_model::landscape::Found;
use picket_model::{AccountId, Scope};
use serde::Serialize;

use super::Args;
use super::spool::{Line, Spool};
use crate::failure::Failure;
use crate::session::Session;

/// What could not be seen for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blind {
    /// What, each once.
    pub what: BTreeSet<String>,
    /// Where.
    pub places: BTreeSet<String>,
    /// Why, with the permission that would help.
    pub reason: String,
}

/// A scan in short.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The account that it was made from.
    pub account: AccountId,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, if it was finished.
    pub seconds: Option<i64>,
    /// How many accounts were looked at.
    pub accounts: usize,
    /// How many Regions, of all accounts together.
    pub regions: usize,
    /// How many instances there are.
    pub instances: usize,
    /// How many of them are nodes.
    pub nodes: usize,
    /// How many calls of AWS it took.
    pub calls: usize,
    /// How many clusters no inventory of AWS lists.
    pub unlisted: usize,
    /// The clusters, those with open doors first.
    #[serde(skip)]
    pub clusters: Vec<Found>,
    /// What could not be seen.
    pub unseen: Vec<Blind>,
}

impl Summary {
    /// Of what was written down.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn of(spool: &Spool) -> Result<Self, Failure> {
        let head = spool.head();
        let mut all = Self {
            account: head.account.clone(),
            at: head.at,
            seconds: None,
            accounts: 0,
            regions: 0,
            instances: 0,
            nodes: 0,
            calls: 0,
            unlisted: 0,
            clusters: Vec::new(),
            unseen: Vec::new(),
        };
        let (mut accounts, mut blind) = (BTreeSet::new(), BTreeMap::new());
        for line in spool.lines()? {
            all.add(line?, &mut accounts, &mut blind);
        }
        all.accounts = accounts.len();
        all.unlisted = all.clusters.iter().filter(|c| !is_listed(c)).count();
        all.clusters.sort_by_key(|c| (!is_open(c), is_listed(c), std::cmp::Reverse(c.nodes.len()), c.id.clone()));
        all.unseen = blind.into_values().collect();
        Ok(all)
    }

    fn add(&mut self, line: Line, accounts: &mut BTreeSet<AccountId>, blind: &mut BTreeMap<String, Blind>) {
        let mut cannot = |what: String, place: String, reason: String| {
            let known = blind.entry(reason.clone());
            let known = known.or_insert(Blind { what: BTreeSet::new(), places: BTreeSet::new(), reason });
            known.what.insert(what);
            known.places.insert(place);
        };
        match line {
            Line::Head(_) => {}
            Line::Done { at } => self.seconds = Some(at.duration_since(self.at).as_secs()),
            Line::Failed { account, region, reason } => {
                let place = region.map_or_else(|| account.to_string(), |r| format!("{account}/{r}"));
                cannot("all of it".to_owned(), place, reason);
            }
            Line::Place(place) => {
                let scope: Scope = place.survey.scope;
                accounts.insert(scope.account.clone());
                self.regions += 1;
                self.instances += place.instances.len();
                self.nodes += place.instances.iter().filter(|i| i.cluster.is_some()).count();
                self.calls += place.calls;
                self.clusters.extend(place.survey.clusters);
                for unseen in place.survey.unseen {
                    cannot(unseen.what, scope.to_string(), unseen.reason);
                }
            }
        }
    }

    /// The command to run next.
    #[must_use]
    pub fn next(&self, session: &Session, args: &Args) -> String {
        match self.clusters.first() {
            Some(cluster) => session.command(format!("show {}", word(&cluster.id))),
            None if !args.org => session.command("scan --org --external-id ... (all accounts)"),
            None => session.command("scan --output html > scan.html"),
        }
    }
}

/// Whether AWS itself lists it.
pub(super) fn is_listed(cluster: &Found) -> bool {
    cluster.id.starts_with("eks/")
}

/// Whether anybody may come to one of its doors.
pub(super) fn is_open(cluster: &Found) -> bool {
    use picket_model::landscape::ReachFrom;
    cluster.exposure.iter().any(|r| matches!(r.from, ReachFrom::World(_)) && r.public)
}

/// Text as one word of a shell.
#[must_use]
pub fn word(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@+=".contains(c));
    if plain && !text.is_empty() { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
