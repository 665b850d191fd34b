//! What is seen for the first time is judged at once: collect is asked for the kinds that tell of it, without waiting for
//! the next sweep of all rules. A burst of new machines is one question for each place.

use std::collections::{BTreeMap, BTreeSet};

use picket_model::{Asset, Observation, Scope};

use super::{Asked, Thing};
use crate::messages::Message;
use crate::ports::{Answer, Inventory, Queues};

/// Kinds that tell of a machine: itself, what it was launched from, what it hangs on. What only its own agent knows is not
/// there yet when it is found; the sweep of all rules asks it.
const OF_A_MACHINE: &[&str] = &[
    "autoscaling.group",
    "autoscaling.launch_configuration",
    "ec2.instance",
    "ec2.launch_template",
    "ec2.network_interface",
    "ec2.security_group",
    "ec2.volume",
];

/// Whether a kind tells of such a thing.
pub(super) fn tells_of(thing: Thing, kind: &str) -> bool {
    match thing {
        Thing::Cluster => ["eks.", "kubernetes."].iter().any(|service| kind.starts_with(service)),
        Thing::Machine => OF_A_MACHINE.contains(&kind),
    }
}

/// Remembers what was observed, and asks for the first judgement of what is new. Whoever dies in between does it again:
/// what was asked for is noted afterwards.
///
/// # Errors
/// If the store or the queue refuses; nothing is lost, it is done again.
pub async fn remember(inventory: &dyn Inventory, queues: &dyn Queues, observed: &[Observation]) -> Answer<()> {
    let fresh: BTreeSet<String> = inventory.remember(observed).await?.into_iter().collect();
    let mut places: BTreeMap<Scope, (BTreeSet<Thing>, Vec<String>)> = BTreeMap::new();
    for asset in observed.iter().map(|o| &o.asset).filter(|a| fresh.contains(&a.id())) {
        let Some(thing) = thing(asset) else { continue };
        let (things, ids) = places.entry(asset.scope().clone()).or_default();
        things.insert(thing);
        ids.push(asset.id());
    }
    if places.is_empty() {
        return Ok(());
    }
    queues.send(places.iter().map(|(scope, (things, _))| question(scope, things.clone())).collect()).await?;
    for (scope, (_, ids)) in &places {
        inventory.asked_for(scope, ids).await?;
    }
    Ok(())
}

/// The question about what was found in a place.
#[must_use]
pub fn question(scope: &Scope, found: BTreeSet<Thing>) -> Message {
    let Scope { account, region } = scope.clone();
    Message::Judge(Asked::Calls { account, region, calls: BTreeSet::new(), found })
}

fn thing(asset: &Asset) -> Option<Thing> {
    match asset {
        Asset::Cluster(_) => Some(Thing::Cluster),
        Asset::Instance(_) => Some(Thing::Machine),
        // Nothing came of it.
        Asset::Attempt(_) => None,
    }
}
