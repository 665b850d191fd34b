//! The Lambda functions, in one binary: `_HANDLER` says which entry point runs, so that one artefact is built, linked
//! and shipped, while each function keeps its own role. An entry point decodes, calls one stage, and encodes.

mod ask;
mod assess;
mod audit;
mod collect;
mod deny;
mod discover;
mod entry;
mod fix;
mod notify;
mod probe;
mod release;
mod report;
mod respond;
mod sweep;
mod watch;

use lambda_runtime::Error;
use tracing::Instrument as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    entry::log::start();
    let handler = std::env::var("_HANDLER").unwrap_or_default();
    stage(&handler).instrument(tracing::info_span!("stage", stage = handler)).await
}

async fn stage(handler: &str) -> Result<(), Error> {
    match handler {
        "ask" => ask::run().await,
        "assess" => assess::run().await,
        "audit" => audit::run().await,
        "collect" => collect::run().await,
        "deny" => deny::run().await,
        "discover" => discover::run().await,
        "fix" => fix::run().await,
        "notify" => notify::run().await,
        "probe" => probe::run().await,
        "release" => release::run().await,
        "report" => report::run().await,
        "respond" => respond::run().await,
        "sweep" => sweep::run().await,
        "watch" => watch::run().await,
        other => Err(format!(
            "`{other}` is no entry point of Picket; set the function's Handler to one of ask, assess, audit, collect, deny, \
             discover, fix, notify, probe, release, report, respond, sweep, watch"
        )
        .into()),
    }
}
