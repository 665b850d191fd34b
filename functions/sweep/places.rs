//! Which places the sweep looks at: every account, and in each the Regions that are meant.

use std::collections::HashMap;
use std::sync::Arc;

use futures::lock::Mutex;
use jiff::Timestamp;
use picket_aws::{Environment, Watch};
use picket_model::{AccountId, Scope};
use picket_pipeline::ports::{Answer, Kind, PortError};
use picket_pipeline::{round, scan};

use crate::entry::Entry;
use crate::entry::members::{self, Members};

/// The eyes on every account, made when first needed.
pub struct Places {
    regions: String,
    members: Members,
    watches: Mutex<HashMap<AccountId, Arc<Watch>>>,
}

impl Places {
    /// As the environment says: which accounts, by which role, and which Regions of each.
    pub fn new(environment: &Environment) -> Self {
        Self {
            regions: environment.get("PICKET_SWEEP_REGIONS").unwrap_or("home").to_owned(),
            members: Members::new(environment),
            watches: Mutex::default(),
        }
    }

    /// Every place. An account that cannot be entered is remembered as not seen, people are told, and it costs no other.
    pub async fn all(&self, entry: &Entry, home: &Scope, now: Timestamp) -> Answer<Vec<Scope>> {
        let mut accounts = vec![home.account.clone()];
        accounts.extend(self.members.others(entry, home).await?);
        let mut scopes = Vec::new();
        for account in accounts {
            match self.of(&account, home).await {
                Ok(found) => scopes.extend(found),
                Err(error) if error.kind == Kind::Transient => {
                    // Asked again with the place's own message, which is tried for longer than this function runs.
                    tracing::warn!(%account, %error, "its Regions could not be listed now");
                    scopes.push(Scope { account, region: home.region.clone() });
                }
                Err(error) => self.shut(entry, home, &account, &error, now).await?,
            }
        }
        Ok(scopes)
    }

    /// Remembers that an account cannot be looked into, and tells people.
    pub async fn shut(
        &self,
        entry: &Entry,
        home: &Scope,
        account: &AccountId,
        error: &PortError,
        now: Timestamp,
    ) -> Answer<()> {
        let scope = Scope { account: account.clone(), region: home.region.clone() };
        scan::atlas::blind(&entry.table, &scope, &scan::reason(error), now).await?;
        members::tell(entry, home, account, error, now).await;
        Ok(())
    }

    async fn of(&self, account: &AccountId, home: &Scope) -> Answer<Vec<Scope>> {
        let watch = self.watch(account, home).await?;
        let enabled = if self.regions == "all" { watch.regions(&home.region).await? } else { Vec::new() };
        let regions = round::regions(&self.regions, &home.region, &enabled);
        Ok(regions.into_iter().map(|region| Scope { account: account.clone(), region }).collect())
    }

    /// The eyes on an account.
    pub async fn watch(&self, account: &AccountId, home: &Scope) -> Answer<Arc<Watch>> {
        let clients = self.members.enter(account, home).await?;
        let mut watches = self.watches.lock().await;
        let watch = watches.entry(account.clone()).or_insert_with(|| Arc::new(Watch::new(&clients)));
        Ok(Arc::clone(watch))
    }
}
