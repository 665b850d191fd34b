//! Which cluster an instance is a node of, by what it bears. The marks are data, one file a distribution in
//! `fingerprints/` and one a decoy in `decoys/`. Weights: strong 60, medium 25, weak 8; from 60 on it is a node. Tags can
//! be forged: their presence is evidence, their absence is not, and being a node never makes an instance safe.
//! Joining nodes into clusters is `survey`'s.

pub mod catalogue;
pub mod evaluate;
pub mod facts;
mod files;
pub mod hit;
pub mod schema;
pub mod weigh;

use std::collections::BTreeMap;

use picket_model::Untrusted;
use picket_model::evidence::{Marker, NodeOf};
use picket_model::landscape::NodeRole;

use self::catalogue::{Place, catalogue};
use self::hit::Hit;
use self::schema::{TagOn, Weight};
use crate::script;

/// From this confidence on, an instance is called a node.
pub const NODE_AT: u16 = 60;
/// From this confidence on it is worth a look.
pub const SUSPECT_AT: u16 = 25;
/// What Kubernetes by an unknown tool is called.
pub const GENERIC: &str = "kubernetes";

/// The file of a distribution or decoy, as it is written.
#[must_use]
pub fn file(name: &str) -> Option<&'static str> {
    files::FILES.iter().chain(files::DECOYS).find(|(n, _)| *n == name).map(|(_, text)| *text)
}

/// The hits in decoded user data, decoys among them. Comments and what a script only says are left out.
#[must_use]
pub fn hits_in_user_data(text: &str) -> Vec<Hit> {
    if !may_hold_marks(text) {
        return Vec::new();
    }
    hit::in_text(Place::UserData, &script::done(text))
}

/// Each mark in user data holds one of these words. Most user data holds none, and then no pattern is compiled.
const WORDS: &[&str] = &[
    "kube",
    "k8s",
    "k3s",
    "k3d",
    "k0s",
    "rke",
    "ranche",
    "cattle",
    "eks",
    "nodeadm",
    "settings",
    "talos",
    "v1alpha1",
    "machine:",
    "machine\"",
    "trustd",
    "bootstraptoken",
    "22623",
    "openshift",
    "origin",
    "ignition",
    "nodeup",
    "kops",
    "microshift",
    "minishift",
    "crc",
    "cluster:",
    "cluster\"",
    "vcluster",
    "dind",
    "kind",
    "ucp",
    "mke",
    "pharos",
    "coreos",
    "gardener",
    "cloud-config-",
    "g8s",
    "giantswarm",
    "poseidon",
    "psdn",
    "typhoon",
    "kinvolk",
    "tectonic",
    "bridge-nf",
    "br_netfilter",
    "swapoff",
    "cri-o",
    "containerd",
    "systemdcgroup",
    "cni",
    "controlplane",
    "etcd",
    "userdata-",
    "pre_userdata",
    "post_userdata",
    "supervise",
    "/opt/bin",
    "/opt/bootstrap",
    "/opt/load",
    "/opt/disable",
    "/opt/health",
    "sealos",
    "kismatic",
    "kurl",
    "wardroom",
    "ctlptl",
    "v3/import",
    "register_command",
    "bootstrap.ign",
    "apiserver",
    "api_server",
    "node-labels",
    "node_labels",
    "with-taints",
    "discovery-token",
    "service-account",
    "service-cluster",
    "tls-bootstrap",
    "hyperkube",
    "init-assets",
    "rm-assets",
    "decrypt-",
    "b64_cluster",
    "dns-cluster",
    "system-agent",
    "cloud-config-downloader",
    "cgroupdriver",
];

fn may_hold_marks(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// What user data with these hits tells about the cluster: read by the patterns of the distributions that were found.
#[must_use]
pub fn facts_of(hits: &[Hit], text: &str) -> facts::Facts {
    let counting = weigh::counting(hits);
    let Some(weighed) = weigh::weigh(&counting) else { return facts::Facts::default() };
    let all = catalogue();
    let mut order = vec![weighed.distribution];
    order.extend(weighed.also.iter().copied());
    order.extend(all.distributions[weighed.distribution].over.iter().filter_map(|o| all.distribution(o)));
    order.extend(all.distribution(GENERIC));
    order.dedup();
    facts::read(&order, &script::done(text))
}

/// The Kubernetes marks in user data that count; a mark's name starts with its distribution.
#[must_use]
pub fn in_user_data(text: &str) -> Vec<Marker> {
    let counting = weigh::counting(&hits_in_user_data(text));
    let marker = |h: Hit| Marker {
        name: catalogue().marks[h.mark].name.clone(),
        weight: u8::try_from(h.weight.points()).unwrap_or(u8::MAX),
        found: h.found,
    };
    counting.into_iter().filter(|h| h.weight > Weight::None).map(marker).collect()
}

/// The cluster that an instance with these tags and user-data marks is a node of; none where nothing speaks for it.
/// A bastion leads to a cluster and is no node of it: its confidence stays below `NODE_AT`.
#[must_use]
pub fn node_of(tags: &BTreeMap<Untrusted, Untrusted>, marks: &[Marker]) -> Option<NodeOf> {
    let mut hits = hit::in_tags(TagOn::Instance, tags);
    hits.extend(marks.iter().filter_map(of_marker));
    let counting = weigh::counting(&hits);
    let weighed = weigh::weigh(&counting)?;
    let bastion = weighed.role == Some(NodeRole::Bastion);
    let says = |h: &Hit| match catalogue().marks[h.mark].is_tag {
        true => format!("tag {}", h.found.as_str().split('=').next().unwrap_or_default()),
        false => format!("user data holds `{}`", h.found),
    };
    Some(NodeOf {
        distribution: catalogue().distributions[weighed.distribution].distribution.clone(),
        cluster: weighed.cluster,
        confidence: if bastion { weighed.confidence.min(NODE_AT - 1) } else { weighed.confidence },
        evidence: counting.iter().filter(|h| h.weight > Weight::None).map(says).collect(),
    })
}

fn of_marker(marker: &Marker) -> Option<Hit> {
    let mark = catalogue().mark(&marker.name)?;
    let weight = match marker.weight {
        60.. => Weight::Strong,
        25.. => Weight::Medium,
        1.. => Weight::Weak,
        0 => Weight::None,
    };
    Some(Hit { weight, ..Hit::new(mark, marker.found.as_str()) })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
