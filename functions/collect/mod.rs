//! collect: evidence of an account, or of what calls touched in it, becomes findings. Reads everything, changes nothing.
//! The clock asks for every account: home is judged then and there, the others by one message each.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::events::touched;
use picket_aws::{Bus, Clients, SystemClock};
use picket_evidence::aws::settings::Settings;
use picket_evidence::reader::Reading;
use picket_model::{AccountId, Scope, Unseen};
use picket_pipeline::PortError;
use picket_pipeline::messages::Message;
use picket_pipeline::ports::{Answer, Clock as _, Kind, Queues as _};
use picket_pipeline::posture::{self, Asked, Findings as _, Judged, Ports};

use crate::entry::batch::Batch;
use crate::entry::members::{self, Members};
use crate::entry::{Entry, metric};

/// What every invocation shares.
struct Court {
    entry: Entry,
    members: Members,
}

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = Entry::begin().await?;
    let court = &Court { members: Members::new(&entry.environment), entry };
    lambda_runtime::run(service_fn(move |event: LambdaEvent<serde_json::Value>| async move {
        let home = court.entry.environment.scope(&event.context.invoked_function_arn)?;
        let batch = Batch::of(event.payload);
        let bodies: Vec<_> = batch.bodies().collect();
        let mut failed = false;
        if bodies.iter().any(touched::is_clock) {
            failed |= court.ask_for_others(&home).await.is_err();
        }
        // One failure brings the whole batch back: judging twice gives the same findings.
        for asked in &touched::together(bodies.iter().filter_map(touched::asked)) {
            failed |= court.judge(&home, asked).await.is_err();
        }
        match (failed, batch.is_alone()) {
            (false, _) => Ok(batch.done()),
            (true, false) => Ok(batch.all_again()),
            (true, true) => Err(Error::from("not all of it could be judged; the log says what")),
        }
    }))
    .await
}

impl Court {
    /// A message for each other account, so that one that fails costs no other.
    async fn ask_for_others(&self, home: &Scope) -> Result<(), ()> {
        let asked = async {
            let others = self.members.others(&self.entry, home).await?;
            let count = others.len();
            let sweeps = others.into_iter().map(|account| Message::Judge(Asked::Sweep { account })).collect();
            self.entry.queues.send(sweeps).await?;
            Answer::Ok(count)
        };
        let asked = asked.await.inspect_err(|error| tracing::error!(%error, "the other accounts are not judged"));
        asked.map(|accounts| tracing::info!(accounts, "other accounts are asked about")).map_err(drop)
    }

    async fn judge(&self, home: &Scope, asked: &Asked) -> Result<(), ()> {
        let clients = match self.members.enter(asked.account(), home).await {
            Ok(clients) => clients,
            Err(error) if error.kind == Kind::Denied => return self.shut(home, asked, &error).await,
            Err(error) => {
                tracing::warn!(%error, account = %asked.account(), "it will be entered again");
                return Err(());
            }
        };
        match self.judged(&clients, home, asked).await {
            Ok(judged) => {
                tracing::info!(
                    ?asked,
                    outcomes = judged.outcomes,
                    opened = judged.opened,
                    resolved = judged.resolved,
                    fixes = judged.fixes,
                    "judged"
                );
                announce(&self.entry, asked, &judged).await;
                metric::count("Findings", "Change", "opened", judged.opened);
                metric::count("Findings", "Change", "resolved", judged.resolved);
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "it will be judged again");
                Err(())
            }
        }
    }

    async fn judged(&self, clients: &Arc<Clients>, home: &Scope, asked: &Asked) -> Answer<Judged> {
        let (entry, settings) = (&self.entry, Settings::default());
        let reader = Reading { clients, home: &home.region, settings: &settings };
        let ports = Ports { reader: &reader, findings: &entry.table, policies: &entry.table, queues: &entry.queues };
        posture::run(&ports, &entry.settings, home, asked, SystemClock.now()).await
    }

    /// An account that cannot be entered is kept as not seen, and what was found there stays as it was.
    async fn shut(&self, home: &Scope, asked: &Asked, error: &PortError) -> Result<(), ()> {
        let account: &AccountId = asked.account();
        let unseen = Unseen {
            what: format!("everything in {account}"),
            why: picket_pipeline::scan::reason(error),
            permission: Some("sts:AssumeRole".to_owned()),
        };
        members::tell(&self.entry, home, account, error, SystemClock.now()).await;
        let kept = self.entry.table.keep_unseen(account, &[unseen]).await;
        kept.map_err(|error| tracing::warn!(%error, %account, "it will be judged again"))
    }
}

/// Says on the bus that something was judged. What is kept is kept: an event that is lost costs the report an hour.
async fn announce(entry: &Entry, asked: &Asked, judged: &Judged) {
    let sweep = matches!(asked, Asked::Sweep { .. });
    if !sweep && judged.opened + judged.resolved == 0 {
        return;
    }
    let detail = serde_json::json!({
        "version": "1",
        "account": asked.account(),
        "at": SystemClock.now().to_string(),
        "sweep": sweep,
        "outcomes": judged.outcomes,
        "opened": judged.opened,
        "resolved": judged.resolved,
        "fixes": judged.fixes,
    });
    if let Err(error) = Bus::new(&entry.clients, &entry.table).assessed(&detail).await {
        tracing::warn!(%error, "nobody was told that this was judged");
    }
}
