//! Ports that hand over a cluster or a container host are open to the world.

use picket_model::{Asset, Fact, Observation, Openness};

use super::{Judged, Signal, open_to, yes};
use crate::policy::Policy;

/// Docker, API server, kubelet, its read-only port, etcd, controller manager, scheduler, supervisors of RKE2 and OpenShift.
const PORTS: &[u16] = &[2375, 2376, 2379, 2380, 6443, 8080, 9345, 10250, 10255, 10257, 10259, 16443, 22623];

pub(super) const SIGNAL: Signal = Signal {
    name: "world_open_kubernetes",
    weight: 20,
    about: "the world can reach Docker, the Kubernetes API server, a kubelet or etcd",
    judge,
};

fn judge(observation: &Observation, _: &Policy) -> Judged {
    match (&observation.asset, &observation.world_open) {
        (Asset::Instance(_), Fact::Known { value, source }) => {
            let open = open_to(value, PORTS);
            match open.iter().find(|e| e.openness != Openness::Everything) {
                Some(e) => yes(format!("{} lets {} reach {}", e.group, e.from, e.openness), source.clone()),
                None => Judged::No,
            }
        }
        // `world_open_everything` reports the same missing fact; once is enough.
        _ => Judged::No,
    }
}
