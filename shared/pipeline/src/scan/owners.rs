//! Who made the clusters that were found, by CloudTrail: of EKS whoever created the cluster, else whoever launched its
//! first node. Where a service launched it on behalf of an Auto Scaling group, whoever made the group.

use std::collections::HashMap;

use picket_model::landscape::{Found, Survey, Unseen};
use picket_model::{InstanceId, Scope, Untrusted};

use super::lookout::{Lookout, Origin, reason};
use crate::ports::Answer;

/// About how many things of a Region CloudTrail is asked one by one; it takes two questions a second.
const MAKERS: usize = 25;

/// Asks who made the clusters that bear no word of it. What cannot be read is noted.
pub(super) async fn ask(
    lookout: &dyn Lookout,
    scope: &Scope,
    tiers: &HashMap<InstanceId, Untrusted>,
    survey: &mut Survey,
) {
    if survey.clusters.iter().all(|c| c.owner.is_some()) {
        return;
    }
    if let Err(error) = fill(lookout, scope, tiers, &mut survey.clusters).await {
        let what = "who made the clusters".to_owned();
        survey.unseen.push(Unseen { what, instance: None, reason: reason(&error) });
    }
}

async fn fill(
    lookout: &dyn Lookout,
    scope: &Scope,
    tiers: &HashMap<InstanceId, Untrusted>,
    clusters: &mut [Found],
) -> Answer<()> {
    let known: HashMap<InstanceId, Untrusted> = match clusters.iter().any(|c| !c.nodes.is_empty()) {
        true => lookout.launchers(scope).await?.into_iter().collect(),
        false => HashMap::new(),
    };
    let mut left = MAKERS;
    for cluster in clusters.iter_mut().filter(|c| c.owner.is_none()) {
        let made = cluster.id.strip_prefix("eks/").filter(|_| is_listed(cluster));
        if let Some(name) = made.map(Untrusted::new) {
            cluster.owner = one(lookout, scope, &Origin::Cluster(name), &mut left).await?;
            continue;
        }
        let Some(node) = cluster.nodes.first() else { continue };
        let launcher = match cluster.nodes.iter().find_map(|n| known.get(&n.id)) {
            Some(launcher) => Some(launcher.clone()),
            None => one(lookout, scope, &Origin::Instance(node.id.clone()), &mut left).await?,
        };
        let tier =
            cluster.nodes.iter().find_map(|n| tiers.get(&n.id)).filter(|_| launcher.as_ref().is_none_or(is_service));
        cluster.owner = match tier {
            Some(tier) => one(lookout, scope, &Origin::ScalingTier(tier.clone()), &mut left).await?.or(launcher),
            None => launcher,
        };
    }
    Ok(())
}

/// Whether EKS itself tells of it, so that somebody created it here.
fn is_listed(cluster: &Found) -> bool {
    cluster.evidence.iter().any(|clue| clue.mark == "eks/api")
}

/// Asks for one thing, as long as there are questions left.
async fn one(lookout: &dyn Lookout, scope: &Scope, of: &Origin, left: &mut usize) -> Answer<Option<Untrusted>> {
    if *left == 0 {
        return Ok(None);
    }
    *left -= 1;
    lookout.maker(scope, of).await
}

/// A role that a service takes by itself, which is nobody's.
fn is_service(arn: &Untrusted) -> bool {
    ["aws-service-role/", "/AWSServiceRoleFor"].iter().any(|part| arn.as_str().contains(part))
}
