//! Ports that hand over a cluster or a container host are open to the world.

use picket_model::Observation;

use super::{Judged, Signal, open_to};
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
    open_to(observation, PORTS)
}
