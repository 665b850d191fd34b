//! The accounts that Picket looks into, and the way into each: its own credentials at home, a role with an external id in
//! the others.

use std::collections::HashMap;
use std::sync::Arc;

use futures::lock::Mutex;
use jiff::Timestamp;
use picket_aws::organization::Entry as Way;
use picket_aws::{Clients, Environment};
use picket_model::{AccountId, Scope};
use picket_pipeline::ports::{Answer, Kind, PortError, Queues as _};
use picket_pipeline::round;

use super::Entry;

/// The accounts.
pub struct Members {
    way: Option<Way>,
    listed: Listed,
    opened: Mutex<HashMap<AccountId, Arc<Clients>>>,
}

/// Which accounts are meant.
enum Listed {
    /// All of the organization.
    Organization,
    /// These.
    Named(Vec<AccountId>),
}

impl Members {
    /// As the environment says.
    pub fn new(environment: &Environment) -> Self {
        let get = |name: &str| environment.get(name).map(ToOwned::to_owned);
        let way = get("PICKET_MEMBER_ROLE").zip(get("PICKET_EXTERNAL_ID")).map(|(role, external_id)| Way {
            role,
            external_id,
            partition: get("PICKET_PARTITION").unwrap_or_else(|| "aws".to_owned()),
        });
        let listed = match get("PICKET_MEMBER_ACCOUNTS").filter(|names| names != "organization") {
            Some(names) => Listed::Named(names.split(',').filter_map(|id| AccountId::parse(id.trim()).ok()).collect()),
            None => Listed::Organization,
        };
        Self { way, listed, opened: Mutex::default() }
    }

    /// The other accounts, by id; none where no role leads into them.
    ///
    /// # Errors
    /// If the organization does not list them.
    pub async fn others(&self, entry: &Entry, home: &Scope) -> Answer<Vec<AccountId>> {
        if self.way.is_none() {
            return Ok(Vec::new());
        }
        let mut accounts = match &self.listed {
            Listed::Named(named) => named.clone(),
            Listed::Organization => entry.clients.members().await?.into_iter().map(|m| m.account).collect(),
        };
        accounts.retain(|account| *account != home.account);
        accounts.sort();
        accounts.dedup();
        Ok(accounts)
    }

    /// Clients for an account, its role taken.
    ///
    /// # Errors
    /// `Denied` if it cannot be entered: there is no role for us, or it is none of those that are meant.
    pub async fn enter(&self, account: &AccountId, home: &Scope) -> Answer<Arc<Clients>> {
        let mut opened = self.opened.lock().await;
        if let Some(clients) = opened.get(account) {
            return Ok(Arc::clone(clients));
        }
        let own = Clients::load(None, None).await;
        let clients = match &self.way {
            _ if *account == home.account => own,
            Some(way) if self.is_meant(account) => {
                let clients = own.entering(account, way).await;
                clients.entered(account, way).await?;
                clients
            }
            Some(_) => return Err(outside(account, "it is none of the accounts that this deployment looks into")),
            None => return Err(outside(account, "no role leads there; deploy with MemberRole and ExternalId")),
        };
        let clients = Arc::new(clients);
        opened.insert(account.clone(), Arc::clone(&clients));
        Ok(clients)
    }

    /// Of the organization, the role's own trust policy says who is in it.
    fn is_meant(&self, account: &AccountId) -> bool {
        match &self.listed {
            Listed::Organization => true,
            Listed::Named(named) => named.contains(account),
        }
    }
}

fn outside(account: &AccountId, why: &str) -> PortError {
    PortError::new("entering account", account.as_str(), Kind::Denied, why)
}

/// Tells people that an account cannot be looked into, once a day; it is in the log in any case.
pub async fn tell(entry: &Entry, home: &Scope, account: &AccountId, error: &PortError, now: Timestamp) {
    tracing::error!(%account, %error, "an account cannot be looked into");
    let what = format!(
        "account {account} is not seen: {}. Nothing in it is found or judged until infra/member.yaml is deployed there with \
         this deployment's ExternalId",
        picket_pipeline::scan::reason(error)
    );
    let id = format!("not-entered/{account}/{}", now.strftime("%Y-%m-%d"));
    if let Err(error) = entry.queues.send(vec![round::trouble(home, &entry.settings.stack, id, &what, now)]).await {
        tracing::error!(%account, %error, "nobody could be told");
    }
}
