//! collect: evidence of an account, or of what calls touched in it, becomes findings. Reads everything, changes nothing.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::events::touched;
use picket_aws::{Bus, SystemClock};
use picket_evidence::aws::settings::Settings;
use picket_evidence::reader::Reading;
use picket_pipeline::ports::Clock as _;
use picket_pipeline::posture::{self, Asked, Judged, Ports};

use crate::entry::batch::Batch;
use crate::entry::{Entry, metric};

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = &Entry::begin().await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<serde_json::Value>| async move {
        let home = entry.environment.scope(&event.context.invoked_function_arn)?.region;
        let batch = Batch::of(event.payload);
        let asked = touched::together(batch.bodies().filter_map(|body| touched::asked(&body)));
        // One failure brings the whole batch back: judging twice gives the same findings.
        let mut failed = false;
        for asked in &asked {
            failed |= judge(entry, &home, asked).await.is_err();
        }
        Ok::<_, Error>(if failed { batch.all_again() } else { batch.done() })
    }))
    .await
}

async fn judge(entry: &Entry, home: &picket_model::Region, asked: &Asked) -> Result<(), ()> {
    let settings = Settings::default();
    let reader = Reading { clients: &entry.clients, home, settings: &settings };
    let ports = Ports { reader: &reader, findings: &entry.table, policies: &entry.table, queues: &entry.queues };
    match posture::run(&ports, &entry.settings, home, asked, SystemClock.now()).await {
        Ok(judged) => {
            tracing::info!(
                ?asked,
                outcomes = judged.outcomes,
                opened = judged.opened,
                resolved = judged.resolved,
                fixes = judged.fixes,
                "judged"
            );
            announce(entry, asked, &judged).await;
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

/// Says on the bus that something was judged. What is kept is kept: an event that is lost costs the report an hour.
async fn announce(entry: &Entry, asked: &Asked, judged: &Judged) {
    let (account, sweep) = match asked {
        Asked::Sweep { account } => (account, true),
        Asked::Calls { account, .. } => (account, false),
    };
    if !sweep && judged.opened + judged.resolved == 0 {
        return;
    }
    let detail = serde_json::json!({
        "version": "1",
        "account": account,
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
