//! What is going on in the instances of an account, as the live signals see them now: those that people would be told of.

use std::collections::BTreeMap;

use picket_checks::risk::Live;
use picket_model::{Document, Fact, InstanceId, Region, Scope, Unseen};
use picket_report::risk::Going;

use super::Case;
use crate::replay::signs;
use crate::session::Session;

/// How many instances are looked at in one go.
const AT_ONCE: usize = 100;

/// The instances in which something is going on, of those that `wanted` lets through. What could not be looked at is the
/// second part; nothing where AWS is not read.
pub async fn going(case: &Case, wanted: impl Fn(&Document) -> bool, session: &Session) -> (Vec<Going>, Vec<Unseen>) {
    let (mut all, mut unseen) = (Vec::new(), Vec::new());
    let Some((aws, caller)) = &case.live else { return (all, unseen) };
    for (region, instances) in running(case, wanted) {
        for some in instances.chunks(AT_ONCE) {
            let scope = Scope { account: caller.account.clone(), region: region.clone() };
            let looking = signs(&aws.clients, scope.clone(), some.to_vec());
            match session.show.wait("looking for live signs", looking).await {
                Ok(found) => all.extend(found.into_iter().map(|(instance, score)| Going {
                    account: scope.account.clone(),
                    region: Some(region.clone()),
                    asset: format!("ec2.instance/{instance}"),
                    name: None,
                    live: Live { reasons: score.reasons, unknown: score.unknown },
                })),
                Err(error) => {
                    let what = format!("live signs of {} instances in {}/{region}", some.len(), scope.account);
                    unseen.push(Unseen { what, why: error.to_string(), permission: None });
                }
            }
        }
    }
    (all, unseen)
}

/// The instances that run, by Region.
fn running(case: &Case, wanted: impl Fn(&Document) -> bool) -> BTreeMap<Region, Vec<InstanceId>> {
    let mut by_region: BTreeMap<Region, Vec<InstanceId>> = BTreeMap::new();
    for document in case.evidence.of_kind("ec2.instance").filter(|d| wanted(d)) {
        let (Fact::Known { value, .. }, Some(region)) = (&document.facts, &document.region) else { continue };
        if let (Ok(id), "pending" | "running") =
            (InstanceId::parse(&document.id), value["state"].as_str().unwrap_or(""))
        {
            by_region.entry(region.clone()).or_default().push(id);
        }
    }
    by_region
}
