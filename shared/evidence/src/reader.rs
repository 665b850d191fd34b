//! Evidence for the posture stage: an account read by all collectors, in one Region or in all.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use picket_aws::Clients;
use picket_checks::rules::Evidence;
use picket_model::{AccountId, Region};
use picket_pipeline::ports::Answer;
use picket_pipeline::posture::Reader;

use crate::account::{self, Wanted};
use crate::aws::settings::Settings;
use crate::collector::{Collector, Reach};

/// Reads with these clients.
#[derive(Debug)]
pub struct Reading<'a> {
    /// The clients.
    pub clients: &'a Clients,
    /// The Region of what has none.
    pub home: &'a Region,
    /// The owner's words.
    pub settings: &'a Settings,
}

#[async_trait]
impl Reader for Reading<'_> {
    async fn read(
        &self,
        account: &AccountId,
        region: Option<&Region>,
        kinds: Option<&BTreeSet<String>>,
        at: Timestamp,
    ) -> Answer<Evidence> {
        let all = self.clients.regions(self.home).await?;
        // What an account has once is judged beside what its Regions hold: of all of them, or of none.
        let one = region.filter(|_| !kinds.is_some_and(|k| k.iter().any(|kind| is_of_account(kind))));
        let regions = one.map_or_else(|| all.clone(), |r| vec![r.clone()]);
        let wanted = Wanted { account, regions: &regions, kinds, settings: self.settings, at };
        let mut evidence = evidence(&wanted, |region| self.clients.in_region(region.unwrap_or(self.home))).await;
        evidence.expect(all);
        Ok(evidence)
    }
}

/// Whether an account has this kind once, and not in each Region.
fn is_of_account(kind: &str) -> bool {
    kind == "aws.account" || crate::collectors().any(|c| c.reach() == Reach::Account && c.kinds().contains(&kind))
}

/// Reads an account with every collector there is.
pub async fn evidence(wanted: &Wanted<'_>, config: impl Fn(Option<&Region>) -> picket_aws::SdkConfig) -> Evidence {
    let collectors: Vec<&'static dyn Collector> = crate::collectors().collect();
    let read = account::read(wanted, &collectors, config).await;
    let mut evidence = Evidence::default();
    for (kind, region) in &read.complete {
        evidence.complete(kind, wanted.account, region.as_ref());
    }
    evidence.expect(wanted.regions.iter().cloned());
    evidence.add(read.documents);
    evidence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_account_has_once_is_told_from_what_a_region_has() {
        for (kind, expected) in
            [("aws.account", true), ("iam.role", true), ("s3.bucket", true), ("ec2.instance", false)]
        {
            assert_eq!(is_of_account(kind), expected, "{kind}");
        }
    }
}
