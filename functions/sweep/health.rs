//! The self-test that goes with each round: did the last canary arrive, does a trail log, are the rules on, do the Regions
//! that are looked at forward? People are told once an hour while it is not so, and a new canary is let go.

use jiff::{SignedDuration, Timestamp};
use picket_aws::checkup::{Canary, Checkup, Health};
use picket_model::{Region, Scope};
use picket_pipeline::PortError;
use picket_pipeline::ports::Queues as _;
use picket_pipeline::round;

use crate::entry::Entry;

/// How long a canary may take, and a queue that is full with it.
const SLOW: SignedDuration = SignedDuration::from_mins(4);

/// Looks, tells if something is ill, and lets a canary go. It must not cost the round, so its own faults are only logged.
pub async fn check(entry: &Entry, home: &Scope, regions: &[Region], now: Timestamp) {
    if let Err(error) = canary(entry, home, now).await {
        tracing::warn!(%error, "the canary could not be looked after");
    }
    let checkup = Checkup { clients: &entry.clients, stack: &entry.settings.stack, home };
    for finding in checkup.wire(regions).await.into_iter().filter(|f| f.health == Health::Ill) {
        let which = format!("{} in {}", finding.what, finding.region);
        let what = format!("{which}: {}. {}", finding.says, finding.mend.unwrap_or_default());
        if let Err(error) = tell(entry, home, &which, &what, now).await {
            tracing::error!(%error, what, "nobody could be told");
        }
    }
}

async fn canary(entry: &Entry, home: &Scope, now: Timestamp) -> Result<(), PortError> {
    let canary = Canary { clients: &entry.clients, table: &entry.table, home };
    let last = entry.table.last_canary(home).await?;
    if let Some((name, at)) = last {
        let waited = now.duration_since(at);
        // The mark is kept for an hour; of an older canary nothing can be said.
        let tells = waited > SLOW && waited < SignedDuration::from_mins(60);
        if tells && !canary.arrived(&name).await? {
            let what = format!(
                "no event arrives: the canary of {at} did not come through. Run `picket doctor --stack {}`; until it is \
                 mended only the sweep finds what is new",
                entry.settings.stack
            );
            tell(entry, home, "canary", &what, now).await?;
        }
        if waited < SLOW {
            return Ok(());
        }
    }
    let name = canary.send(now).await?;
    entry.table.keep_canary(home, &name, now).await
}

async fn tell(entry: &Entry, home: &Scope, which: &str, what: &str, now: Timestamp) -> Result<(), PortError> {
    tracing::error!(what, "Picket is ill");
    let id = format!("self-test/{which}/{home}/{}", now.strftime("%Y-%m-%dT%H"));
    entry.queues.send(vec![round::trouble(home, &entry.settings.stack, id, what, now)]).await
}
