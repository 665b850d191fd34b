//! Which places the sweep looks at, and with whose credentials: its own, or a member's role.

use std::collections::HashMap;
use std::sync::Arc;

use futures::lock::Mutex;
use picket_aws::organization::Entry as Way;
use picket_aws::{Clients, Environment, Watch};
use picket_model::{AccountId, Scope};
use picket_pipeline::PortError;
use picket_pipeline::round;

use crate::entry::Entry;

/// The eyes on every account, made when first needed.
pub struct Places {
    regions: String,
    way: Option<Way>,
    watches: Mutex<HashMap<AccountId, Arc<Watch>>>,
}

impl Places {
    /// As the environment says: which Regions, and which role leads into other accounts.
    pub fn new(environment: &Environment) -> Self {
        let get = |name: &str| environment.get(name).map(ToOwned::to_owned);
        let way = get("PICKET_MEMBER_ROLE").zip(get("PICKET_EXTERNAL_ID")).map(|(role, external_id)| Way {
            role,
            external_id,
            partition: get("PICKET_PARTITION").unwrap_or_else(|| "aws".to_owned()),
        });
        Self {
            regions: get("PICKET_SWEEP_REGIONS").unwrap_or_else(|| "home".to_owned()),
            way,
            watches: Mutex::default(),
        }
    }

    /// Every place. An account that cannot be entered is said in the log, and costs no other.
    pub async fn all(&self, entry: &Entry, home: &Scope) -> Result<Vec<Scope>, PortError> {
        let mut accounts = vec![home.account.clone()];
        if self.way.is_some() {
            let members = entry.clients.members().await?;
            accounts.extend(members.into_iter().map(|m| m.account).filter(|a| *a != home.account));
        }
        let mut scopes = Vec::new();
        for account in accounts {
            let watch = self.watch(&account, &home.account).await;
            let enabled = if self.regions == "all" { watch.regions(&home.region).await } else { Ok(Vec::new()) };
            match enabled {
                Ok(enabled) => {
                    let regions = round::regions(&self.regions, &home.region, &enabled);
                    scopes.extend(regions.into_iter().map(|region| Scope { account: account.clone(), region }));
                }
                Err(error) => tracing::error!(%account, %error, "an account cannot be looked at"),
            }
        }
        Ok(scopes)
    }

    /// The eyes on an account.
    pub async fn watch(&self, account: &AccountId, home: &AccountId) -> Arc<Watch> {
        let mut watches = self.watches.lock().await;
        if let Some(watch) = watches.get(account) {
            return Arc::clone(watch);
        }
        let own = Clients::load(None, None).await;
        let clients = match &self.way {
            Some(way) if account != home => own.entering(account, way).await,
            _ => own,
        };
        let watch = Arc::new(Watch::new(&clients));
        watches.insert(account.clone(), Arc::clone(&watch));
        watch
    }
}
