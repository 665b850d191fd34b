//! IAM: a provider of identities that AWS is to trust is how pods get roles. Every EKS cluster that uses it has one, and
//! so have many of kops.

use picket_model::{Hint, Region, Subject, Untrusted};

use super::cloudtrail::{Look, Record};
use super::malformed::Malformed;

/// `CreateOpenIDConnectProvider`. The URL of EKS names the Region of the cluster; IAM's own says nothing.
pub(super) fn provider(record: &Record<'_>) -> Result<Look, Malformed> {
    let url = record.request().need_text("url", "the URL of the provider of identities")?;
    let sign = Subject::Sign { words: vec![Untrusted::new(url)], instances: Vec::new() };
    let host = url.trim_start_matches("https://").split('/').next().unwrap_or_default();
    let region = host.strip_prefix("oidc.eks.").and_then(|rest| rest.split('.').next());
    Ok(match region.and_then(|name| Region::parse(name).ok()) {
        Some(region) => Look::In(region, sign),
        None => Look::At(sign, Hint::default()),
    })
}
