//! probe: ask machines inside the VPC what they are. It stands in the subnets that the deployer named, connects and reads
//! without credentials, and answers what it read. It calls no AWS API, knows no state, and may do neither.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::Environment;
use picket_kubernetes::probe;
use picket_pipeline::scan::Questions;

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let networks = &networks(&Environment::of_process().need("PICKET_PROBE_NETWORKS")?)?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Questions>| async move {
        let asked = event.payload.asked;
        let answers = probe::ask(&asked, networks).await;
        tracing::info!(asked = asked.len(), answers = answers.probes.len(), left = answers.left, "asked machines");
        Ok::<_, Error>(answers)
    }))
    .await
}

/// The networks that may be asked, with commas between them.
fn networks(text: &str) -> Result<Vec<probe::Network>, Error> {
    let one = |part: &str| {
        part.trim()
            .parse()
            .map_err(|_| format!("PICKET_PROBE_NETWORKS: `{part}` is no network, such as 10.0.0.0/16").into())
    };
    text.split(',').map(one).collect()
}
