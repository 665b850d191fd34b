//! One Kubernetes cluster by its kubeconfig, without AWS.

use std::path::Path;

use jiff::Timestamp;
use picket_checks::rules::Evidence;
use picket_evidence::kubernetes::from_kubeconfig::from_kubeconfig;
use picket_model::AccountId;

use crate::failure::Failure;
use crate::session::Session;

/// A kubeconfig names no account.
const NO_ACCOUNT: &str = "000000000000";

/// The evidence of the cluster, and its name.
///
/// # Errors
/// If the kubeconfig cannot be used.
pub async fn read(
    kubeconfig: &Path,
    context: Option<&str>,
    session: &Session,
    at: Timestamp,
) -> Result<(Evidence, String), Failure> {
    let failed = || Failure::usage(format!("reading the cluster of `{}`", kubeconfig.display()));
    let account = AccountId::parse(NO_ACCOUNT).map_err(|e| failed().because(e.to_string()))?;
    let reading = from_kubeconfig(kubeconfig, context, account.clone(), at);
    let read = session.show.wait("reading the cluster", reading).await.map_err(|e| failed().because(e))?;
    let mut evidence = Evidence::default();
    for kind in picket_evidence::kubernetes::documents::KINDS {
        let missed = read.documents.iter().any(|d| d.kind == *kind && d.id.ends_with("/*"));
        if !missed {
            evidence.complete(kind, &account, None);
        }
    }
    evidence.add(read.documents);
    Ok((evidence, read.cluster))
}
