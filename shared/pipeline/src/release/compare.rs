//! What is there, against what containment left: a release refuses to write over what somebody changed since.

use futures::future::join_all;
use futures::{join, try_join};
use picket_model::{Capture, Facts, GroupId, Hold, Interface};

use super::{Order, Ports, Restored, list};
use crate::measures;
use crate::ports::{Answer, Kind};

/// What was read before a release.
pub(super) struct Found {
    /// The interfaces that are shown.
    live: Vec<Interface>,
    /// Those groups of the captures that exist.
    exist: Vec<GroupId>,
    /// Where something is not what containment left, in words.
    pub(super) differences: Vec<String>,
}

/// Reads what is there now and says where it is not what containment left. A difference is believed when a second read
/// shows it, too: the first may have been late.
pub(super) async fn compare(ports: &Ports<'_>, order: &Order, open: &[Hold]) -> Answer<Found> {
    let found = read(ports, order, open).await?;
    if found.differences.is_empty() { Ok(found) } else { read(ports, order, open).await }
}

async fn read(ports: &Ports<'_>, order: &Order, open: &[Hold]) -> Answer<Found> {
    let ids: Vec<_> = open.iter().map(|h| h.instance.clone()).collect();
    let mut groups: Vec<GroupId> = open.iter().flat_map(|h| &h.captures).flat_map(|c| c.groups.clone()).collect();
    groups.sort();
    groups.dedup();
    let reads = async {
        try_join!(ports.cloud.interfaces(&order.scope, &ids), ports.cloud.existing_groups(&order.scope, &groups))
    };
    let facts = join_all(open.iter().map(|h| facts(ports, h)));
    let (reads, facts) = join!(reads, facts);
    let (live, exist) = reads?;
    let mut differences = Vec::new();
    for (hold, facts) in open.iter().zip(facts) {
        differences.extend(hold.captures.iter().filter_map(|c| difference(hold, c, &live, &exist)));
        if let Some(facts) = facts? {
            differences.extend(measures::differences(hold, &facts));
        }
    }
    Ok(Found { live, exist, differences })
}

/// Live facts, where measures were made that they can show. None of what is gone, or may not be read.
async fn facts(ports: &Ports<'_>, hold: &Hold) -> Answer<Option<Facts>> {
    if hold.measures.is_empty() {
        return Ok(None);
    }
    match ports.levers.facts(&hold.scope, &hold.instance).await {
        Ok(facts) => Ok(Some(facts).filter(|f| f.unknown.is_empty())),
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::Denied) => {
            tracing::info!(%error, "what was done beside the groups could not be compared");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn difference(hold: &Hold, capture: &Capture, live: &[Interface], exist: &[GroupId]) -> Option<String> {
    let name = format!("{} of {}", capture.interface, hold.instance);
    let Some(now) = live.iter().find(|i| i.id == capture.interface) else {
        return Some(format!("{name} is gone; nothing can be put back there"));
    };
    if let Some(gone) = capture.groups.iter().find(|g| !exist.contains(g)) {
        return Some(format!("{name} was in {gone}, which does not exist any more, or is a group of Picket's own"));
    }
    let contained = now.groups.len() == 1 && hold.quarantine.contains(&now.groups[0]);
    let restored = now.groups == capture.groups;
    (!contained && !restored)
        .then(|| format!("{name} was changed since: it is in {} and not in the quarantine group", list(&now.groups)))
}

/// What goes where. A group that does not exist any more is left out; whoever did not say so was refused before.
pub(super) fn plan(open: &[Hold], found: &Found) -> Vec<Restored> {
    let Found { live, exist, .. } = found;
    let of = |h: &Hold, c: &Capture| {
        let now = live.iter().find(|i| i.id == c.interface);
        Restored {
            instance: h.instance.clone(),
            interface: c.interface.clone(),
            // None where it is not shown: it is gone, or the read is late. Trying tells which.
            from: now.map(|i| i.groups.clone()).unwrap_or_default(),
            to: c.groups.iter().filter(|g| exist.contains(g)).cloned().collect(),
        }
    };
    open.iter().flat_map(|h| h.captures.iter().map(move |c| of(h, c))).collect()
}
